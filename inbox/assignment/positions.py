"""Where each waiting visitor stands, and how long it may take."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from threading import Lock

from django.db.models import Sum
from django.utils import timezone

from inbox.conf import inbox_settings
from inbox.models import Conversation, HandledBy, Operator, Status
from inbox.realtime.batches import Batch, Ephemeral
from inbox.realtime.publish import publish

Position = tuple[int, int | None]
"""Place in the line from 1, and seconds that it may take, or None when nobody can tell."""

LINE_LENGTH = 500
"""Visitors further back are not told a position."""

SAMPLE = 20
FEWEST_SAMPLES = 3
REPEAT_SECONDS = 10.0
"""The same position is told again after this long, should another process have told another."""

_told: dict[str, tuple[Position, float]] = {}
_told_lock = Lock()


def queue_positions(
    conversation_ids: Collection[uuid.UUID] | None = None,
) -> dict[uuid.UUID, Position]:
    """Position and estimate of waiting conversations; others are left out.

    Args:
        conversation_ids: whose; None for all of the line.
    """
    waiting = list(Conversation.objects.queued().values_list("id", "team_id")[:LINE_LENGTH])
    wanted = None if conversation_ids is None else set(conversation_ids)
    places = {
        conversation_id: place
        for conversation_id, place in places_in_line(waiting).items()
        if wanted is None or conversation_id in wanted
    }
    if not places:
        return {}
    durations, slots = _recent_durations(), _slots()
    return {key: (place, estimate(place, durations, slots)) for key, place in places.items()}


def places_in_line(
    waiting: Iterable[tuple[uuid.UUID, int | None]],
) -> dict[uuid.UUID, int]:
    """Each conversation's place among those that compete for the same people.

    A team's conversation waits behind that team's and those of no team; one of no team waits
    behind everybody.
    """
    ahead: Counter[int | None] = Counter()
    places = {}
    for conversation_id, team_id in waiting:
        before = sum(ahead.values()) if team_id is None else ahead[team_id] + ahead[None]
        places[conversation_id] = before + 1
        ahead[team_id] += 1
    return places


def estimate(place: int, durations: Sequence[float], slots: int) -> int | None:
    """Seconds until it is one's turn, in steps of ten: how long recent conversations took,
    shared by all places that present operators have. None without people or experience."""
    if slots <= 0 or len(durations) < FEWEST_SAMPLES:
        return None
    typical = sorted(durations)[len(durations) // 2]
    return max(10, round(place * typical / slots / 10) * 10)


def publish_positions() -> None:
    """Tell those who wait where they stand now, if it is not what they were told last."""
    positions = {str(key): value for key, value in queue_positions().items()}
    now = time.monotonic()
    frames = []
    with _told_lock:
        for key in [key for key in _told if key not in positions]:
            del _told[key]
        for key, position in positions.items():
            before = _told.get(key)
            if before and before[0] == position and now - before[1] < REPEAT_SECONDS:
                continue
            _told[key] = (position, now)
            frames.append(Ephemeral(key, queue_frame(position), audience="visitor"))
    if frames:
        publish(Batch(ephemerals=frames))


def queue_frame(position: Position) -> dict[str, object]:
    """The wire's ``queue`` frame."""
    place, seconds = position
    frame: dict[str, object] = {"type": "queue", "position": place}
    if seconds is not None:
        frame["estimate_seconds"] = seconds
    return frame


def _recent_durations() -> list[float]:
    """How long the latest conversations that a person answered took, in seconds."""
    a_day_ago = timezone.now() - dt.timedelta(days=1)
    rows = Conversation.objects.filter(
        status=Status.CLOSED,
        handled_by=HandledBy.NOBODY,
        last_operator__isnull=False,
        closed_at__gte=a_day_ago,
        # Closing is a change: the lists' index ends the search where the day ends.
        updated_at__gte=a_day_ago,
    ).order_by("-updated_at", "-id")
    return [
        (closed_at - created_at).total_seconds()
        for created_at, closed_at in rows.values_list("created_at", "closed_at")[:SAMPLE]
        if closed_at is not None
    ]


def _slots() -> int:
    present = Operator.objects.present(timezone.now(), inbox_settings.PRESENCE_LEASE_SECONDS)
    return present.aggregate(total=Sum("capacity"))["total"] or 0
