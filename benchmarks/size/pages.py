"""Asks every page that grows with the data, in process, and counts time and statements.

Time is what the processor spent on it, here and in the database's own process: on a machine that
others use, the wall clock tells of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from benchmarks.size.fill import LEAD, MEMBER, REVIEWER
from bots.knowledge.retrieval import retrieve
from bots.models import Article, Turn
from inbox.lists import VIEWS
from inbox.models import Conversation, Event, Message, Visitor
from inbox.realtime.records import PageRequest, load_pages

SAMPLES = 200
"""Conversations that are looked at, of all ages."""
QUESTIONS = ("When is my parcel delivered?", "How do I return a broken lamp?", "glass shade size")
COMMON_WORDS = ("the", "lamp", "order delivery", "deli", "thanks for your order")


@dataclass(frozen=True, slots=True)
class Page:
    """One address, asked as one account; `group` is the gate it counts for."""

    group: str
    name: str
    account: str
    path: Callable[[], str]


@dataclass(slots=True)
class Asked:
    """Milliseconds and statements of every time one page was asked for."""

    group: str
    name: str
    server: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    queries: int = 0

    def take(self, ask: Callable[[], Any], *, kept: bool) -> None:
        """Ask once; the first time of all only warms up."""
        with _counted() as statements:
            cpu, began = _cpu_seconds(), time.perf_counter()
            ask()
            wall, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
        self.queries = max(self.queries, len(statements) if kept else 0)
        if kept:
            self.server.append(round(cpu * 1000, 2))
            self.wall.append(round(wall * 1000, 2))


class Samples:
    """Rows that the pages are asked about; the same seed chooses the same."""

    def __init__(self, seed: int = 7) -> None:
        self.rng = random.Random(seed)
        last = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
        places = [self.rng.randint(1, last) for _ in range(SAMPLES)]
        events = Event.objects.filter(pk__in=places)
        self.conversations = list(events.values_list("conversation_id", flat=True))
        rows = Conversation.objects.filter(pk__in=self.conversations)
        self.heads = list(rows.values_list("pk", "visitor_head"))
        self.longest = Conversation.objects.order_by("-head").values_list("pk", flat=True)[0]
        own = Message.objects.filter(conversation__in=self.conversations)
        self.texts = list(own.filter(content__contains="LX-").values_list("content", flat=True))
        self.texts += list(own.values_list("content", flat=True)[:SAMPLES])
        self.visitors = list(Visitor.objects.exclude(name="").values_list("pk", "name")[:SAMPLES])

    def conversation(self) -> Any:
        """One of them."""
        return self.rng.choice(self.conversations)

    def rare_words(self) -> str:
        """An order number, or words that few messages hold."""
        words = self.rng.choice(self.texts).split()
        return " ".join(sorted(words, key=len)[-2:])


def pages(found: Samples) -> Iterator[Page]:
    """Every page of operators and reviewers."""
    for account in (LEAD, MEMBER):
        for view in VIEWS:
            yield Page("first page", f"{view} ({account})", account, _fixed(f"/inbox/{view}/"))
    for view in ("all", "closed", "bot"):
        yield Page("lists", f"{view}, later page", LEAD, _later(view))
    for view in ("", *VIEWS):
        for account in (LEAD, MEMBER):
            path = _fixed(f"/api/v1/conversations/?view={view}")
            yield Page("lists", f"API, {view or 'every'} ({account})", account, path)
    yield Page("lists", "API, counters", LEAD, _fixed("/api/v1/counters/"))
    whole, pane = "/inbox/all/{}/", "/inbox/all/{}/?part=thread"
    yield Page("open", "a conversation", LEAD, lambda: pane.format(found.conversation()))
    yield Page("open", "the longest", LEAD, _fixed(pane.format(found.longest)))
    yield Page("whole page", "a conversation", LEAD, lambda: whole.format(found.conversation()))
    yield Page("whole page", "the longest", LEAD, _fixed(whole.format(found.longest)))
    yield Page(
        "lists",
        "API, events",
        LEAD,
        lambda: f"/api/v1/conversations/{found.conversation()}/events/",
    )
    yield from _searches(found)
    yield from _admin(found)


def _searches(found: Samples) -> Iterator[Page]:
    searched = {
        "rare": found.rare_words,
        "common": lambda: found.rng.choice(COMMON_WORDS),
        "name": lambda: found.rng.choice(found.visitors)[1],
        "nothing": lambda: "xylophonist",
    }
    for account in (LEAD, MEMBER):
        for kind, words in searched.items():
            for view in ("all", "closed"):
                yield Page(
                    "search",
                    f"{kind} words in {view} ({account})",
                    account,
                    lambda words=words, view=view: f"/inbox/{view}/?search={words()}",  # type: ignore[misc]
                )


def _admin(found: Samples) -> Iterator[Page]:
    inbox, bots = "/admin/frontdesk_inbox", "/admin/frontdesk_bots"
    lists = [f"{inbox}/{name}/" for name in ("conversation", "visitor", "handoff", "operator")]
    lists += [f"{inbox}/{name}/" for name in ("team", "tag", "cannedreply", "webhookdelivery")]
    lists += [f"{bots}/{name}/" for name in ("turn", "article", "bot")]
    lists += [f"{inbox}/conversation/?q={words}" for words in ("lamp", "kowalska", "zolzolzol")]
    lists += [
        f"{inbox}/visitor/?q=kowalska",
        f"{inbox}/visitor/?q=user:17",
        f"{inbox}/handoff/?q=lamp",
    ]
    lists += [f"{bots}/article/?q=lamp", f"{inbox}/visitor/?blocked=yes"]
    for path in lists:
        yield Page("admin", path, REVIEWER, _fixed(path))
    turn = Turn.objects.values_list("pk", flat=True)[0]
    article = Article.objects.values_list("pk", flat=True)[0]
    details = {
        "a conversation": lambda: f"{inbox}/conversation/{found.conversation()}/change/",
        "a visitor": lambda: f"{inbox}/visitor/{found.rng.choice(found.visitors)[0]}/change/",
        "a turn": _fixed(f"{bots}/turn/{turn}/change/"),
        "an article": _fixed(f"{bots}/article/{article}/change/"),
    }
    for name, path in details.items():
        yield Page("admin", name, REVIEWER, path)


def measure(rounds: int) -> dict[str, Any]:
    """Milliseconds and most statements of every page, once around unmeasured."""
    found = Samples()
    clients = {name: _client(name) for name in (LEAD, MEMBER, REVIEWER)}
    work: list[tuple[str, str, Callable[[], Any]]] = [
        (page.group, page.name, _asking(clients[page.account], page)) for page in pages(found)
    ]
    work.append(("resume", f"{SAMPLES} readers at once", lambda: _resume(found)))
    work.append(("knowledge", "a question", lambda: retrieve(found.rng.choice(QUESTIONS))))
    asked = [Asked(group, name) for group, name, _ in work]
    for turn in range(rounds + 1):
        for row, (_, _, ask) in zip(asked, work, strict=True):
            row.take(ask, kept=turn > 0)
    return {"database": connection.vendor, "pages": [asdict(row) for row in asked]}


def _client(name: str) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model()._default_manager.get_by_natural_key(name))
    return client


def _asking(client: Client, page: Page) -> Callable[[], Any]:
    def ask() -> None:
        answer = client.get(page.path())
        if answer.status_code != 200:
            raise RuntimeError(f"{page.name}: {answer.status_code}")

    return ask


def _resume(found: Samples) -> None:
    load_pages([PageRequest(key, "visitor", max(0, head - 5)) for key, head in found.heads])


def _cpu_seconds() -> float:
    """Of this process, and of the process that answers our connection to PostgreSQL."""
    spent = time.process_time()
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        backend = connection.connection.info.backend_pid
        spent += int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9
    return spent


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def _fixed(path: str) -> Callable[[], str]:
    return lambda: path


def _later(view: str) -> Callable[[], str]:
    # Far behind the first page, where an offset would have to count.
    from inbox.lists import _encode_cursor  # noqa: PLC0415

    middle = Conversation.objects.order_by("created_at").values_list("updated_at", "pk")
    place = middle[Conversation.objects.count() // 2]
    return _fixed(f"/inbox/{view}/?cursor={_encode_cursor(*place)}")
