"""How turns end, counted where it is written: whoever ends one, a worker or a transition."""

from __future__ import annotations

from django.db import transaction

from inbox.realtime import metrics


def count_ends(outcome: str, number: int = 1) -> None:
    """Count ended turns once their transaction has committed."""
    counter = metrics.turns.labels(outcome)
    transaction.on_commit(lambda: counter.inc(number))
