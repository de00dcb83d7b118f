"""The heartbeats of all sockets of an event loop, from one timer."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from inbox.conf import inbox_settings

logger = logging.getLogger("frontdesk.socket")

SLOTS = 25
"""Parts of a heartbeat's period; the sockets are spread over them."""


class Beating(Protocol):
    """Something that gives a sign of life."""

    def beat(self) -> None:
        """Give one now."""


class Heartbeats:
    """Lets everybody who has joined beat once in each period, not all at the same moment."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: list[set[Beating]] = [set() for _ in range(SLOTS)]
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None

    def join(self, member: Beating) -> None:
        """Begin; the first heartbeat comes a whole period from now."""
        self._slots[self._next - 1].add(member)
        if self._timer is None:
            self._schedule()

    def leave(self, member: Beating) -> None:
        """End."""
        for slot in self._slots:
            slot.discard(member)
        if self._timer is not None and not any(self._slots):
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        seconds = inbox_settings.HEARTBEAT_SECONDS / SLOTS
        self._timer = self._loop.call_later(seconds, self._beat)

    def _beat(self) -> None:
        self._schedule()
        due = tuple(self._slots[self._next])
        self._next = (self._next + 1) % SLOTS
        for member in due:
            try:
                member.beat()
            except Exception:
                logger.exception("a heartbeat could not be sent")


_heartbeats: dict[asyncio.AbstractEventLoop, Heartbeats] = {}


def heartbeats() -> Heartbeats:
    """Those of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _heartbeats.get(loop)
    if found is None:
        for old in [known for known in _heartbeats if known.is_closed()]:
            del _heartbeats[old]
        found = _heartbeats[loop] = Heartbeats(loop)
    return found
