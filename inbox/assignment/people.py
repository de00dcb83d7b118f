"""Which operators are present now, in which teams, and when the others come back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Prefetch
from django.utils import timezone

from inbox.assignment.hours import Stretch, TeamHours, is_open, next_opening
from inbox.assignment.router import TeamFacts
from inbox.conf import inbox_settings
from inbox.models import OpeningHours, Operator, Team


def lease_began(now: dt.datetime) -> dt.datetime:
    """Whoever gave no sign of life since this moment counts as gone."""
    return now - dt.timedelta(seconds=inbox_settings.PRESENCE_LEASE_SECONDS)


def is_here(operator: Operator, now: dt.datetime) -> bool:
    """Whether an operator is at their page, available for new conversations or not."""
    return (
        operator.user.is_active
        and operator.last_seen_at is not None
        and operator.last_seen_at >= lease_began(now)
    )


@dataclass(frozen=True, slots=True)
class People:
    """Present operators and all teams at one moment; a constant number of queries."""

    now: dt.datetime
    teams: dict[int, Team] = field(default_factory=dict)
    present: dict[int, frozenset[int]] = field(default_factory=dict)
    """Operator id → ids of their teams."""

    @classmethod
    def load(cls, now: dt.datetime | None = None) -> People:
        """Read teams with their hours, and who is present."""
        now = now or timezone.now()
        hours = Prefetch("opening_hours", OpeningHours.objects.order_by("weekday", "opens"))
        teams = Team.objects.prefetch_related(hours, "holidays").order_by("id")
        present: dict[int, set[int]] = {}
        rows = Operator.objects.present(now, inbox_settings.PRESENCE_LEASE_SECONDS)
        for operator_id, team_id in rows.values_list("id", "teams__id"):
            of_operator = present.setdefault(operator_id, set())
            if team_id is not None:
                of_operator.add(team_id)
        return cls(
            now,
            {team.pk: team for team in teams},
            {operator_id: frozenset(ids) for operator_id, ids in present.items()},
        )

    def count(self, team_id: int | None) -> int:
        """Present operators who may be given a conversation of this team (None: of no team)."""
        if team_id is None:
            return len(self.present)
        return sum(team_id in ids for ids in self.present.values())

    def team_facts(self) -> tuple[TeamFacts, ...]:
        """All teams as the router sees them."""
        return tuple(
            TeamFacts(
                id=team.pk,
                keywords=tuple(word.strip() for word in team.keywords.split(",") if word.strip()),
                open=is_open(hours_of(team), self.now),
                people=self.count(team.pk),
            )
            for team in self.teams.values()
        )

    def opens_at(self, team_id: int | None) -> dt.datetime | None:
        """When this team, or with None the first of all teams, opens; None when one is open."""
        teams = [self.teams[team_id]] if team_id in self.teams else list(self.teams.values())
        openings = []
        for team in teams:
            hours = hours_of(team)
            if is_open(hours, self.now):
                return None
            opening = next_opening(hours, self.now)
            if opening is not None:
                openings.append(opening)
        return min(openings, default=None)


def hours_of(team: Team) -> TeamHours:
    """A team's rows as plain values."""
    return TeamHours(
        time_zone=team.time_zone,
        stretches=tuple(
            Stretch(row.weekday, row.opens, row.closes) for row in team.opening_hours.all()
        ),
        holidays=frozenset(holiday.day for holiday in team.holidays.all()),
    )
