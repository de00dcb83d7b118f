"""What the bots' tests share."""

from __future__ import annotations

import asyncio

import pytest

from inbox.realtime.hub import Hub
from inbox.realtime.live import live_answers
from inbox.realtime.publish import attach_hub
from tests.support.turns import STEPPED, SteppedBackend, make_bot


@pytest.fixture
async def hub(settings):
    """A hub of this test's loop, without bus and head poll; turns run by hand."""
    settings.INBOX_RUNNER = False
    found = Hub(asyncio.get_running_loop())
    attach_hub(found)
    yield found
    await found.close()
    attach_hub(None)
    live_answers._answers.clear()


@pytest.fixture
def robbie(db, settings):
    """The default bot, answering what a test lets it answer."""
    settings.BOTS_BACKENDS = {"stepped": {"BACKEND": STEPPED}}
    settings.BOTS_BACKEND = "stepped"
    settings.BOTS_FLUSH_MS = 0
    SteppedBackend.play()
    return make_bot()
