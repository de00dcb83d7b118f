"""Tells visitors in a conversation whether somebody is there, when that changes."""

from __future__ import annotations

import datetime as dt
import logging
from threading import Lock
from typing import Any

from django.db import transaction
from django.utils import timezone

from inbox.conf import inbox_settings
from inbox.models import Conversation, Operator, Status
from inbox.outages import tell
from inbox.realtime.batches import Batch, Ephemeral
from inbox.realtime.publish import publish

logger = logging.getLogger("frontdesk.presence")

RECENT = dt.timedelta(hours=1)
MOST_CONVERSATIONS = 500
MOST_NAMES = 5

Attendance = tuple[tuple[Operator, frozenset[int]], ...]

_told: frozenset[tuple[int, frozenset[int]]] | None = None
_told_lock = Lock()


def tell_presence_soon() -> None:
    """Tell it after the present transaction; trouble is logged, the sweep repeats it."""
    transaction.on_commit(_tell_logged)


def tell_presence() -> bool:
    """Send ``presence`` to recent open conversations if other people are there than before.

    What was told is remembered per process; two processes may tell the same change twice.

    Returns:
        Whether anything had changed.
    """
    global _told
    present = _attendance()
    key = frozenset((operator.pk, teams) for operator, teams in present)
    with _told_lock:
        if key == _told:
            return False
        _told = key
    rows = Conversation.objects.filter(
        status=Status.OPEN, updated_at__gte=timezone.now() - RECENT
    ).order_by("-updated_at", "-id")
    frames = [
        Ephemeral(str(conversation_id), presence_frame(present, team_id), audience="visitor")
        for conversation_id, team_id in rows.values_list("id", "team_id")[:MOST_CONVERSATIONS]
    ]
    if frames:
        publish(Batch(ephemerals=frames))
    return True


def presence_frame(present: Attendance, team_id: int | None) -> dict[str, Any]:
    """The wire's ``presence`` for a conversation of this team, or of none."""
    here = [operator for operator, teams in present if team_id is None or team_id in teams]
    frame: dict[str, Any] = {"type": "presence", "online": bool(here)}
    if here:
        frame["operators"] = [_card(operator) for operator in here[:MOST_NAMES]]
    return frame


def _card(operator: Operator) -> dict[str, str]:
    card = {"name": operator.name}
    if operator.avatar_url:
        card["avatar"] = operator.avatar_url
    return card


def _attendance() -> Attendance:
    rows = Operator.objects.present(timezone.now(), inbox_settings.PRESENCE_LEASE_SECONDS)
    return tuple(
        (operator, frozenset(team.pk for team in operator.teams.all()))
        for operator in rows.select_related("user").prefetch_related("teams").order_by("pk")
    )


def _tell_logged() -> None:
    try:
        tell_presence()
    except Exception as error:
        tell(logger, "telling presence failed; the next sweep tries again", error)
