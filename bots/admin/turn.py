"""Turns in the Django admin: how an answer came about, what it cost, why it failed. Read only."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bots.errors import MESSAGES
from bots.models import ToolCall, Turn
from inbox.admin.base import ReadOnlyAdmin

if TYPE_CHECKING:
    CallInline = admin.TabularInline[ToolCall, Turn]
else:
    CallInline = admin.TabularInline

NOTHING = SafeString("–")


class ToolCallInline(CallInline):
    """What the model asked of tools, and what came of it."""

    model = ToolCall
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        *("round", "name", "arguments", "side_effect", "status", "code", "result", "began_at"),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows come from turns."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A record that can be edited is none."""
        return False


class ErrorFilter(admin.SimpleListFilter):
    """Turns that failed, by why."""

    title = _("error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[Any, Any]]:
        """Every code there is, without reading the table."""
        return [(code, code) for code in sorted(MESSAGES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Only turns with an error are in the index for it."""
        if self.value() is None:
            return queryset
        return queryset.filter(error_code=self.value(), error_code__gt="")


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """List with figures, and the whole way of one answer."""

    list_display = [
        "created_at",
        "bot",
        "visitor",
        "status",
        "error_code",
        "first_token_ms",
        "duration_ms",
        "tokens",
        "attempt",
    ]
    list_filter = ["status", "bot", ErrorFilter, "created_at"]
    list_select_related = ["bot", "conversation__visitor"]
    search_fields = ["=key"]
    search_help_text = _("The id of a conversation or a turn.")
    ordering = ["-created_at", "-id"]
    inlines = [ToolCallInline]
    fields = [
        ("bot", "status"),
        "conversation_link",
        "what_went_wrong",
        ("created_at", "finished_at"),
        ("first_token_ms", "duration_ms"),
        ("input_tokens", "output_tokens"),
        ("revision", "attempt"),
        "passages",
        "failures",
        "key",
        "response_id",
    ]
    readonly_fields = ["conversation_link", "what_went_wrong", "passages", "failures"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Turn], search_term: str
    ) -> tuple[QuerySet[Turn], bool]:
        """By either id, whole."""
        if not search_term.strip():
            return queryset, False
        try:
            key = uuid.UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        found = Turn.objects.filter(key=key) | Turn.objects.filter(conversation_id=key)
        return queryset.filter(pk__in=found.order_by().values("pk")), False

    @admin.display(description=_("visitor"))
    def visitor(self, turn: Turn) -> str:
        """Who asked."""
        return turn.conversation.visitor.display_name

    @admin.display(description=_("tokens"))
    def tokens(self, turn: Turn) -> int:
        """In and out together."""
        return turn.input_tokens + turn.output_tokens

    @admin.display(description=_("conversation"))
    def conversation_link(self, turn: Turn) -> SafeString:
        """To the transcript."""
        return format_html(
            '<a href="{}">{}</a>',
            f"../../../../frontdesk_inbox/conversation/{turn.conversation_id}/change/",
            turn.conversation,
        )

    @admin.display(description=_("error"))
    def what_went_wrong(self, turn: Turn) -> str:
        """The code and what it means."""
        if not turn.error_code:
            return NOTHING
        return f"{turn.error_code}: {MESSAGES.get(turn.error_code, '')}".rstrip(": ")

    @admin.display(description=_("passages"))
    def passages(self, turn: Turn) -> SafeString:
        """What it was given to answer from, the best first."""
        found = turn.trace.get("passages", [])
        rows = ((passage["score"], passage["url"], passage["title"]) for passage in found)
        return format_html_join(SafeString("<br>"), "{} {} {}", rows) or NOTHING

    @admin.display(description=_("failed attempts"))
    def failures(self, turn: Turn) -> SafeString:
        """Which attempts failed, when and why."""
        found = turn.trace.get("failures", [])
        rows = ((failure["revision"], failure["code"], failure["after_ms"]) for failure in found)
        return format_html_join(SafeString("<br>"), "{}: {} ({} ms)", rows) or NOTHING
