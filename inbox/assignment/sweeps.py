"""What comes due by time alone: ended leases and snoozes, and a queue that missed its drain."""

from __future__ import annotations

import threading
import time

from django.utils import timezone

from inbox.actions.presence import expire_presence
from inbox.actions.transitions import wake
from inbox.assignment.attendance import tell_presence
from inbox.assignment.queue import drain_now
from inbox.database import in_thread
from inbox.models import Conversation, Status

PAUSE_SECONDS = 1.5
"""Shortest time between two sweeps of one process, however often the runner is woken."""


class Sweeps:
    """A work source whose one item is the sweep itself; doing it twice at once is harmless."""

    name = "sweeps"
    concurrency = 1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = float("-inf")

    def enabled(self) -> bool:
        """Every process that runs due work sweeps."""
        return True

    def claim(self, limit: int) -> list[str]:
        """``["sweep"]`` when something may be due."""
        with self._lock:
            if limit < 1 or time.monotonic() - self._last < PAUSE_SECONDS:
                return []
            self._last = time.monotonic()
        return ["sweep"]

    async def run(self, item: str) -> None:
        """Sweep in a database thread."""
        await in_thread(sweep)


def sweep() -> None:
    """Expire leases, wake what was snoozed, tell presence, drain; cheap when nothing is due."""
    expire_presence()
    wake_snoozed()
    tell_presence()
    if Conversation.objects.queued().exists():
        # Also with nobody there: who waits and came back by reload is told their place again.
        drain_now()


def wake_snoozed() -> int:
    """Open conversations whose snooze is over; returns how many."""
    due = Conversation.objects.filter(
        status=Status.SNOOZED, snoozed_until__lte=timezone.now()
    ).order_by("snoozed_until")
    return sum([wake(conversation_id=key) for key in due.values_list("id", flat=True)])
