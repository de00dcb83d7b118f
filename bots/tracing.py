"""Where the reviewer reads how a bot's answer came about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.urls import NoReverseMatch, reverse

from bots.models import Turn

PREFIX = "t"
"""What the dedupe key of a bot's answer begins with; the turn's key follows."""


def trace_urls(dedupe_keys: Sequence[str]) -> dict[str, str]:
    """The admin's page of the turn behind each of these messages; empty without the admin."""
    keys = {turn: key for key in dedupe_keys if (turn := _turn_key(key)) is not None}
    turns = Turn.objects.filter(key__in=keys).values_list("pk", "key")
    try:
        return {
            keys[key]: reverse("admin:frontdesk_bots_turn_change", args=[pk]) for pk, key in turns
        }
    except NoReverseMatch:
        return {}


def _turn_key(dedupe_key: str) -> uuid.UUID | None:
    if not dedupe_key.startswith(PREFIX):
        return None
    try:
        return uuid.UUID(dedupe_key.removeprefix(PREFIX))
    except ValueError:
        return None
