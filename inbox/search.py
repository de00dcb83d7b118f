"""Full-text search over what was said and who said it, with each database's own index.

SQLite has two FTS5 tables kept by triggers, PostgreSQL two GIN indexes on expressions; both
are made by ``migrations/0002_search.py``. Knows nothing of who may see what.
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

SQLITE_MESSAGES = """
SELECT e.conversation_id FROM frontdesk_inbox_event e
WHERE e.id IN (SELECT rowid FROM frontdesk_inbox_message_search
               WHERE frontdesk_inbox_message_search MATCH %s)
"""
SQLITE_VISITORS = """
SELECT rowid FROM frontdesk_inbox_visitor_search WHERE frontdesk_inbox_visitor_search MATCH %s
"""
POSTGRESQL_MESSAGES = f"""
SELECT conversation_id FROM frontdesk_inbox_message
WHERE to_tsvector('simple', {MESSAGE_TEXT}) @@ to_tsquery('simple', %s)
"""  # noqa: S608 -- constants only
POSTGRESQL_VISITORS = f"""
SELECT id FROM frontdesk_inbox_visitor
WHERE to_tsvector('simple', {VISITOR_TEXT}) @@ to_tsquery('simple', %s)
"""  # noqa: S608 -- constants only


def words_of(text: str) -> list[str]:
    """The words that are looked for: letters and digits alone, so no operator gets through."""
    return re.findall(r"[^\W_]+", text[:MAX_CHARS].replace("\x00", " "))[:MAX_WORDS]


def matching(text: str) -> Q:
    """Conversations in which one message, or the visitor's name or address, has all the words.

    Each word matches by its beginning. Text without a word matches nothing; the id of a
    conversation matches that one.
    """
    with_id = _with_id(text)
    words = words_of(text)
    if with_id is not None:
        return with_id
    if not words:
        return Q(pk__in=[])
    if connection.vendor == "sqlite":
        query = " ".join(f'"{word}"*' for word in words)
        return _found(SQLITE_MESSAGES, SQLITE_VISITORS, query)
    if connection.vendor == "postgresql":
        query = " & ".join(f"{word}:*" for word in words)
        return _found(POSTGRESQL_MESSAGES, POSTGRESQL_VISITORS, query)
    return _scanned(words)


def _found(messages: str, visitors: str, query: str) -> Q:
    return Q(pk__in=RawSQL(messages, [query])) | Q(visitor_id__in=RawSQL(visitors, [query]))  # noqa: S611 -- constants, parameters bound


def _scanned(words: list[str]) -> Q:
    """Databases without an index of ours: correct, not fast."""
    name = Q()
    for word in words:
        name &= Q(visitor__name__icontains=word) | Q(visitor__email__icontains=word)
    return name | Q(messages__content__icontains=" ".join(words))


def _with_id(text: str) -> Q | None:
    try:
        return Q(pk=uuid.UUID(text.strip()))
    except ValueError:
        return None
