"""The reading end of a visitor: a reader that remembers marks, and a place to collect frames."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from chatwidget.standing import Standing
from inbox.conf import inbox_settings
from inbox.realtime.hub import Hub
from inbox.realtime.reader import Reader, Sink


class VisitorReader(Reader):
    """A reader that keeps what ``heartbeat`` repeats: how far each side has read."""

    __slots__ = ("epoch", "reads")

    def __init__(self, standing: Standing, *, sink: Sink, since: int) -> None:
        super().__init__(
            conversation_id=str(standing.session_id), audience="visitor", sink=sink, since=since
        )
        self.epoch = standing.epoch
        self.reads = dict(standing.reads)

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame without number, taking note of read marks on the way."""
        if frame["type"] == "read":
            self.reads[frame["role"]] = max(frame["upto"], self.reads.get(frame["role"], 0))
        super().send(frame)

    def heartbeat(self, hub: Hub) -> dict[str, Any]:
        """The frame that shows a client that nothing is missing."""
        topic = hub.topics.get(self.conversation_id)
        head = max(self.cursor, topic.visitor_head if topic else 0)
        return {"type": "heartbeat", "head": head, "epoch": self.epoch, "reads": self.reads}


class Mailbox:
    """A sink for readers without a socket: frames wait until somebody takes them.

    A taker that lets more pile up than the send budget finds the mailbox ``overfull``.
    """

    def __init__(self) -> None:
        self._frames: deque[str] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self.overfull = False

    @property
    def congested(self) -> bool:
        """Whether stream deltas should be left out for now."""
        return self._bytes > inbox_settings.SEND_BUDGET_BYTES // 4

    def send(self, text: str) -> None:
        """Take one encoded frame in."""
        if self._bytes > inbox_settings.SEND_BUDGET_BYTES:
            self.overfull = True
        else:
            self._frames.append(text)
            self._bytes += len(text)
        self._arrived.set()

    async def wait(self, seconds: float) -> list[str]:
        """What has arrived, waiting for the first at most so long; empty when nothing has."""
        if not self._frames:
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        taken = list(self._frames)
        self._frames.clear()
        self._bytes = 0
        return taken
