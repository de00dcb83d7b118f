"""Turns as work for the runner: what this process claims, and when it leaves it to others."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bots.actions import leases
from bots.conf import bots_settings
from bots.dispatchers import SOURCE, dispatcher
from bots.models import Turn
from bots.running.run import Run


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed turn, and the time from before its claim."""

    turn: Turn
    since: float


class TurnSource:
    """Bots' turns as a ``WorkSource``; declared by the app's configuration."""

    name = SOURCE

    @property
    def concurrency(self) -> int:
        """Turns that one process runs at once."""
        return bots_settings.CONCURRENCY

    def enabled(self) -> bool:
        """Whether this process runs turns."""
        return dispatcher().claims_here()

    def claim(self, limit: int) -> list[Claimed]:
        """Lease due turns."""
        since = time.monotonic()
        return [Claimed(turn, since) for turn in leases.claim(limit, grace=dispatcher().grace)]

    async def run(self, item: Claimed) -> bool:
        """Answer, or end in another way."""
        await Run(item.turn, item.since).run()
        return item.turn.is_followed
