"""Opening hours: pure functions over plain values, in the team's own time zone.

The clock on the team's wall decides. A stretch that a change of clocks skips or repeats is
skipped or repeated with it.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

LOOK_AHEAD_DAYS = 60
"""How far ``next_opening`` looks before it gives up."""

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Open from ``opens`` until just before ``closes``; ``closes`` ≤ ``opens`` is the next day.

    ``weekday`` is that of ``opens``, Monday is 0.
    """

    weekday: int
    opens: dt.time
    closes: dt.time

    @property
    def runs_past_midnight(self) -> bool:
        """Whether it ends on the day after it began; equal times are a whole day."""
        return self.closes <= self.opens


@dataclass(frozen=True, slots=True)
class TeamHours:
    """When a team is there. Without stretches it always is, holidays excepted."""

    time_zone: str = "UTC"
    stretches: tuple[Stretch, ...] = ()
    holidays: frozenset[dt.date] = frozenset()


def is_open(hours: TeamHours, at: dt.datetime) -> bool:
    """Whether a team with these hours is there at an aware moment."""
    local = at.astimezone(_zone(hours))
    today, yesterday = local.date(), local.date() - DAY
    if today in hours.holidays:
        return False
    if not hours.stretches:
        return True
    clock = local.time()
    return any(
        _covers(stretch, today, clock)
        # What would have begun on a holiday never began.
        or (yesterday not in hours.holidays and _reaches(stretch, yesterday, clock))
        for stretch in hours.stretches
    )


def _covers(stretch: Stretch, today: dt.date, clock: dt.time) -> bool:
    if stretch.weekday != today.weekday() or clock < stretch.opens:
        return False
    return stretch.runs_past_midnight or clock < stretch.closes


def _reaches(stretch: Stretch, yesterday: dt.date, clock: dt.time) -> bool:
    if stretch.weekday != yesterday.weekday() or not stretch.runs_past_midnight:
        return False
    return clock < stretch.closes


def next_opening(hours: TeamHours, at: dt.datetime) -> dt.datetime | None:
    """The first open moment after ``at`` in the team's zone; None when open now or never soon."""
    if is_open(hours, at):
        return None
    zone = _zone(hours)
    local = at.astimezone(zone)
    for days in range(LOOK_AHEAD_DAYS + 1):
        day = local.date() + days * DAY
        for opens in _openings(hours, day):
            moment = _existing(dt.datetime.combine(day, opens, zone))
            if moment > at and is_open(hours, moment):
                return moment
    return None


def _openings(hours: TeamHours, day: dt.date) -> list[dt.time]:
    if not hours.stretches:
        return [dt.time()]
    # Midnight too: a stretch of the evening before may go on when a holiday ends.
    return sorted({dt.time(), *(s.opens for s in hours.stretches if s.weekday == day.weekday())})


def _existing(moment: dt.datetime) -> dt.datetime:
    """The same moment or, where the clocks skip it, the first minute after the gap."""
    zone = moment.tzinfo
    instant = moment.astimezone(dt.UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None):
        return moment
    # A skipped time read with fold=1 lies before the gap (PEP 495); walk through it.
    instant = moment.replace(fold=1).astimezone(dt.UTC)
    before = instant.astimezone(zone).utcoffset()
    while instant.astimezone(zone).utcoffset() == before:
        instant += dt.timedelta(minutes=1)
    return instant.astimezone(zone)


def _zone(hours: TeamHours) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(hours.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        # Validated when saved; a zone that a newer database dropped must not stop routing.
        return zoneinfo.ZoneInfo("UTC")
