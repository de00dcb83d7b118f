"""Opening hours around midnight, holidays and changes of clocks."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from inbox.assignment.hours import Stretch, TeamHours, is_open, next_opening

MONDAY, TUESDAY, SATURDAY, SUNDAY = 0, 1, 5, 6


def clock(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


def stretch(weekday: int, opens: str, closes: str) -> Stretch:
    return Stretch(weekday, clock(opens), clock(closes))


def at(text: str, zone: str = "UTC") -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))


OFFICE = TeamHours("Europe/Berlin", tuple(stretch(day, "09:00", "17:00") for day in range(5)))
BAR = TeamHours("Europe/Berlin", (stretch(SATURDAY, "22:00", "02:30"),))
ROUND_THE_CLOCK = TeamHours("UTC", (stretch(MONDAY, "00:00", "00:00"),))
EARLY_BERLIN = TeamHours("Europe/Berlin", (stretch(SUNDAY, "02:30", "06:00"),))
SANTIAGO = TeamHours("America/Santiago", (stretch(SUNDAY, "00:30", "08:00"),))
LORD_HOWE = TeamHours("Australia/Lord_Howe", (stretch(SUNDAY, "02:15", "09:00"),))


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (TeamHours(), "2026-03-01T03:00", True),
        (OFFICE, "2026-06-01T06:59", False),  # 08:59 in Berlin
        (OFFICE, "2026-06-01T07:00", True),
        (OFFICE, "2026-06-01T14:59", True),
        (OFFICE, "2026-06-01T15:00", False),  # closes is the first closed minute
        (OFFICE, "2026-12-01T07:30", False),  # winter: 08:30 in Berlin
        (OFFICE, "2026-12-01T08:00", True),
        (OFFICE, "2026-06-06T10:00", False),  # Saturday
        (ROUND_THE_CLOCK, "2026-06-01T00:00", True),
        (ROUND_THE_CLOCK, "2026-06-01T23:59", True),
        (ROUND_THE_CLOCK, "2026-06-02T00:00", False),
        (BAR, "2026-06-06T19:59", False),
        (BAR, "2026-06-06T20:00", True),
        (BAR, "2026-06-07T00:29", True),  # 02:29 on Sunday
        (BAR, "2026-06-07T00:30", False),
    ],
)
def test_is_open_in_the_team_s_own_zone(hours: TeamHours, moment: str, expected: bool) -> None:
    assert is_open(hours, at(moment)) is expected


@pytest.mark.parametrize(
    ("hours", "utc", "expected"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00, so 02:30 never comes.
        (EARLY_BERLIN, "2026-03-29T00:59", False),
        (EARLY_BERLIN, "2026-03-29T01:00", True),
        (EARLY_BERLIN, "2026-03-29T03:59", True),
        (EARLY_BERLIN, "2026-03-29T04:00", False),
        # Berlin, 25 October 2026: 03:00 becomes 02:00; the wall says 02:30 twice.
        (EARLY_BERLIN, "2026-10-25T00:29", False),
        (EARLY_BERLIN, "2026-10-25T00:30", True),
        (EARLY_BERLIN, "2026-10-25T01:15", False),
        (EARLY_BERLIN, "2026-10-25T01:30", True),
        # A bar that closes at 02:30 does so by the wall on both passes.
        (BAR, "2026-10-25T00:29", True),
        (BAR, "2026-10-25T01:45", False),
        # Santiago, 6 September 2026: midnight becomes 01:00, so the day begins at 01:00.
        (SANTIAGO, "2026-09-06T03:59", False),
        (SANTIAGO, "2026-09-06T04:00", True),
        # Lord Howe, 4 October 2026: 02:00 becomes 02:30, half an hour only.
        (LORD_HOWE, "2026-10-03T15:29", False),
        (LORD_HOWE, "2026-10-03T15:30", True),
        (LORD_HOWE, "2026-10-03T21:59", True),
        (LORD_HOWE, "2026-10-03T22:00", False),
    ],
)
def test_is_open_when_the_clocks_change(hours: TeamHours, utc: str, expected: bool) -> None:
    assert is_open(hours, at(utc)) is expected


def test_holiday_closes_the_whole_day() -> None:
    holiday = TeamHours("Europe/Berlin", OFFICE.stretches, frozenset({dt.date(2026, 6, 1)}))
    assert not is_open(holiday, at("2026-06-01T10:00"))
    assert is_open(holiday, at("2026-06-02T10:00"))


def test_holiday_closes_a_team_that_is_always_open() -> None:
    holiday = TeamHours("Asia/Tokyo", (), frozenset({dt.date(2026, 1, 1)}))
    assert is_open(holiday, at("2025-12-31T14:59"))
    assert not is_open(holiday, at("2025-12-31T15:00"))
    assert is_open(holiday, at("2026-01-01T15:00"))


def test_night_that_would_begin_on_a_holiday_never_begins() -> None:
    bar = TeamHours("Europe/Berlin", BAR.stretches, frozenset({dt.date(2026, 6, 6)}))
    assert not is_open(bar, at("2026-06-06T20:30"))
    assert not is_open(bar, at("2026-06-06T22:30"))


def test_night_that_runs_into_a_holiday_ends_at_midnight() -> None:
    bar = TeamHours("Europe/Berlin", BAR.stretches, frozenset({dt.date(2026, 6, 7)}))
    assert is_open(bar, at("2026-06-06T21:59"))
    assert not is_open(bar, at("2026-06-06T22:00"))


def test_unknown_zone_counts_as_utc() -> None:
    hours = TeamHours("Nowhere/Atlantis", (stretch(MONDAY, "09:00", "10:00"),))
    assert is_open(hours, at("2026-06-01T09:30"))


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (OFFICE, at("2026-06-01T10:00", "Europe/Berlin"), None),
        (OFFICE, at("2026-06-01T08:00", "Europe/Berlin"), "2026-06-01T09:00:00+02:00"),
        (OFFICE, at("2026-06-05T17:00", "Europe/Berlin"), "2026-06-08T09:00:00+02:00"),
        (EARLY_BERLIN, at("2026-03-28T12:00", "Europe/Berlin"), "2026-03-29T03:00:00+02:00"),
        (
            TeamHours("Europe/Berlin", OFFICE.stretches, frozenset({dt.date(2026, 6, 8)})),
            at("2026-06-06T12:00", "Europe/Berlin"),
            "2026-06-09T09:00:00+02:00",
        ),
        (
            TeamHours("UTC", (), frozenset({dt.date(2026, 6, 1)})),
            at("2026-06-01T12:00"),
            "2026-06-02T00:00:00+00:00",
        ),
    ],
)
def test_next_opening(hours: TeamHours, moment: dt.datetime, expected: str | None) -> None:
    found = next_opening(hours, moment)
    assert (found.isoformat() if found else None) == expected
    if found:
        assert is_open(hours, found)


def test_next_opening_gives_up_on_a_team_that_never_opens() -> None:
    days = frozenset(dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365))
    assert next_opening(TeamHours("UTC", (), days), at("2026-02-01T12:00")) is None
