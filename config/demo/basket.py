"""The basket: lamps and how many of each, kept in the session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from config.demo.catalogue import BY_SLUG, Lamp

KEY = "basket"
MOST = 9


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one lamp."""

    lamp: Lamp
    count: int

    @property
    def total(self) -> Decimal:
        return self.lamp.price * self.count


class Basket:
    """Reads and changes the basket of one session; reading alone makes no cookie."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._counts: dict[str, int] = session.get(KEY, {})

    def __iter__(self) -> Iterator[Line]:
        for slug, count in self._counts.items():
            if slug in BY_SLUG:
                yield Line(BY_SLUG[slug], count)

    def __len__(self) -> int:
        return sum(line.count for line in self)

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self), Decimal())

    def add(self, lamp: Lamp) -> None:
        """One more, up to nine."""
        self._store({**self._counts, lamp.slug: min(self._counts.get(lamp.slug, 0) + 1, MOST)})

    def remove(self, lamp: Lamp) -> None:
        """None of it any more."""
        self._store({slug: n for slug, n in self._counts.items() if slug != lamp.slug})

    def _store(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self._session[KEY] = counts
