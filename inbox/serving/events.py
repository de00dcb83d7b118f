"""What a socket's client sent and its application has not taken yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

MOST_WAITING = 64
"""Client frames that may wait for their application before reading pauses."""
RESUME_AT = 16
MOST_CHARS = 65_536
"""So much text pauses reading too, however few the frames are."""


class ReadQueue:
    """The application's events; a long queue stops reading from the socket.

    As much of ``asyncio.Queue`` as a server and one application need: that one holds 3 KB of
    empty deques for an idle socket.
    """

    __slots__ = ("_arrived", "_chars", "_events", "_pause", "_paused", "_resume")

    def __init__(self, pause: Callable[[], Any], resume: Callable[[], Any]) -> None:
        self._pause, self._resume = pause, resume
        self._events: list[dict[str, Any]] = []
        self._arrived: asyncio.Future[None] | None = None
        self._paused = False
        self._chars = 0

    def put_nowait(self, item: dict[str, Any]) -> None:
        """Take an event of the socket."""
        self._events.append(item)
        self._chars += _size(item)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
        if not self._paused and (len(self._events) >= MOST_WAITING or self._chars >= MOST_CHARS):
            self._paused = True
            self._pause()

    async def get(self) -> dict[str, Any]:
        """The next event; reading goes on when few are left."""
        while not self._events:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        item = self._events.pop(0)
        self._chars -= _size(item)
        if self._paused and len(self._events) <= RESUME_AT and self._chars < MOST_CHARS:
            self._paused = False
            self._resume()
        return item


def _size(event: dict[str, Any]) -> int:
    return len(event.get("text") or event.get("bytes") or "")
