"""The full-text index of each database: which passages hold any of some terms, best first.

It is the only module that knows the vendors. Terms reach a query as quoted parameters only, and
hold letters and digits only; no query syntax can come from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import NotSupportedError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from bots.knowledge.terms import base_language
from bots.models import Passage

_SQLITE = """
    SELECT passage.id FROM frontdesk_bots_passage_index
    JOIN frontdesk_bots_passage AS passage ON passage.id = frontdesk_bots_passage_index.rowid
    JOIN frontdesk_bots_article AS article ON article.id = passage.article_id
    WHERE article.published AND (article.language = %s OR article.language LIKE %s)
    AND (json_array_length(article.widget_keys) = 0 OR EXISTS (
        SELECT 1 FROM json_each(article.widget_keys) WHERE json_each.value = %s))
    AND frontdesk_bots_passage_index MATCH %s
    ORDER BY bm25(frontdesk_bots_passage_index, 3.0, 1.0), passage.id LIMIT %s
"""
_POSTGRESQL = """
    SELECT passage.id FROM frontdesk_bots_passage AS passage
    JOIN frontdesk_bots_article AS article ON article.id = passage.article_id
    WHERE article.published AND (article.language = %s OR article.language LIKE %s)
    AND (article.widget_keys = '[]'::jsonb OR article.widget_keys @> to_jsonb(%s::text))
    AND passage.search @@ %s::tsquery
    ORDER BY ts_rank(passage.search, %s::tsquery) DESC, passage.id LIMIT %s
"""

_SQLITE_ARTICLES = """
    SELECT DISTINCT article_id FROM frontdesk_bots_passage WHERE id IN (
        SELECT rowid FROM frontdesk_bots_passage_index
        WHERE frontdesk_bots_passage_index MATCH %s LIMIT %s)
"""
_POSTGRESQL_ARTICLES = """
    SELECT DISTINCT article_id FROM (
        SELECT article_id FROM frontdesk_bots_passage WHERE search @@ %s::tsquery LIMIT %s) found
"""


def candidates(
    terms: Sequence[str], *, language: str, widget_key: str = "", limit: int = 60
) -> list[int]:
    """Ids of published passages of a language that hold any of the terms, best first.

    Args:
        terms: index terms; none gives no passage.
        widget_key: articles kept for other widgets are left out by the query itself.

    Raises:
        NotSupportedError: the database is neither SQLite nor PostgreSQL.
    """
    if not terms:
        return []
    base = base_language(language)
    scope: list[str | int] = [base, f"{base}-%", widget_key]
    connection = connections[router.db_for_read(Passage)]
    with connection.cursor() as cursor:
        if _vendor(connection) == "sqlite":
            match = " OR ".join(f'"{_quoted(term)}"' for term in terms)
            cursor.execute(_SQLITE, [*scope, match, limit])
        else:
            match = " | ".join(f"'{_quoted(term)}'" for term in terms)
            cursor.execute(_POSTGRESQL, [*scope, match, match, limit])
        return [row[0] for row in cursor.fetchall()]


def articles_with(choices: Iterable[Sequence[str]], limit: int = 2_000) -> list[int]:
    """Ids of articles, unpublished ones too, with a passage that holds all terms of one choice."""
    wanted = [terms for terms in choices if terms]
    if not wanted:
        return []
    connection = connections[router.db_for_read(Passage)]
    with connection.cursor() as cursor:
        if _vendor(connection) == "sqlite":
            groups = [" AND ".join(f'"{_quoted(term)}"' for term in terms) for terms in wanted]
            cursor.execute(_SQLITE_ARTICLES, [" OR ".join(f"({g})" for g in groups), limit])
        else:
            groups = [" & ".join(f"'{_quoted(term)}'" for term in terms) for terms in wanted]
            cursor.execute(_POSTGRESQL_ARTICLES, [" | ".join(f"({g})" for g in groups), limit])
        return [row[0] for row in cursor.fetchall()]


def add(passages: Iterable[Passage]) -> None:
    """Index new passages, inside the caller's transaction. PostgreSQL does it by itself.

    A row that stands there already is left from before ``manage.py flush`` or a script of the
    site's own, which empty the passages, give their numbers again and know nothing of the index.
    """
    connection = connections[router.db_for_write(Passage)]
    if _vendor(connection) == "sqlite":
        rows = [(row.pk, row.heading_terms, row.body_terms) for row in passages]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT OR REPLACE INTO frontdesk_bots_passage_index"
                " (rowid, heading_terms, body_terms) VALUES (%s, %s, %s)",
                rows,
            )


def remove(ids: Iterable[int]) -> None:
    """Forget passages that are about to be deleted, inside the caller's transaction."""
    connection = connections[router.db_for_write(Passage)]
    if _vendor(connection) == "sqlite":
        with connection.cursor() as cursor:
            cursor.executemany(
                "DELETE FROM frontdesk_bots_passage_index WHERE rowid = %s", [(pk,) for pk in ids]
            )


def clear() -> None:
    """Forget everything, before the whole index is made anew."""
    connection = connections[router.db_for_write(Passage)]
    if _vendor(connection) == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM frontdesk_bots_passage_index")


def _quoted(term: str) -> str:
    """A term inside quotes of either kind; terms hold no quote, this makes sure of it."""
    return "".join(letter for letter in term if letter not in "\"'\\\x00")


def _vendor(connection: BaseDatabaseWrapper) -> str:
    if connection.vendor not in {"sqlite", "postgresql"}:
        raise NotSupportedError("Knowledge search needs SQLite or PostgreSQL.")
    return connection.vendor
