"""Visitors: who they are as far as anybody knows, and their conversations."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from inbox.actions import visitors
from inbox.admin.base import ReadOnlyAdmin
from inbox.admin.filters import BlockedFilter
from inbox.lists import CountOf
from inbox.models import Conversation, Visitor
from inbox.search import visitors_matching


@admin.register(Visitor)
class VisitorAdmin(ReadOnlyAdmin):
    """Block, unblock and revoke are actions; nothing else is written here."""

    list_display = [
        "display_name",
        "is_verified",
        "email",
        "widget_key",
        "conversation_count",
        "last_seen_at",
        "blocked_at",
    ]
    list_filter = [BlockedFilter, "created_at"]
    search_fields = ["name"]
    search_help_text = _("Words of the name or address, or the identity as the host knows it.")
    ordering = ["-created_at", "-id"]
    fields = [
        "display_name",
        ("is_verified", "external_id", "user"),
        ("name", "email", "language"),
        ("page_url", "page_title", "referrer"),
        "user_agent",
        ("created_at", "last_seen_at", "blocked_at"),
        ("public_id", "widget_key", "merged_into"),
        "conversations",
    ]
    readonly_fields = ["display_name", "is_verified", "conversations"]
    actions = ["block", "unblock", "revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visitor]:
        """Rows with the number of conversations."""
        rows: QuerySet[Visitor] = super().get_queryset(request)
        held = Conversation.objects.filter(visitor=OuterRef("pk")).order_by().values("pk")
        return rows.annotate(held=CountOf(held))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Visitor], search_term: str
    ) -> tuple[QuerySet[Visitor], bool]:
        """Full-text, or exactly as the host names somebody."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(visitors_matching(search_term)), False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may change visitors may act on them."""
        return bool(request.user.has_perm("frontdesk_inbox.change_visitor"))

    @admin.display(description=_("verified"), boolean=True)
    def is_verified(self, visitor: Visitor) -> bool:
        """Whether the host vouches for the identity."""
        return visitor.verified

    @admin.display(description=_("conversations"))
    def conversation_count(self, visitor: Visitor) -> int:
        """How many."""
        count: int = visitor.held  # type: ignore[attr-defined]
        return count

    @admin.display(description=_("conversations"))
    def conversations(self, visitor: Visitor) -> SafeString:
        """Links to the transcripts, the newest first."""
        rows = visitor.conversations.order_by("-created_at")[:100]
        return format_html_join(
            "",
            '<p><a href="../../../conversation/{}/change/">{}</a> {}</p>',
            (
                (row.pk, f"{row.created_at:%Y-%m-%d %H:%M}", row.get_status_display())
                for row in rows
            ),
        )

    @admin.action(description=_("Block"), permissions=["act"])
    def block(self, request: HttpRequest, queryset: QuerySet[Visitor]) -> None:
        """Take no more messages from them."""
        for visitor in queryset:
            visitors.block(visitor_id=visitor.pk)
        messages.success(request, _t("Blocked."))

    @admin.action(description=_("Unblock"), permissions=["act"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[Visitor]) -> None:
        """Take messages again."""
        for visitor in queryset:
            visitors.unblock(visitor_id=visitor.pk)
        messages.success(request, _t("Unblocked."))

    @admin.action(description=_("End their sessions"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Visitor]) -> None:
        """Make their tokens worthless."""
        for visitor in queryset:
            visitors.revoke(visitor_id=visitor.pk)
        messages.success(request, _t("Their sessions have ended."))
