"""Back-pressure for Daphne, which has none of its own in either direction.

Without it one client that stops reading makes the process hold hundreds of megabytes for it; one
that floods meets the ``ReadQueue``.
"""

from __future__ import annotations

import asyncio

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class SendPressure:
    """Told by the transport when its buffer is full and when it has drained."""

    # An idle socket holds no asyncio.Event: it is made of an empty deque.
    __slots__ = ("_room",)

    def __init__(self) -> None:
        self._room: asyncio.Event | None = None

    @property
    def full(self) -> bool:
        """Whether a writer should wait."""
        return self._room is not None

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
