"""Conversations with a readable transcript."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from inbox.admin.base import ReadOnlyAdmin
from inbox.admin.filters import StateFilter, TagFilter
from inbox.lists import CountOf
from inbox.models import Conversation, Event, Message
from inbox.ports import trace_urls
from inbox.search import matching

TRANSCRIPT_EVENTS = 2000
"""The latest ones of a very long conversation."""


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Who spoke, when, with which sources, and how the bot came to its answer."""

    list_display = [
        "visitor_name",
        "status",
        "handled_by",
        "operator",
        "team",
        "words",
        "rating",
        "created_at",
        "updated_at",
    ]
    list_filter = [StateFilter, "team", "operator", TagFilter, "updated_at"]
    list_select_related = ["visitor", "operator__user", "team"]
    search_fields = ["id"]
    search_help_text = _("Words of a message, the visitor's name or address, or the id.")
    ordering = ["-updated_at", "-id"]
    fields = [
        ("visitor_link", "status", "handled_by"),
        ("operator", "team", "tag_names"),
        "transcript",
        ("created_at", "updated_at", "closed_at"),
        ("rating", "rating_comment", "language"),
        "id",
    ]
    readonly_fields = ["visitor_link", "tag_names", "transcript"]

    class Media:
        css = {"all": ["inbox/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """Rows with the number of messages that they hold."""
        rows: QuerySet[Conversation] = super().get_queryset(request)
        said = Message.objects.filter(conversation=OuterRef("pk")).order_by().values("pk")
        return rows.annotate(said=CountOf(said))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """Full-text, as on the operators' page."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(matching(search_term)), False

    @admin.display(description=_("visitor"), ordering="visitor__name")
    def visitor_name(self, conversation: Conversation) -> str:
        """The name, or the label of a guest."""
        return conversation.visitor.display_name

    @admin.display(description=_("messages"))
    def words(self, conversation: Conversation) -> int:
        """How many messages, notes included."""
        count: int = conversation.said  # type: ignore[attr-defined]
        return count

    @admin.display(description=_("visitor"))
    def visitor_link(self, conversation: Conversation) -> SafeString:
        """To the visitor's own page."""
        visitor = conversation.visitor
        return format_html('<a href="../../../visitor/{}/change/">{}</a>', visitor.pk, visitor)

    @admin.display(description=_("tags"))
    def tag_names(self, conversation: Conversation) -> str:
        """All tags in one line."""
        return ", ".join(tag.name for tag in conversation.tags.all()) or "-"

    @admin.display(description=_("transcript"))
    def transcript(self, conversation: Conversation) -> SafeString:
        """Every message and change in order."""
        latest = (
            Event.objects.filter(conversation=conversation)
            .select_related("message")
            .prefetch_related("message__attachments")
            .order_by("-seq")[:TRANSCRIPT_EVENTS]
        )
        events = list(reversed(latest))
        traces = trace_urls(
            [event.message.dedupe_key or "" for event in events if event.message is not None]
        )
        lines = [_line(event, traces) for event in events]
        return render_to_string(
            "inbox/admin_transcript.html",
            {"lines": lines, "handoffs": {h.seq: h for h in conversation.handoffs.all()}},
        )


def _line(event: Event, traces: dict[str, str]) -> dict[str, Any]:
    message = event.message
    trace = traces.get(message.dedupe_key or "", "") if message is not None else ""
    return {"event": event, "message": message, "trace": trace, "actor": event.actor}
