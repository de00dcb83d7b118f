"""Every page that grows with the data reads indexes only, in a constant number of statements.

A small copy of the benchmarks' database is filled once; what each page asks of it is explained
by the database itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from benchmarks.size import pages as at_size
from benchmarks.size.fill import LEAD, MEMBER, REVIEWER, Size, fill
from bots.knowledge.retrieval import retrieve
from chatwidget.standing import count_unread, latest_closed
from chatwidget.views.reading import _conversations
from inbox import lists, lookout, queries
from inbox.assignment.desk import Desk
from inbox.models import Conversation, Visitor, WebhookDelivery, WebhookEndpoint
from inbox.realtime.poll import read_heads, read_recent

FEW = re.compile(r"frontdesk_(visitor_blocked|webhook_failed)\b")
"""Indexes that hold only what their page is about."""

pytestmark = pytest.mark.django_db
SIZE = Size(conversations=600, messages=3_000, articles=60)
SMALL = re.compile(
    r"\b(auth_|django_|frontdesk_inbox_(team|tag|operator|cannedreply|webhookendpoint)\b"
    r"|frontdesk_inbox_operator_teams|frontdesk_bots_(bot|article|term)\b)"
)
"""Tables that grow with the staff or with what it wrote, not with visitors."""


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker) -> Iterator[at_size.Samples]:
    """The database with some of everything; emptied afterwards."""
    with django_db_blocker.unblock():
        fill(SIZE)
        told()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # A few thousand rows are read faster in one piece and sorted than by any index.
                cursor.execute("SET enable_seqscan = off; SET enable_sort = off")
        yield at_size.Samples()
        flush()


def told() -> None:
    """More deliveries to a receiver than a page of the admin shows."""
    endpoint = WebhookEndpoint.objects.create(name="Shop", url="https://shop.example/hook")
    moment = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint,
            webhook_id=f"m{number}",
            event_type="message.created",
            body="{}",
            state="failed" if number % 20 == 0 else "delivered",
            next_at=moment,
            created_at=moment,
        )
        for number in range(120)
    )


def flush() -> None:
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)
    connection.close()


def statements(work: Callable[[], object]) -> list[tuple[str, tuple]]:
    """What ``work`` asks of the database."""
    asked: list[tuple[str, tuple]] = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return asked


def scans(sql: str, params: tuple) -> list[str]:
    """The parts of a plan that read a growing table from one end to the other, or sort it."""
    if not re.match(r"\s*(SELECT|WITH)\b", sql):
        return []
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql, params)
        plan = [row[-1] for row in cursor.fetchall()]
    return [line for line in plan if is_scan(line, sql) or is_sort(line, sql)]


def is_scan(line: str, sql: str) -> bool:
    """Whether this line of a plan is a whole growing table.

    What is read in the list's order stops at the page's end: its statement has a LIMIT.
    """
    if SMALL.search(line) or FEW.search(line):
        return False
    if connection.vendor == "postgresql":
        return "Seq Scan on frontdesk" in line
    if re.search(r"_(search|index) VIRTUAL TABLE", line):
        return ":M" not in line  # a full-text table that is asked for no word
    whole = re.match(r"SCAN (frontdesk_\w+|U\d+)\b", line)
    if whole is None or (whole[1].startswith("U") and SMALL.search(sql)):
        return False
    in_order = re.search(r"USING (COVERING )?INDEX", line) or 'id" DESC LIMIT' in sql
    return "LIMIT" not in sql or not in_order


def is_sort(line: str, sql: str) -> bool:
    """Whether a list sorts what it found before it takes its page.

    A search sorts what it found, and the queue is no longer than people wait.
    """
    one_page = re.match(r'\s*SELECT "frontdesk_inbox_conversation"', sql) and "LIMIT" in sql
    by_key = r'"visitor_id" = |"frontdesk_inbox_conversation"."id" = |"queued_at" ASC'
    narrowed = re.search(rf"MATCH|@@|{by_key}", sql)
    sorts = "USE TEMP B-TREE FOR ORDER BY" in line or re.match(r"\W*Sort\b", line)
    return bool(one_page and not narrowed and sorts)


def check(work: Callable[[], object], most: int) -> None:
    work()  # what is read once per process is not the page's
    asked = statements(work)
    assert len(asked) <= most, "\n".join(sql for sql, _ in asked)
    for sql, params in asked:
        assert not scans(sql, params), (scans(sql, params), sql)


def every_page(filled: at_size.Samples) -> list[at_size.Page]:
    return list(at_size.pages(filled))


MOST = {"first page": 9, "lists": 9, "open": 12, "whole page": 15, "search": 9, "admin": 12}


@pytest.mark.parametrize("group", MOST)
def test_pages_read_stretches_of_indexes(filled, group):
    clients = {name: at_size._client(name) for name in (LEAD, MEMBER, REVIEWER)}
    pages = [page for page in every_page(filled) if page.group == group]
    assert pages
    for page in pages:
        check(at_size._asking(clients[page.account], page), MOST[group])


def test_resuming_reads_each_conversation_from_its_place(filled):
    check(lambda: at_size._resume(filled), 2)


def test_what_visitors_ask_for_is_read_by_their_own_keys(filled):
    visitor = Visitor.objects.filter(conversations__status="closed").first()
    assert visitor is not None
    check(lambda: _conversations(visitor.pk, None), 1)
    check(lambda: latest_closed(visitor), 1)
    check(lambda: count_unread(visitor), 4)


def test_what_runs_every_few_seconds_reads_what_changed(filled):
    newest = Conversation.objects.order_by("-updated_at").values_list("updated_at", flat=True)[0]
    check(lambda: read_recent(newest), 1)
    check(lambda: read_heads([str(key) for key in filled.conversations]), 1)
    check(lookout.open_conversations, 1)
    check(lambda: Desk.load(newest), 4)
    check(lambda: list(Conversation.objects.queued()[:10]), 1)


def test_unread_words_of_many_conversations_are_one_question(filled):
    lead = get_user_model().objects.get_by_natural_key(LEAD)
    check(lambda: queries.unread_of(lead, filled.conversations[:100]), 3)


def test_a_question_to_the_bot_reads_the_index_of_terms(filled):
    check(lambda: retrieve("When is my parcel delivered?", language="en"), 20)


@pytest.mark.parametrize("view", ["", *lists.VIEWS])
def test_pages_of_a_view_follow_one_another_and_hold_all_of_it(filled, view):
    """Merged from several stretches, in one order, without gap or double."""
    lead = get_user_model().objects.get_by_natural_key(LEAD)
    seen, cursor = [], ""
    while True:
        page = lists.conversation_page(lead, view=view, cursor=cursor, limit=7)
        seen += page.results
        if page.next is None:
            break
        cursor = page.next
    assert [row.pk for row in seen] == [
        row.pk for row in sorted(seen, key=lambda row: (row.updated_at, row.pk.hex), reverse=True)
    ]
    conditions = {
        "": Q(),
        "mine": Q(status="open", handled_by="operator", operator__user=lead),
        "unassigned": Q(status="open", handled_by__in=["queue", "nobody"]),
        "all": Q(status="open"),
        "bot": Q(status="open", handled_by="bot"),
        "snoozed": Q(status="snoozed"),
        "closed": Q(status="closed"),
    }
    wanted = set(Conversation.objects.filter(conditions[view]).values_list("pk", flat=True))
    assert {row.pk for row in seen} == wanted
    assert len(seen) == len(wanted)


def test_a_counter_stops_where_the_number_says_no_more(filled):
    lead = get_user_model().objects.get_by_natural_key(LEAD)
    counts = lists.counters(lead)
    assert counts["bot"] == counts["all"] == lists.COUNTED
    assert 0 < counts["snoozed"] < lists.COUNTED
    html = at_size._client(LEAD).get("/inbox/bot/").content.decode()
    assert 'data-count="bot">99+<' in html
    assert f'data-count="snoozed">{counts["snoozed"]}<' in html
