"""Template tags of the operators' page: icons, initials and safe text."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from django import template
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inbox import richtext
from inbox.icons import ICONS

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 20) -> SafeString:
    """One icon of the set, hidden from screen readers; the text beside it says what it means."""
    return format_html(
        '<svg class="icon" viewBox="0 0 20 20" width="{}" height="{}" fill="none"'
        ' stroke="currentColor" stroke-width="1.5" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true"><path d="{}"/></svg>',
        size,
        size,
        ICONS[name],
    )


@register.filter
def initials(name: str) -> str:
    """Up to two letters for a face without a picture."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
    return "".join(letters).upper() or "?"


@register.filter
def moment(value: Any) -> dt.datetime | None:
    """A wire timestamp as a datetime."""
    return value if isinstance(value, dt.datetime) else parse_datetime(str(value))


@register.filter
def markdown(text: str) -> SafeString:
    """Words of a bot or an operator."""
    return richtext.markdown(text or "")


@register.filter
def plain(text: str) -> SafeString:
    """Words of a visitor."""
    return richtext.plain(text or "")


@register.filter
def web_address(url: str) -> str:
    """The address if a link may go there, else nothing: visitors' pages name their own.

    A path of this site is one too; ``//host`` and ``/\\host`` are other sites in disguise.
    """
    text = str(url)
    own = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if own or text.lower().startswith(("http://", "https://")) else ""
