"""What the core's tests share."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from inbox.realtime.hub import Hub
from inbox.realtime.live import live_answers
from inbox.realtime.publish import attach_hub
from inbox.realtime.reader import Reader
from inbox.testing import robbie as the_robbie


class Ear:
    """A sink that remembers what it was sent and can be awaited."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.congested = False
        self._news = asyncio.Event()

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))
        self._news.set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if "seq" in frame]

    async def until(self, condition, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def listen():
    """Make readers on a hub: ``listen(hub, conversation, audience, since)`` → ear, reader."""

    def make(hub: Hub, conversation: Any, audience: str = "visitor", since: int = 0):
        ear = Ear()
        reader = Reader(
            conversation_id=str(conversation.id), audience=audience, sink=ear, since=since
        )
        hub.subscribe(reader, ownership=conversation.ownership)
        return ear, reader

    return make


@pytest.fixture
async def hub():
    """A hub of this test's loop, without bus, head poll and runner."""
    found = Hub(asyncio.get_running_loop())
    attach_hub(found)
    yield found
    await found.close()
    attach_hub(None)
    live_answers._answers.clear()


@pytest.fixture
def robbie(settings):
    """The bot of key ``robbie``: it answers nothing and remembers what it was asked."""
    settings.INBOX_RESPONDERS = ["inbox.testing.robbie"]
    the_robbie.reset()
    return the_robbie
