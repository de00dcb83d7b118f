"""Full-text search over what was said and who said it, with each database's own index.

SQLite has two FTS5 tables kept by triggers, PostgreSQL two GIN indexes, that of the messages on
a stored column; all are made by ``migrations/0002_search.py``. Knows nothing of who may see what.
"""

from __future__ import annotations

import re
import uuid

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

MAX_WORDS = 8
MAX_CHARS = 200

SEPARATORS = "@.,:;/_-+()<>?!#&="
"""PostgreSQL's parser keeps addresses and paths whole; these signs part words as in FTS5."""

MESSAGE_TEXT = f"translate(content, '{SEPARATORS}', repeat(' ', {len(SEPARATORS)}))"
VISITOR_TEXT = MESSAGE_TEXT.replace("content", "name || ' ' || email")

NEWEST_MESSAGES = 2_000
"""A search looks at so many messages with its words at most, the newest ones: whoever looks for a
word that stands in every second message wants the latest, and nobody waits for all of them."""
NEWEST_VISITORS = 500
MIN_BEGINNING = 3
"""Shorter words match whole: half of all words begin with some two letters."""
WALKED_MESSAGES = 100_000
ENOUGH_MESSAGES = 500
"""PostgreSQL compares so many messages one by one, from the newest back. Only where those do not
hold enough with the words it asks its index, which knows no order of time: there it reads every
message with any of the words, and for words that are common each this takes ten times as long."""

SQLITE = f"""
SELECT conversation_id FROM frontdesk_inbox_event WHERE id IN (
    SELECT rowid FROM frontdesk_inbox_message_search
    WHERE frontdesk_inbox_message_search MATCH %s ORDER BY rowid DESC LIMIT {NEWEST_MESSAGES})
UNION
SELECT id FROM frontdesk_inbox_conversation WHERE visitor_id IN (
    SELECT rowid FROM frontdesk_inbox_visitor_search
    WHERE frontdesk_inbox_visitor_search MATCH %s ORDER BY rowid DESC LIMIT {NEWEST_VISITORS})
"""  # noqa: S608 -- constants only
SQLITE_VISITORS = f"""
SELECT rowid FROM frontdesk_inbox_visitor_search
WHERE frontdesk_inbox_visitor_search MATCH %s ORDER BY rowid DESC LIMIT {NEWEST_VISITORS}
"""  # noqa: S608 -- constants only
POSTGRESQL_VISITORS = f"""
SELECT id FROM frontdesk_inbox_visitor
WHERE to_tsvector('simple', {VISITOR_TEXT}) @@ to_tsquery('simple', %s)
ORDER BY id DESC LIMIT {NEWEST_VISITORS}
"""  # noqa: S608 -- constants only
KNOWN_VISITOR = """
SELECT id FROM frontdesk_inbox_visitor WHERE external_id = %s AND external_id > '' UNION
"""

POSTGRESQL = f"""
SELECT unnest(
    newest.ids
    || CASE WHEN cardinality(newest.ids) < {ENOUGH_MESSAGES} THEN ARRAY(
        SELECT conversation_id FROM (
            SELECT conversation_id, created_at FROM frontdesk_inbox_message
            WHERE search @@ to_tsquery('simple', %s) OFFSET 0) of_any_time
        ORDER BY created_at DESC LIMIT {NEWEST_MESSAGES}) END
    || ARRAY(
        SELECT id FROM frontdesk_inbox_conversation
        WHERE visitor_id = ANY (ARRAY({POSTGRESQL_VISITORS}))))
FROM (SELECT ARRAY(
    SELECT conversation_id FROM (
        SELECT conversation_id, search FROM frontdesk_inbox_message
        ORDER BY created_at DESC LIMIT {WALKED_MESSAGES}) walked
    WHERE search @@ to_tsquery('simple', %s) LIMIT {NEWEST_MESSAGES}) AS ids OFFSET 0) newest
"""  # noqa: S608 -- constants only
"""As arrays: for a list of unknown length the planner would rather read the whole table of
conversations than look each of them up, and what CASE does not need is not read at all."""


def words_of(text: str) -> list[str]:
    """The words that are looked for: letters and digits alone, so no operator gets through."""
    return re.findall(r"[^\W_]+", text[:MAX_CHARS].replace("\x00", " "))[:MAX_WORDS]


def matching(text: str) -> Q:
    """Conversations in which one message, or the visitor's name or address, has all the words.

    Each word of three letters or more matches by its beginning. Text without a word matches
    nothing; the id of a conversation matches that one.
    """
    with_id = _with_id(text)
    words = words_of(text)
    if with_id is not None:
        return with_id
    if not words:
        return Q(pk__in=[])
    if connection.vendor == "sqlite":
        query = _sqlite_query(words)
        return Q(pk__in=RawSQL(SQLITE, [query, query]))  # noqa: S611 -- parameters bound
    if connection.vendor == "postgresql":
        query = _postgresql_query(words)
        return Q(pk__in=RawSQL(POSTGRESQL, [query] * 3))  # noqa: S611 -- parameters bound
    return _scanned(words)


def visitors_matching(text: str) -> Q:
    """Visitors whose name or address has all the words, or whom the host knows by this text."""
    known, words = text.strip(), words_of(text)
    if words and connection.vendor == "sqlite":
        sql = f"{KNOWN_VISITOR} SELECT rowid FROM ({SQLITE_VISITORS}) named"  # noqa: S608
        return Q(pk__in=RawSQL(sql, [known, _sqlite_query(words)]))  # noqa: S611
    if words and connection.vendor == "postgresql":
        sql = f"{KNOWN_VISITOR} SELECT id FROM ({POSTGRESQL_VISITORS}) named"  # noqa: S608
        return Q(pk__in=RawSQL(sql, [known, _postgresql_query(words)]))  # noqa: S611
    exactly = Q(external_id=known, external_id__gt="")
    return exactly | _named(words, "") if words else exactly


def _by_beginning(word: str) -> bool:
    return len(word) >= MIN_BEGINNING or not word.isascii()


def _sqlite_query(words: list[str]) -> str:
    return " ".join(f'"{word}"*' if _by_beginning(word) else f'"{word}"' for word in words)


def _postgresql_query(words: list[str]) -> str:
    return " & ".join(f"{word}:*" if _by_beginning(word) else word for word in words)


def _named(words: list[str], visitor: str) -> Q:
    name = Q()
    for word in words:
        name &= Q(**{f"{visitor}name__icontains": word}) | Q(**{f"{visitor}email__icontains": word})
    return name


def _scanned(words: list[str]) -> Q:
    """Databases without an index of ours: correct, not fast."""
    return _named(words, "visitor__") | Q(messages__content__icontains=" ".join(words))


def _with_id(text: str) -> Q | None:
    try:
        return Q(pk=uuid.UUID(text.strip()))
    except ValueError:
        return None
