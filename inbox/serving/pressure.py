"""Back-pressure for Daphne, which has none of its own in either direction.

Without it one client that stops reading, or floods, makes the process hold hundreds of
megabytes for it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

MOST_WAITING = 64
"""Client frames that may wait for their application before reading pauses."""
RESUME_AT = 16


@implementer(IPushProducer)
class SendPressure:
    """Told by the transport when its buffer is full and when it has drained."""

    def __init__(self) -> None:
        self._room = asyncio.Event()
        self._room.set()

    def pauseProducing(self) -> None:
        """More than the transport's buffer size waits for the peer to read."""
        self._room.clear()

    def resumeProducing(self) -> None:
        """The buffer has drained."""
        self._room.set()

    def stopProducing(self) -> None:
        """The connection is gone: nobody needs to wait any more."""
        self._room.set()

    async def room(self) -> None:
        """Return when the transport takes more."""
        await self._room.wait()


class ReadQueue(asyncio.Queue[dict[str, Any]]):
    """The application's events; a long queue stops reading from the socket."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self._transport = transport
        self._paused = False

    def put_nowait(self, item: dict[str, Any]) -> None:
        """Take an event of the socket."""
        super().put_nowait(item)
        if self.qsize() >= MOST_WAITING and not self._paused:
            self._paused = True
            self._transport.pauseProducing()

    async def get(self) -> dict[str, Any]:
        """The next event; reading goes on when few are left."""
        item = await super().get()
        if self._paused and self.qsize() <= RESUME_AT:
            self._paused = False
            self._transport.resumeProducing()
        return item
