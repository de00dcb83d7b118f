"""What a client sent before it could know of a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Event = dict[str, Any]
MOST_HELD = 64


class Arrivals:
    """A socket's events in order.

    When trouble of ours refuses a message, what waits behind it was written before its sender
    could know, and they may never read the refusal, because the line is broken. Taken then, it
    would overtake the refused message for good. ``behind`` tells that an event is such a one.
    """

    def __init__(self, receive: Callable[[], Awaitable[Event]]) -> None:
        self._receive = receive
        self._held: list[Event] = []
        self._next: asyncio.Future[Event] | None = None
        self.behind = False

    async def __call__(self) -> Event:
        """The next event."""
        self.behind = bool(self._held)
        if self._held:
            return self._held.pop(0)
        if self._next is not None:
            event, self._next = self._next, None
            return await event
        return await self._receive()

    async def hold_back(self) -> None:
        """Take in what waits already; called before the refusal is told."""
        while self._next is None and len(self._held) < MOST_HELD and not self._is_over():
            event = asyncio.ensure_future(self._receive())
            await asyncio.sleep(0)  # one step is enough for what is there
            if event.done():
                self._held.append(event.result())
            else:
                self._next = event

    def _is_over(self) -> bool:
        """Behind the disconnect nothing comes: whoever waited for it would wait for ever."""
        return bool(self._held) and self._held[-1]["type"] == "websocket.disconnect"
