"""Turns after trouble at the worst moment: a hand-off half made, a keeper being replaced."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.db.models.functions import Now

from bots.actions import endings
from bots.backends.base import Delta, Finished, ToolCall, ToolCallRequested
from bots.models import ToolCall as ToolCallRow
from bots.models import Turn, TurnStatus
from bots.running.keeper import keeper
from inbox.models import Conversation
from inbox.testing import make_visitor
from tests.support.turns import SteppedBackend, answer_all, claim_one, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("robbie")]

HAND_OFF = ToolCallRequested(
    ToolCall(
        call_id="c1",
        name="hand_off",
        arguments='{"reason": "refund", "summary": "Wants a refund.", "question": "How much?"}',
    )
)


async def test_a_hand_off_that_broke_off_is_made_by_the_next_worker(hub, monkeypatch):
    """Never words alone: a model told that it handed over would tell the visitor so."""
    made = endings.hand_over

    def break_off(*_args, **_kwargs):
        monkeypatch.setattr(endings, "hand_over", made)
        raise OperationalError("connection lost")

    monkeypatch.setattr(endings, "hand_over", break_off)
    SteppedBackend.play(
        [HAND_OFF, Finished("tool_calls")],
        [Delta("A colleague will be with you."), Finished("stop")],
    )
    vera = await sync_to_async(make_visitor)()
    await sync_to_async(say)(vera, "Where is my lamp?")
    run = await sync_to_async(claim_one)()
    with pytest.raises(OperationalError):
        await run.run()
    await Turn.objects.aupdate(lease_until=Now())
    async with asyncio.timeout(5):
        while (await Turn.objects.aget()).status == TurnStatus.RUNNING:
            await answer_all()
    assert (await Turn.objects.aget()).status == TurnStatus.HANDED_OVER
    assert (await Conversation.objects.aget()).handled_by == "queue"
    row = await ToolCallRow.objects.aget()
    assert (row.status, row.code) == ("done", "ok")
    assert len(SteppedBackend.asked) == 1


class QuietRun:
    """All that a keeper wants of a run."""

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.turn = SimpleNamespace(key=conversation_id)
        self.beats = asyncio.Event()

    def beat(self) -> None:
        self.beats.set()


async def test_a_run_that_begins_as_the_last_one_ends_is_kept_too(hub, settings):
    settings.BOTS_LEASE_SECONDS = 0.15
    first, second = QuietRun("a"), QuietRun("b")
    keeper().add(first)
    await asyncio.sleep(0)
    keeper().remove(first)
    keeper().add(second)
    try:
        await asyncio.wait_for(second.beats.wait(), 5)
    finally:
        keeper().remove(second)
