"""Cleaning of text from outside: the same answer on every database."""

from __future__ import annotations

import re

from inbox.conf import inbox_settings
from inbox.errors import RefusedError

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_LINE_MARK = re.compile(r"^[ \t]{0,3}(?:#{1,6} +|> ?|[-*+] +|\d{1,3}[.)] +)", re.MULTILINE)
_INLINE_MARK = re.compile(r"\*\*|__|`+|~~|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")


def check_text(text: str, field: str) -> None:
    """Refuse what PostgreSQL cannot store and SQLite would keep: NUL and lone surrogates."""
    if "\x00" in text:
        raise RefusedError("invalid_text", field=field)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RefusedError("invalid_text", field=field) from error


def check_content(content: str, *, may_be_empty: bool = False) -> None:
    """Refuse a message body that is blank, too long or cannot be stored; lengths in code points."""
    check_text(content, "content")
    if not may_be_empty and not content.strip():
        raise RefusedError("empty_message", field="content")
    if len(content) > inbox_settings.MAX_MESSAGE_CHARS:
        raise RefusedError("too_long", field="content")


def clip(text: str, limit: int) -> str:
    """One line of at most ``limit`` code points, without characters that cannot be stored."""
    safe = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    line = " ".join(safe.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_marks(markdown: str) -> str:
    """Markdown as the words that a list may show of it; never used where it is rendered."""
    return _INLINE_MARK.sub("", _LINE_MARK.sub("", _LINK.sub(r"\1", markdown)))
