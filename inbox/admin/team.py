"""Teams with the hours in which they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from inbox.admin.base import Base
from inbox.assignment.queue import drain_soon
from inbox.models import Holiday, OpeningHours, Team

if TYPE_CHECKING:
    Inline = admin.TabularInline[Any, Any]
else:
    Inline = admin.TabularInline


class OpeningHoursInline(Inline):
    """None at all means always open."""

    model = OpeningHours
    extra = 0


class HolidayInline(Inline):
    """Closed whatever the hours say."""

    model = Holiday
    extra = 0


@admin.register(Team)
class TeamAdmin(Base):
    """Name, words that lead to it, hours and holidays."""

    list_display = ["name", "slug", "time_zone", "member_count"]
    search_fields = ["name", "keywords"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [OpeningHoursInline, HolidayInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        """Rows with the number of members."""
        rows: QuerySet[Team] = super().get_queryset(request)
        return rows.annotate(people=Count("members"))

    @admin.display(description=_("operators"))
    def member_count(self, team: Team) -> int:
        """How many belong to it."""
        count: int = team.people  # type: ignore[attr-defined]
        return count

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """A team that has just opened may be given what waits."""
        super().save_related(request, form, formsets, change)
        drain_soon()
