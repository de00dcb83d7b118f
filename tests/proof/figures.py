"""What a proof is and what it hands over: figures, with the bound each has to hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

Value = float | int | str


@dataclass(frozen=True)
class Figure:
    """One measured or counted thing.

    Args:
        what: in words, such as "late words of the bot".
        value: the number or word found.
        unit: "ms", "MiB"; empty for a count.
        bound: what it must hold, as "0" or "<= 250"; empty when it is only told.
        holds: whether it does.
    """

    what: str
    value: Value
    unit: str = ""
    bound: str = ""
    holds: bool = True

    @classmethod
    def exactly(cls, what: str, value: Value, wanted: Value = 0, unit: str = "") -> Self:
        """A figure that must be just this, nothing unless said otherwise."""
        return cls(what, value, unit, str(wanted), value == wanted)

    @classmethod
    def at_most(cls, what: str, value: float, most: float, unit: str = "") -> Self:
        """A figure that must not be larger; what is infinite never came."""
        shown = "never" if math.isinf(value) else value
        return cls(what, shown, unit, f"<= {most:g}", value <= most)

    @classmethod
    def at_least(cls, what: str, value: float, least: float, unit: str = "") -> Self:
        """A figure that must not be smaller."""
        return cls(what, value, unit, f">= {least:g}", value >= least)


@dataclass(frozen=True)
class Scale:
    """How long a proof runs: 1.0 is the long form, less shortens it in proportion."""

    factor: float = 1.0

    def of(self, whole: int, least: int = 1) -> int:
        """That part of `whole`, and never less than `least`."""
        return max(least, round(whole * self.factor))


Run = Callable[[Scale], Iterator[Figure]]


@dataclass(frozen=True)
class Proof:
    """A named proof and the sentence it proves."""

    name: str
    promise: str
    run: Run


PROOFS: dict[str, Proof] = {}


def proof(name: str, promise: str) -> Callable[[Run], Run]:
    """Register a generator of figures under a name that `./dev proof NAME` runs."""

    def register(run: Run) -> Run:
        if name in PROOFS:
            raise ValueError(f"There are two proofs named {name!r}.")
        PROOFS[name] = Proof(name, promise, run)
        return run

    return register
