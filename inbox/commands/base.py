"""What a part of `manage.py frontdesk` looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

Write = Callable[[str], object]


class Subcommand(ABC):
    """One verb: its name, its arguments, its work."""

    name: ClassVar[str]
    help: ClassVar[str]
    failure: ClassVar[str] = "It did not work."

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027 -- most need none
        """Arguments beside Django's own; none by default."""

    @abstractmethod
    def run(self, options: Mapping[str, Any], write: Write) -> int:
        """Do it, telling a person through `write`; 0 means that it worked."""
