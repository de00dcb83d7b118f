"""Turns on the event loop of every server process; nothing else needs to run."""

from __future__ import annotations

from bots.dispatchers.base import SOURCE, Dispatcher
from inbox.runner import wake


class EmbeddedDispatcher(Dispatcher):
    """The process that stored the message mostly answers it too."""

    def claims_here(self) -> bool:
        """Servers and workers alike."""
        return True

    def wake(self) -> None:
        """Look now."""
        wake(SOURCE)
