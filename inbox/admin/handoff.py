"""Hand-offs: when and why the bot asked for a person, and what it passed on."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from inbox.admin.base import ReadOnlyAdmin
from inbox.models import Handoff
from inbox.texts import clip


@admin.register(Handoff)
class HandoffAdmin(ReadOnlyAdmin):
    """Read only: the packet is part of the conversation's history."""

    list_display = ["created_at", "reason", "visitor", "open_question", "language"]
    list_filter = ["reason", "language", "created_at"]
    list_select_related = ["conversation__visitor"]
    search_fields = ["question", "summary"]
    ordering = ["-created_at"]
    fields = [
        ("created_at", "reason", "language"),
        "conversation_link",
        "question",
        "summary",
        "tried",
        "suggested_reply",
    ]
    readonly_fields = ["conversation_link"]

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
