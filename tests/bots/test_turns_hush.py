"""A take-over elsewhere: the worker says its last word before the text is read."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from bots.backends.base import Delta, Finished
from bots.running import speaking
from bots.running.hush import hush
from inbox.database import in_thread
from inbox.models import Message
from inbox.realtime.batches import Batch, Control
from inbox.testing import make_visitor
from tests.support.turns import SteppedBackend, claim_one, say, watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere(monkeypatch):
    """This process plays both: the one that takes over and the one that speaks."""
    monkeypatch.setattr("bots.running.hush.speaks_here", lambda key: False)
    monkeypatch.setattr("bots.running.hush.shared_layer", object)
    monkeypatch.setattr("bots.running.lease.QUIET_SECONDS", 0.05)


@pytest.mark.usefixtures("elsewhere", "robbie")
async def test_the_worker_says_what_waits_and_is_quiet_until_it_has_asked(hub, settings):
    settings.BOTS_FLUSH_MS = 60_000
    vera = await sync_to_async(make_visitor)()
    posted = await sync_to_async(say)(vera)
    screen = await watch(hub, posted.conversation_id)
    run = await sync_to_async(claim_one)()
    shown: list[str] = []

    async def take_over_that_fails():
        assert screen.text == "one "
        assert await in_thread(hush, str(run.turn.key))
        assert not run.lease.is_good
        shown.append(screen.text)

    SteppedBackend.play(
        [Delta("one "), Delta("two "), take_over_that_fails, Delta("three"), Finished("stop")]
    )
    await run.run()
    assert shown == ["one two "]
    assert (await Message.objects.aget(role="assistant")).content == "one two three"
    assert not speaking.speaks_here(str(run.turn.key))


@pytest.mark.usefixtures("elsewhere", "robbie")
async def test_a_worker_is_hushed_before_its_first_word_too(hub):
    await sync_to_async(say)(await sync_to_async(make_visitor)())
    run = await sync_to_async(claim_one)()
    run.hush()
    async with asyncio.timeout(10):
        await run.run()
    assert (await Message.objects.aget(role="assistant")).content == "Hi"


@pytest.mark.usefixtures("elsewhere")
async def test_a_dead_worker_holds_nobody_up(hub, monkeypatch):
    monkeypatch.setattr("bots.running.hush.HUSH_SECONDS", 0.02)
    assert not await in_thread(hush, "nobody")
    hub.deliver(Batch(controls=[Control(kind="hushed", key="nobody")]))


async def test_without_other_processes_nobody_is_asked(hub):
    assert not await in_thread(hush, "somebody")


async def test_what_is_said_here_needs_no_question(hub, monkeypatch):
    monkeypatch.setattr("bots.running.hush.shared_layer", object)
    speaking.begin("mine")
    assert not await in_thread(hush, "mine")
    speaking.end("mine")
