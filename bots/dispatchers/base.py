"""What a dispatcher is asked."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Sequence

from bots.models import Turn

SOURCE = "turns"
"""Name of the work source that the runner wakes."""


class Dispatcher(ABC):
    """Brings turns to those who run them. Losing a message of its delays a turn, no more."""

    grace = dt.timedelta()
    """How long the runner's sweep leaves a waiting turn to somebody who was told of it."""

    @abstractmethod
    def claims_here(self) -> bool:
        """Whether the runner of this process claims turns."""

    def enqueue(self, turns: Sequence[Turn]) -> None:  # noqa: B027 -- rows alone are enough
        """Tell an engine of these turns, inside the transaction that stores them."""

    @abstractmethod
    def wake(self) -> None:
        """Called after that transaction."""
