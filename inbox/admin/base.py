"""Rows that the admin shows and never edits; its lists cost the same at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    PaginatorBase = Paginator[Any]
else:
    Base = admin.ModelAdmin
    PaginatorBase = Paginator

MOST_ROWS = 2_000
"""A list shows so many rows; who looks further back narrows it by a filter or a search."""


class AtLeast(int):
    """A number of rows of which more exist."""

    def __str__(self) -> str:
        return f"{int(self)}+"


class NewestRows(PaginatorBase):
    """Pages of the first ``MOST_ROWS`` rows: counting stops there, so no page lies far behind."""

    @cached_property
    def count(self) -> int:
        """How many rows the list shows."""
        rows = cast("QuerySet[Any]", self.object_list).order_by().values("pk")
        found = rows[: MOST_ROWS + 1].count()
        return AtLeast(MOST_ROWS) if found > MOST_ROWS else found


class ReadOnlyAdmin(Base):
    """Looked at, searched and filtered only."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = NewestRows
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from conversations."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A record that can be edited is none."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Erasing is an action of its own, which leaves the journal whole."""
        return False
