"""Filters of long lists: each narrows by an index, none reads the table to know its choices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from inbox.admin.base import MOST_ROWS
from inbox.models import Conversation, HandledBy, Status, Tag

if TYPE_CHECKING:
    Choices = Iterable[tuple[Any, Any]]


class StateFilter(admin.SimpleListFilter):
    """Status and who answers in one, as the inbox' own lists have it."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Open ones by who answers, then what is put aside or over."""
        opened = [(who, f"{Status.OPEN.label}: {HandledBy(who).label}") for who in HandledBy.values]
        return [*opened, *((state.value, state.label) for state in (Status.SNOOZED, Status.CLOSED))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """One stretch of an index; nobody answers what is closed."""
        match self.value():
            case None:
                return queryset
            case Status.CLOSED:
                return queryset.filter(status=Status.CLOSED, handled_by=HandledBy.NOBODY)
            case Status.SNOOZED:
                return queryset.filter(status=Status.SNOOZED)
            case who:
                return queryset.filter(status=Status.OPEN, handled_by=who)


class BlockedFilter(admin.SimpleListFilter):
    """Visitors who may not write."""

    title = _("blocked")
    parameter_name = "blocked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Few are, and only they are in the index for it."""
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """All of them, or everybody."""
        return queryset.filter(blocked_at__isnull=False) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """The conversations that were given a tag last."""

    title = _("tags")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Every tag."""
        return Tag.objects.values_list("pk", "name")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By their keys: a join would sort everything that ever had the tag."""
        value = self.value()
        if value is None or not value.isascii() or not value.isdigit():
            return queryset
        given = Conversation.tags.through.objects.filter(tag=int(value)).order_by("-pk")
        return queryset.filter(pk__in=given.values("conversation_id")[:MOST_ROWS])
