"""Keeps the number of passages per term, in the transaction that changes the passages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db import connections, router

from bots.models import Passage, Term

TERMS_PER_STATEMENT = 500
"""SQLite takes only so many parameters in one statement."""


def counted(passages: Iterable[Passage]) -> Counter[str]:
    """In how many of these passages each term stands."""
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update({*passage.heading_terms.split(), *passage.body_terms.split()})
    return counts


def change(language: str, before: Counter[str], after: Counter[str]) -> None:
    """Move the counts of a base language from one set of passages to another.

    Rows are touched in the order of their terms, so that two articles saved at once wait for
    each other instead of deadlocking.
    """
    difference = Counter(after)
    difference.subtract(before)
    rows = sorted((language, term, number) for term, number in difference.items() if number)
    with connections[router.db_for_write(Term)].cursor() as cursor:
        cursor.executemany(
            "INSERT INTO frontdesk_bots_term (language, term, passages) VALUES (%s, %s, %s)"
            " ON CONFLICT (language, term) DO UPDATE"
            " SET passages = frontdesk_bots_term.passages + excluded.passages",
            rows,
        )
    fewer = [term for _, term, number in rows if number < 0]
    for start in range(0, len(fewer), TERMS_PER_STATEMENT):
        part = fewer[start : start + TERMS_PER_STATEMENT]
        Term.objects.filter(language=language, term__in=part, passages__lte=0).delete()
