"""Prepared replies and tags."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from inbox.admin.base import MOST_ROWS, AtLeast, Base
from inbox.lists import CountOf
from inbox.models import CannedReply, Conversation, Tag
from inbox.texts import clip


@admin.register(CannedReply)
class CannedReplyAdmin(Base):
    """Texts for everybody or for one team."""

    list_display = ["shortcut", "title", "team", "beginning"]
    list_filter = ["team"]
    list_select_related = ["team"]
    search_fields = ["shortcut", "title", "content"]

    @admin.display(description=_("text"))
    def beginning(self, reply: CannedReply) -> str:
        """The first words."""
        return clip(reply.content, 80)


@admin.register(Tag)
class TagAdmin(Base):
    """Labels and how often they are used."""

    list_display = ["name", "uses"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        """Rows with the number of conversations."""
        rows: QuerySet[Tag] = super().get_queryset(request)
        given = Conversation.tags.through.objects.filter(tag=OuterRef("pk")).values("pk")
        return rows.annotate(worn=CountOf(given[: MOST_ROWS + 1]))

    @admin.display(description=_("conversations"))
    def uses(self, tag: Tag) -> int:
        """How many wear it; counting ends where it is only many."""
        count: int = tag.worn  # type: ignore[attr-defined]
        return AtLeast(MOST_ROWS) if count > MOST_ROWS else count
