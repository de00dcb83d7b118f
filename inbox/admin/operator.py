"""Operators: their name for visitors, teams, capacity and presence."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.actions import presence
from inbox.admin.base import Base
from inbox.conf import inbox_settings
from inbox.lists import CountOf
from inbox.models import Conversation, HandledBy, Operator, Status
from inbox.realtime.publish import publish_control


@admin.register(Operator)
class OperatorAdmin(Base):
    """Capacity and availability go through the actions that let the queue know."""

    list_display = ["name", "user", "team_names", "capacity", "busy_with", "is_here"]
    list_filter = ["teams", "available"]
    list_select_related = ["user"]
    search_fields = ["display_name", "user__username"]
    autocomplete_fields = ["user"]
    filter_horizontal = ["teams"]
    readonly_fields = ["last_seen_at"]
    fields = [
        "user",
        ("display_name", "avatar_url"),
        "teams",
        ("capacity", "available", "last_seen_at"),
        "sound",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operator]:
        """Rows with what each of them is answering."""
        rows: QuerySet[Operator] = super().get_queryset(request)
        theirs = Conversation.objects.filter(
            operator=OuterRef("pk"), status=Status.OPEN, handled_by=HandledBy.OPERATOR
        )
        return rows.prefetch_related("teams").annotate(
            holds=CountOf(theirs.order_by().values("pk"))
        )

    @admin.display(description=_("teams"))
    def team_names(self, operator: Operator) -> str:
        """All in one line."""
        return ", ".join(team.name for team in operator.teams.all()) or "-"

    @admin.display(description=_("answering"))
    def busy_with(self, operator: Operator) -> int:
        """Open conversations that are theirs."""
        count: int = operator.holds  # type: ignore[attr-defined]
        return count

    @admin.display(description=_("here"), boolean=True)
    def is_here(self, operator: Operator) -> bool:
        """Available, with a sign of life within the lease."""
        lease = dt.timedelta(seconds=inbox_settings.PRESENCE_LEASE_SECONDS)
        seen = operator.last_seen_at
        return operator.available and seen is not None and seen >= timezone.now() - lease

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 -- the admin's signature
        """Save, and let the queue and open pages know of what concerns them."""
        super().save_model(request, obj, form, change)
        if "capacity" in form.changed_data:
            presence.set_capacity(operator=obj, capacity=obj.capacity)
        if "available" in form.changed_data:
            presence.set_available(operator=obj, available=obj.available)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Leaving a team is felt on open pages at once."""
        super().save_related(request, form, formsets, change)
        operator_id = form.instance.pk
        transaction.on_commit(lambda: publish_control("operator", id=operator_id))
