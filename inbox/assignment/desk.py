"""Who could take a conversation right now: a snapshot that one drain works down."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Count, Max

from inbox.conf import inbox_settings
from inbox.models import Conversation, HandledBy, Operator, Status

IDLE_WINDOW = dt.timedelta(hours=12)
"""Work longer ago than this counts as none when the longest idle is looked for."""

SEAT = "frontdesk_inbox.view_inbox"


def load_of(operator: Operator) -> int:
    """Open conversations that this operator answers now."""
    return Conversation.objects.assigned_to(operator.pk).count()


@dataclass(slots=True)
class Place:
    """One present operator and how busy they are."""

    operator: Operator
    teams: frozenset[int]
    load: int
    last_active: dt.datetime
    has_seat: bool | None = None
    """Asked only when it matters: permissions cost queries."""

    def has_room(self) -> bool:
        """Whether the queue may give this operator one more."""
        return self.load < self.operator.capacity and self.has_seat is not False

    def sits(self) -> bool:
        """Whether this account may work in the inbox at all."""
        if self.has_seat is None:
            self.has_seat = self.operator.user.has_perm(SEAT)
        return self.has_seat


@dataclass(slots=True)
class Desk:
    """Present operators by id."""

    places: dict[int, Place] = field(default_factory=dict)

    @classmethod
    def load(cls, now: dt.datetime) -> Desk:
        """Read presence, teams, loads and idleness; four queries, one when nobody is there."""
        lease = inbox_settings.PRESENCE_LEASE_SECONDS
        operators = list(
            Operator.objects.present(now, lease).select_related("user").prefetch_related("teams")
        )
        if not operators:
            return cls()
        ids = [operator.pk for operator in operators]
        loads = dict(
            Conversation.objects.filter(
                status=Status.OPEN, handled_by=HandledBy.OPERATOR, operator__in=ids
            )
            .order_by()
            .values_list("operator")
            .annotate(Count("pk"))
        )
        active = dict(
            Conversation.objects.filter(updated_at__gte=now - IDLE_WINDOW, last_operator__in=ids)
            .order_by()
            .values_list("last_operator")
            .annotate(Max("updated_at"))
        )
        long_ago = now - IDLE_WINDOW
        return cls(
            {
                operator.pk: Place(
                    operator=operator,
                    teams=frozenset(team.pk for team in operator.teams.all()),
                    load=loads.get(operator.pk, 0),
                    last_active=active.get(operator.pk, long_ago),
                )
                for operator in operators
            }
        )

    def has_room(self) -> bool:
        """Whether anybody could take one more."""
        return any(place.has_room() for place in self.places.values())

    def teams_with_room(self) -> set[int]:
        """Teams in which somebody could take one more."""
        covered: set[int] = set()
        for place in self.places.values():
            if place.teams - covered and place.has_room() and place.sits():
                covered |= place.teams
        return covered

    def pick(self, team_id: int | None) -> int | None:
        """The least busy operator for a team, the longest idle of equals; None: nobody."""
        fitting = [
            place
            for place in self.places.values()
            if place.has_room() and (team_id is None or team_id in place.teams)
        ]
        for place in sorted(fitting, key=lambda p: (p.load, p.last_active, p.operator.pk)):
            if place.sits():
                return place.operator.pk
        return None

    def add(self, operator_id: int) -> None:
        """Count one more conversation for an operator."""
        self.places[operator_id].load += 1

    def fill(self, operator_id: int) -> None:
        """Stop considering an operator who turned out to be full or gone."""
        del self.places[operator_id]
