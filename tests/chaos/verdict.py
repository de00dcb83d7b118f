"""What a run was worth: the clients' notes beside the journal. Pure functions over values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from tests.chaos.view import Frame


@dataclass(frozen=True)
class Verdict:
    """How often a promise was broken; everything must be 0."""

    lost: int = 0
    """Written, and not in the journal."""
    doubled: int = 0
    """More than once in the journal, or acknowledged with two numbers."""
    out_of_order: int = 0
    """Messages of one sender that do not stand where they were written. One that was refused
    counts as written when it is tried again, so it may stand later."""
    acked_but_missing: int = 0
    """Acknowledged with a number at which something else stands, or nothing."""
    holes: int = 0
    """Missing numbers in a journal."""
    differing_views: int = 0
    """Clients whose screen is not what a fresh fetch shows."""
    notes_shown: int = 0
    """Private notes that a visitor saw."""

    def __add__(self, other: Self) -> Verdict:
        return Verdict(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def is_clean(self) -> bool:
        return self == Verdict()


def judge_visitor(
    *,
    written: Mapping[str, str],
    acked: Mapping[str, int],
    contradicted: int,
    refused: Collection[str],
    shown: Sequence[Frame],
    journal: Sequence[Frame],
) -> Verdict:
    """One visitor's conversation.

    Args:
        written: `client_id` → text in the order of writing.
        acked: `client_id` → acknowledged number.
        contradicted: acknowledgements that named another number than before.
        refused: every `client_id` that was refused at least once.
        shown: durable frames on the visitor's screen, in order.
        journal: the same conversation, fetched afresh.
    """
    own = [frame for frame in journal if frame.get("role") == "user"]
    stored = Counter(frame["client_id"] for frame in own)
    at = {frame["seq"]: frame for frame in journal}
    right = (
        client_id for client_id, seq in acked.items() if is_at(at.get(seq), client_id, written)
    )
    return Verdict(
        lost=sum(client_id not in stored for client_id in written),
        doubled=sum(count - 1 for count in stored.values()) + contradicted,
        out_of_order=displaced(
            [client_id for client_id in written if client_id in stored.keys() - set(refused)],
            [client_id for client_id in stored if client_id not in refused],
        ),
        acked_but_missing=len(acked) - len(list(right)),
        holes=holes(journal),
        differing_views=int(list(shown) != list(journal)),
        notes_shown=sum(frame.get("kind") == "note" for frame in [*shown, *journal]),
    )


def judge_desk(
    *,
    notes: Mapping[str, str],
    shown: Sequence[Frame],
    journal: Sequence[Frame],
) -> Verdict:
    """One conversation as operators see it; `notes` is what was written into it."""
    stored = Counter(f["client_id"] for f in journal if f.get("kind") == "note")
    return Verdict(
        lost=sum(client_id not in stored for client_id in notes),
        doubled=sum(count - 1 for count in stored.values()),
        holes=holes(journal),
        differing_views=int(list(shown) != list(journal)),
    )


def is_at(frame: Frame | None, client_id: str, written: Mapping[str, str]) -> bool:
    """Whether this frame is that message with the words it was written with."""
    return (
        frame is not None
        and frame.get("client_id") == client_id
        and frame.get("content") == written[client_id]
    )


def displaced(wanted: list[Any], found: list[Any]) -> int:
    """How many stand somewhere else than wanted."""
    return sum(one != other for one, other in zip(wanted, found, strict=False))


def holes(journal: Iterable[Frame]) -> int:
    """Numbers that are missing between 1 and the last, or that come twice."""
    numbers = [frame["seq"] for frame in journal]
    return displaced(list(range(1, len(numbers) + 1)), numbers)
