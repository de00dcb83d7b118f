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

    # An idle socket holds no asyncio.Event and no asyncio.Queue: theirs are 4 KB of empty deques.
    __slots__ = ("_room",)

    def __init__(self) -> None:
        self._room: asyncio.Event | None = None

    def pauseProducing(self) -> None:
        """More than the transport's buffer size waits for the peer to read."""
        if self._room is None:
            self._room = asyncio.Event()

    def resumeProducing(self) -> None:
        """The buffer has drained."""
        if self._room is not None:
            self._room.set()
            self._room = None

    def stopProducing(self) -> None:
        """The connection is gone: nobody needs to wait any more."""
        self.resumeProducing()

    async def room(self) -> None:
        """Return when the transport takes more."""
        if self._room is not None:
            await self._room.wait()


class ReadQueue:
    """The application's events; a long queue stops reading from the socket.

    As much of ``asyncio.Queue`` as Daphne and one application need.
    """

    __slots__ = ("_arrived", "_events", "_paused", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._events: list[dict[str, Any]] = []
        self._arrived: asyncio.Future[None] | None = None
        self._paused = False

    def put_nowait(self, item: dict[str, Any]) -> None:
        """Take an event of the socket."""
        self._events.append(item)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
        if len(self._events) >= MOST_WAITING and not self._paused:
            self._paused = True
            self._transport.pauseProducing()

    async def get(self) -> dict[str, Any]:
        """The next event; reading goes on when few are left."""
        while not self._events:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        item = self._events.pop(0)
        if self._paused and len(self._events) <= RESUME_AT:
            self._paused = False
            self._transport.resumeProducing()
        return item
