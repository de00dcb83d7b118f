"""A person takes over at any moment of a streaming answer: from then on, no word of the bot.

Everything is real but the model: database, transactions in threads, hub and its readers.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from bots.actions import leases
from bots.backends.base import Delta, Finished, Source, Sources
from bots.models import Turn, TurnStatus
from bots.running.run import Run
from inbox.actions.transitions import take
from inbox.database import in_thread
from inbox.models import Conversation, Message, Operator
from inbox.realtime.hub import Hub
from inbox.realtime.live import live_answers
from inbox.realtime.publish import attach_hub
from inbox.testing import make_operator, make_visitor
from tests.support.turns import (
    STEPPED,
    Screen,
    SteppedBackend,
    make_bot,
    say,
    watch,
)

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = [f"word{number} " for number in range(17)]
POINTS = len(WORDS) + 3
"""Before the sources, before each word, before the end, and while the end is stored."""
TRIES = 200
AT_ONCE = 20
BOTS_FRAMES = {"response_start", "sources", "text_delta"}


@dataclass
class Try:
    """One conversation that is taken over at one point."""

    point: int
    conversation_id: Any
    visitor: Screen
    operator: Screen
    taking: asyncio.Task[Any] | None = None


@pytest.fixture
async def hub(settings):
    settings.INBOX_RUNNER = False
    settings.BOTS_BACKENDS = {"stepped": {"BACKEND": STEPPED}}
    settings.BOTS_BACKEND = "stepped"
    found = Hub(asyncio.get_running_loop())
    attach_hub(found)
    yield found
    await found.close()
    attach_hub(None)
    live_answers._answers.clear()


@pytest.fixture
def script(monkeypatch):
    """Each conversation has its own script: it is asked by its number."""
    scripts: dict[str, list[Any]] = {}

    async def stream(self, ask):
        for step in scripts[ask.question]:
            if callable(step):
                await step()
            else:
                yield step

    monkeypatch.setattr(SteppedBackend, "stream", stream)
    return scripts


@pytest.mark.parametrize("flush_ms", [0, 5], ids=["every word at once", "words in windows"])
async def test_after_a_take_over_at_any_point_no_word_of_the_bot_follows(
    hub, settings, script, flush_ms
):
    settings.BOTS_FLUSH_MS = flush_ms
    await sync_to_async(make_bot)()
    olga = await sync_to_async(make_operator)()
    outcomes: dict[str, int] = {}
    for first in range(0, TRIES, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        tries = [await begin(hub, script, olga, number) for number in numbers]
        since = time.monotonic()
        claimed = await in_thread(leases.claim, AT_ONCE)
        await asyncio.gather(*(Run(turn, since).run() for turn in claimed))
        await asyncio.gather(*(one.taking for one in tries if one.taking))
        for one in tries:
            outcome = await check(one)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert sum(outcomes.values()) == TRIES
    # Not vacuous: most were cut short in the middle, and some were just done.
    assert outcomes[TurnStatus.CANCELLED] > TRIES / 2


async def begin(hub: Hub, script: dict[str, list[Any]], olga: Operator, number: int) -> Try:
    """Vera asks and reads along, and so does Olga, who takes over at this try's point."""
    vera = await sync_to_async(make_visitor)()
    posted = await sync_to_async(say)(vera, f"question {number}")
    one = Try(
        point=number % POINTS,
        conversation_id=posted.conversation_id,
        visitor=await watch(hub, posted.conversation_id),
        operator=await watch(hub, posted.conversation_id, audience="operator"),
    )
    script[f"question {number}"] = list(steps(one, olga))
    return one


def steps(one: Try, olga: Operator):
    """The answer, with the take-over somewhere in it; the bot talks on as if nothing happened."""

    def launch():
        call = in_thread(take, conversation_id=one.conversation_id, operator=olga)
        one.taking = asyncio.create_task(call)

    async def take_over():
        launch()

    async def take_over_behind_the_end():
        asyncio.get_running_loop().call_soon(launch)

    async def breathe():
        await asyncio.sleep(0.001)

    events = [Sources([Source(url="/a", title="A", snippet="")]), *map(Delta, WORDS)]
    for position, event in enumerate([*events, Finished("stop")]):
        if position == one.point:
            yield take_over
        if position == len(events) < one.point:
            yield take_over_behind_the_end
        yield event
        yield breathe


async def check(one: Try) -> str:
    """The promise, frame by frame, for both readers; returns how the turn ended."""
    turn = await Turn.objects.aget(conversation_id=one.conversation_id)
    conversation = await Conversation.objects.aget(pk=one.conversation_id)
    assert (conversation.handled_by, conversation.status) == ("operator", "open")
    answers = [m async for m in Message.objects.filter(role="assistant", conversation=conversation)]
    for screen in (one.visitor, one.operator):
        await screen.until(is_taken)
        await screen.until(lambda s: len(s.of("response_end")) == len(s.of("response_start")))
        check_screen(screen, one.point)
    shown = one.visitor.text
    (stored,) = answers or [None]
    if shown:
        assert stored is not None
        assert stored.id == turn.message_id
        assert stored.outcome == turn.status
        assert stored.content == shown, one.point
    else:
        assert stored is None
    return turn.status


def is_taken(screen: Screen) -> bool:
    return any(frame["handled_by"] == "operator" for frame in screen.of("conversation"))


def check_screen(screen: Screen, point: int) -> None:
    taken = next(
        index
        for index, frame in enumerate(screen.frames)
        if frame["type"] == "conversation" and frame["handled_by"] == "operator"
    )
    late = [
        frame
        for frame in itertools.islice(screen.frames, taken + 1, None)
        if frame["type"] in BOTS_FRAMES or frame.get("role") == "assistant"
    ]
    assert late == [], f"point {point}"
    assert len(screen.of("response_end")) <= 1
    seqs = [frame["seq"] for frame in screen.frames if "seq" in frame]
    assert seqs == list(range(1, len(seqs) + 1))
