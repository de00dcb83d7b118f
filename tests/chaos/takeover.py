"""A person takes over at a chosen point of a streaming answer, within one process.

Everything is real but the model: database, transactions in threads, hub and its readers.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async

from bots.actions import leases
from bots.backends.base import Delta, Finished, Source, Sources
from bots.models import Turn
from bots.running.run import Run
from inbox.actions.posting import Draft, Posted, VisitorSender, post_batch
from inbox.actions.transitions import take
from inbox.database import in_thread
from inbox.models import Conversation, Message, Operator
from inbox.realtime.hub import Hub
from inbox.testing import make_visitor
from tests.support.turns import Screen, SteppedBackend, watch

WORDS = [f"word{number} " for number in range(17)]
POINTS = len(WORDS) + 3
"""Before the sources, before each word, before the end, and while the end is stored."""
AT_ONCE = 25
BOTS_FRAMES = {"response_start", "sources", "text_delta"}
SETTINGS = {
    "INBOX_RUNNER": False,
    "BOTS_BACKENDS": {"stepped": {"BACKEND": "tests.chaos.takeover.ScriptedByQuestion"}},
    "BOTS_BACKEND": "stepped",
}

scripts: dict[str, list[Any]] = {}
"""What is said to which question."""


class ScriptedByQuestion(SteppedBackend):
    """Each conversation has its own script: it is asked by its number."""

    async def stream(self, ask: Any) -> Any:
        """Play it."""
        for step in scripts.pop(ask.question):
            if callable(step):
                await step()
            else:
                yield step


@dataclass
class Try:
    """One conversation that is taken over at one point."""

    point: int
    conversation_id: Any
    visitor: Screen
    operator: Screen
    taking: asyncio.Task[Any] | None = None


@dataclass
class Races:
    """What came of many."""

    outcomes: Counter[str] = field(default_factory=Counter)
    late: int = 0
    """Frames of the bot that a reader was sent behind the take-over."""
    wrongs: list[str] = field(default_factory=list)


async def race(hub: Hub, olga: Operator, numbers: range) -> Races:
    """So many take-overs, each at the point that belongs to its number, many at once."""
    races = Races()
    for first in numbers[::AT_ONCE]:
        tries = await begin(hub, olga, numbers[first - numbers.start :][:AT_ONCE])
        since = time.monotonic()
        claimed = await in_thread(leases.claim, len(tries))
        await asyncio.gather(*(Run(turn, since).run() for turn in claimed))
        await asyncio.gather(*(one.taking for one in tries if one.taking))
        for one in tries:
            races.outcomes[await check(one, races)] += 1
    return races


async def begin(hub: Hub, olga: Operator, numbers: range) -> list[Try]:
    """Visitors ask and read along, and so does Olga, who takes over at each try's point."""
    posted = await sync_to_async(_ask)(numbers)
    tries = []
    for number, one in zip(numbers, posted, strict=True):
        begun = Try(
            point=number % POINTS,
            conversation_id=one.conversation_id,
            visitor=await watch(hub, one.conversation_id),
            operator=await watch(hub, one.conversation_id, audience="operator"),
        )
        scripts[f"question {number}"] = list(steps(begun, olga))
        tries.append(begun)
    return tries


def _ask(numbers: range) -> list[Posted]:
    visitors = [make_visitor() for _ in numbers]
    drafts = [
        Draft(
            sender=VisitorSender(visitor_id=visitor.pk),
            conversation_id=visitor.session_id,
            client_id=f"c{number}",
            content=f"question {number}",
        )
        for number, visitor in zip(numbers, visitors, strict=True)
    ]
    return [one for one in post_batch(drafts) if isinstance(one, Posted)]


def steps(one: Try, olga: Operator) -> Iterator[Any]:
    """The answer, with the take-over somewhere in it; the bot talks on as if nothing happened."""

    def launch() -> None:
        call = in_thread(take, conversation_id=one.conversation_id, operator=olga)
        one.taking = asyncio.create_task(call)

    async def take_over() -> None:
        launch()

    async def take_over_behind_the_end() -> None:
        asyncio.get_running_loop().call_soon(launch)

    async def breathe() -> None:
        # Long enough that most take-overs come in the middle: those of a lot wait for one another.
        await asyncio.sleep(0.01)

    events = [Sources([Source(url="/a", title="A", snippet="")]), *map(Delta, WORDS)]
    for position, event in enumerate([*events, Finished("stop")]):
        if position == one.point:
            yield take_over
        if position == len(events) < one.point:
            yield take_over_behind_the_end
        yield event
        yield breathe


async def check(one: Try, races: Races) -> str:
    """The promise, frame by frame, for both readers; returns how the turn ended."""
    turn = await Turn.objects.aget(conversation_id=one.conversation_id)
    conversation = await Conversation.objects.aget(pk=one.conversation_id)
    if (conversation.handled_by, conversation.status) != ("operator", "open"):
        races.wrongs.append(f"point {one.point}: {conversation.handled_by}")
    for screen in (one.visitor, one.operator):
        await screen.until(is_over)
        check_screen(screen, one.point, races)
    answers = [m async for m in Message.objects.filter(role="assistant", conversation=conversation)]
    shown = one.visitor.text
    stored = [(m.id, m.outcome, m.content) for m in answers]
    if stored != ([(turn.message_id, turn.status, shown)] if shown else []):
        races.wrongs.append(f"point {one.point}: showed {shown!r}, stored {stored}")
    return str(turn.status)


def is_over(screen: Screen) -> bool:
    """The reader knows of the take-over, and every stream it saw begin has ended."""
    return any(frame["handled_by"] == "operator" for frame in screen.of("conversation")) and len(
        screen.of("response_end")
    ) == len(screen.of("response_start"))


def check_screen(screen: Screen, point: int, races: Races) -> None:
    """No word behind the take-over, at most one end, no hole."""
    taken = next(
        index
        for index, frame in enumerate(screen.frames)
        if frame["type"] == "conversation" and frame["handled_by"] == "operator"
    )
    races.late += sum(
        frame["type"] in BOTS_FRAMES or frame.get("role") == "assistant"
        for frame in itertools.islice(screen.frames, taken + 1, None)
    )
    if len(screen.of("response_end")) > 1:
        races.wrongs.append(f"point {point}: more than one end")
    seqs = [frame["seq"] for frame in screen.frames if "seq" in frame]
    if seqs != list(range(1, len(seqs) + 1)):
        races.wrongs.append(f"point {point}: numbers {seqs}")
