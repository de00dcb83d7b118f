"""A worker's own view of its claim: whether it may still speak without asking the database."""

from __future__ import annotations

import asyncio
import time

from bots.actions.leases import Beat, Claim, renew
from bots.conf import bots_settings
from inbox.database import in_thread

PAUSE_SECONDS = 0.1
QUIET_SECONDS = 1.0
"""How long a worker waits for the take-over that it was told of; mostly that ends it."""


class LostClaimError(Exception):
    """Somebody else has the turn or has ended it: say and write nothing more."""


class Lease:
    """One claim and until when it is good by this machine's clock.

    A process that was stopped for a minute wakes up in the middle of a sentence while another
    one has long said the rest. The clock that ran on meanwhile tells it to ask first.

    Args:
        since: ``time.monotonic()`` from before the claim.
    """

    def __init__(self, claim: Claim, since: float) -> None:
        self.claim = claim
        self._good_until = since + bots_settings.LEASE_SECONDS
        self._quiet_until = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the worker may speak: nobody else can have claimed or be ending the turn."""
        return self._quiet_until <= time.monotonic() < self._good_until

    def hush(self) -> None:
        """Somebody is about to end the turn: be quiet, and ask before saying more."""
        self._good_until = 0.0
        self._quiet_until = time.monotonic() + QUIET_SECONDS

    def extend(self, since: float) -> None:
        """The database renewed it; ``since`` is from before that was asked."""
        self._good_until = max(self._good_until, since + bots_settings.LEASE_SECONDS)

    async def confirm(self) -> None:
        """Ask the database whether the claim still holds, and renew it.

        Raises:
            LostClaimError: it does not.
        """
        while not self.is_good:
            await asyncio.sleep(max(0.0, self._quiet_until - time.monotonic()))
            since = time.monotonic()
            renewed = await in_thread(renew, [Beat(claim=self.claim)])
            if self.claim in renewed.lost:
                raise LostClaimError
            if self.claim in renewed.kept:
                self.extend(since)
            else:
                await asyncio.sleep(PAUSE_SECONDS)
