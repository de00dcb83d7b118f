"""A person takes over at any moment of a streaming answer: from then on, no word of the bot."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from bots.models import TurnStatus
from inbox.realtime.hub import Hub
from inbox.realtime.live import live_answers
from inbox.realtime.publish import attach_hub
from inbox.testing import make_operator
from tests.chaos import takeover
from tests.support.turns import make_bot

pytestmark = pytest.mark.django_db(transaction=True)

TRIES = 250


@pytest.fixture
async def hub(settings):
    for name, value in takeover.SETTINGS.items():
        setattr(settings, name, value)
    found = Hub(asyncio.get_running_loop())
    attach_hub(found)
    yield found
    await found.close()
    attach_hub(None)
    live_answers._answers.clear()


@pytest.mark.parametrize("flush_ms", [0, 5], ids=["every word at once", "words in windows"])
async def test_after_a_take_over_at_any_point_no_word_of_the_bot_follows(hub, settings, flush_ms):
    settings.BOTS_FLUSH_MS = flush_ms
    await sync_to_async(make_bot)()
    olga = await sync_to_async(make_operator)()
    races = await takeover.race(hub, olga, range(TRIES))
    assert (races.late, races.wrongs) == (0, [])
    assert races.outcomes.total() == TRIES
    # Not vacuous: most were cut short in the middle, and some were just done.
    assert races.outcomes[TurnStatus.CANCELLED] > TRIES / 2
