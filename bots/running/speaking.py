"""Which turns this process is answering, for other threads to ask."""

from __future__ import annotations

_keys: set[str] = set()


def begin(turn_key: str) -> None:
    """This process works on the turn from now on."""
    _keys.add(turn_key)


def end(turn_key: str) -> None:
    """It no longer does."""
    _keys.discard(turn_key)


def speaks_here(turn_key: str) -> bool:
    """Whether it does."""
    return turn_key in _keys
