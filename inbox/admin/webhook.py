"""Who is told of events, what became of it, and telling it again."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from inbox.actions.webhooks import replay, rotate_secret
from inbox.admin.base import Base, ReadOnlyAdmin
from inbox.models import WebhookDelivery, WebhookEndpoint
from inbox.models.webhook import WebhookEventType


class WebhookEndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """Events as boxes to tick; none ticked means all of them."""

    event_types = forms.MultipleChoiceField(
        label=_("events"),
        choices=WebhookEventType.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None means all of them."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            *("name", "url", "event_types", "include_notes", "enabled"),
            *("secret", "previous_secret"),
        ]


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Base):
    """Receivers, their health and their secrets."""

    form = WebhookEndpointForm
    list_display = ["name", "url", "enabled", "failing_since", "disabled_reason"]
    list_filter = ["enabled"]
    search_fields = ["name", "url"]
    readonly_fields = ["failing_since", "disabled_reason"]
    actions = ["rotate"]

    @admin.action(description=_("Give a new secret; the old one signs beside it"))
    def rotate(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Begin a rotation."""
        for endpoint in queryset:
            rotate_secret(endpoint.pk)
        self.message_user(request, _("The receivers must learn the new secret now."))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """The log of what was told."""

    list_display = [
        *("webhook_id", "endpoint", "event_type", "state", "attempt", "last_status"),
        *("last_error", "next_at", "delivered_at"),
    ]
    list_filter = ["state", "endpoint"]
    list_select_related = ["endpoint"]
    search_fields = ["=webhook_id"]
    search_help_text = _("The id of a delivery, or of a conversation.")
    actions = ["send_again"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        """By either id, whole."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(conversation_id=uuid.UUID(term)), False
        except ValueError:
            return queryset.filter(webhook_id=term), False

    @admin.action(description=_("Send again under the same id"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        """Replay what a receiver lost."""
        if not request.user.has_perm("frontdesk_inbox.change_webhookdelivery"):
            self.message_user(request, _("You may not do this."), messages.ERROR)
            return
        count = replay(queryset.values_list("pk", flat=True))
        text = ngettext("%d delivery is sent again.", "%d deliveries are sent again.", count)
        self.message_user(request, text % count)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything but what only a runner needs."""
        hidden = {"id", "fence", "lease_until"}
        return [f.name for f in WebhookDelivery._meta.fields if f.name not in hidden]
