"""Hand-offs: when and why the bot asked for a person, and what it passed on."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from inbox.admin.base import ReadOnlyAdmin
from inbox.models import Conversation, Handoff
from inbox.search import matching
from inbox.texts import clip


@admin.register(Handoff)
class HandoffAdmin(ReadOnlyAdmin):
    """Read only: the packet is part of the conversation's history."""

    list_display = ["created_at", "reason", "visitor", "open_question", "language"]
    list_filter = ["reason", "created_at"]
    list_select_related = ["conversation__visitor"]
    search_fields = ["conversation"]
    search_help_text = _("Words of the conversation, or the visitor's name or address.")
    ordering = ["-created_at", "-id"]
    fields = [
        ("created_at", "reason", "language"),
        "conversation_link",
        "question",
        "summary",
        "tried",
        "suggested_reply",
    ]
    readonly_fields = ["conversation_link"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Handoff], search_term: str
    ) -> tuple[QuerySet[Handoff], bool]:
        """By the conversations that the operators' page would find."""
        if not search_term.strip():
            return queryset, False
        found = Conversation.objects.filter(matching(search_term)).order_by().values("pk")
        return queryset.filter(conversation__in=found), False

    @admin.display(description=_("visitor"))
    def visitor(self, handoff: Handoff) -> str:
        """Whose question it was."""
        return handoff.conversation.visitor.display_name

    @admin.display(description=_("open question"))
    def open_question(self, handoff: Handoff) -> str:
        """The first words."""
        return clip(handoff.question, 80)

    @admin.display(description=_("conversation"))
    def conversation_link(self, handoff: Handoff) -> SafeString:
        """To the transcript."""
        return format_html(
            '<a href="../../../conversation/{}/change/">{}</a>',
            handoff.conversation_id,
            handoff.conversation,
        )
