"""Widgets for reviewers: look, texts, pages, identity, and the lines to paste into a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from chatwidget.admin.forms import WidgetForm, WidgetTextForm
from chatwidget.models import Widget, WidgetText

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Widget]
    Inline = admin.StackedInline[WidgetText, Widget]
else:
    Base = admin.ModelAdmin
    Inline = admin.StackedInline


class WidgetTextInline(Inline):
    """The same texts in other languages."""

    model = WidgetText
    form = WidgetTextForm
    extra = 0


@admin.register(Widget)
class WidgetAdmin(Base):
    """One chat; its key stands in pages, so it never changes once it is saved."""

    form = WidgetForm
    inlines = [WidgetTextInline]
    list_display = ["key", "name", "enabled", "bot_key", "team", "has_identity"]
    list_filter = ["enabled", "team"]
    list_select_related = ["team"]
    search_fields = ["key", "name", "allowed_origins"]
    fieldsets = [
        (None, {"fields": ["key", "enabled", "bot_key", "team"]}),
        (_("Who may use it"), {"fields": ["allowed_origins", "anonymous"]}),
        (_("Identity"), {"fields": ["identity_secret", "forget_secret"]}),
        (
            _("Texts"),
            {"fields": ["name", "greeting", "starters", "reply_time", "privacy_url"]},
        ),
        (_("Look"), {"fields": ["accent", "theme", "position", "avatar_url"]}),
        (_("Abilities"), {"fields": ["human", "rating", "sound", "sources"]}),
    ]

    @admin.display(description=_("signed identity"), boolean=True)
    def has_identity(self, widget: Widget) -> bool:
        """Whether identities that the host signed count."""
        return bool(widget.identity_secret)

    def get_readonly_fields(self, request: HttpRequest, obj: Widget | None = None) -> list[str]:
        """Pages name a widget by its key: renaming it would empty them."""
        return ["key"] if obj else []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show beside the form what to paste."""
        widget = self.get_object(request, object_id) if object_id else None
        shown = {**(extra_context or {}), "snippets": snippets(request, widget)}
        return super().changeform_view(request, object_id, form_url, shown)


def snippets(request: HttpRequest, widget: Widget | None) -> list[tuple[str, str]]:
    """Title and text of what brings this widget onto a page; nothing before it is saved."""
    if widget is None:
        return []
    tag = f'{{% load chatwidget %}}{{% chatwidget "{widget.key}" %}}'
    found = [(str(_("In a template of this site")), tag)]
    try:
        address = request.build_absolute_uri(reverse("chatwidget:launcher"))
    except NoReverseMatch:
        return found
    script = f'<script src="{address}" data-widget="{widget.key}" defer></script>'
    return [*found, (str(_("On any page of the allowed origins")), script)]
