"""Turns in ``frontdesk worker`` processes alone."""

from __future__ import annotations

from bots.dispatchers.base import SOURCE, Dispatcher
from inbox.process import role
from inbox.runner import wake


class WorkerDispatcher(Dispatcher):
    """Servers only serve; workers hear of new messages over the bus and sweep besides."""

    def claims_here(self) -> bool:
        """Only in a worker."""
        return role() == "worker"

    def wake(self) -> None:
        """Look now, if a worker itself stored the message; the others hear of it."""
        wake(SOURCE)
