"""A tool that changes something outside: every call leaves a line in a file."""

from __future__ import annotations

import os
from pathlib import Path

from bots.tools import tool

BOOK = "charges"


@tool(side_effect=True)
def charge(token: str) -> str:
    """Charge a card once. token: what the charge is for."""
    with (Path(os.environ["FAULTS_DIR"]) / BOOK).open("a") as book:
        # One short append is one write: lines of two processes do not mix.
        book.write(f"{token}\n")
    return f"Charged for {token}."


def charges(folder: Path) -> list[str]:
    """What was charged so far."""
    book = folder / BOOK
    return book.read_text().split() if book.exists() else []
