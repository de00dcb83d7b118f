"""Where other systems want to hear of events, and what is still to be told to them."""

from __future__ import annotations

import base64
import secrets
import uuid

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

SECRET_PREFIX = "whsec_"  # noqa: S105 -- the standard's prefix, not a secret
SECRET_BYTES = 32


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it: ``whsec_`` and base64 of 32 bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class WebhookEventType(models.TextChoices):
    """What can be told; the values stand in ``type`` of the body."""

    MESSAGE_CREATED = "message.created", _("a message was written")
    MESSAGE_UPDATED = "message.updated", _("a message was edited or redacted")
    CONVERSATION_CHANGED = "conversation.changed", _("a conversation changed hands or state")


class WebhookEndpoint(models.Model):
    """One receiver. Private notes are never told unless it asks for them."""

    name = models.CharField(_("name"), max_length=80)
    url = models.CharField(
        _("URL"), max_length=1000, validators=[URLValidator(schemes=["https", "http"])]
    )
    secret = models.CharField(_("secret"), max_length=100, default=new_secret)
    previous_secret = models.CharField(
        _("previous secret"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("During a rotation both sign; empty it when the receiver knows the new one."),
    )
    event_types = models.JSONField(
        _("events"), default=list, blank=True, help_text=_("Empty means all of them.")
    )
    include_notes = models.BooleanField(_("private notes too"), default=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    disabled_reason = models.CharField(max_length=200, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def wants(self, event_type: str, *, is_note: bool) -> bool:
        """Whether this receiver is told of such an event."""
        if is_note and not self.include_notes:
            return False
        return not self.event_types or event_type in self.event_types


class DeliveryState(models.TextChoices):
    """Where a delivery stands."""

    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("given up")


class WebhookDelivery(models.Model):
    """One event for one receiver, written in the event's own transaction.

    ``webhook_id`` is the same for every attempt and every receiver, so that a receiver can
    recognise what it has had. ``fence`` rises with each claim: only the newest claimant writes.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        verbose_name=_("endpoint"),
        on_delete=models.CASCADE,
        related_name="deliveries",
    )
    webhook_id = models.CharField(max_length=80)
    event_type = models.CharField(_("event"), max_length=40, choices=WebhookEventType.choices)
    conversation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    body = models.TextField(_("body"))
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=DeliveryState.choices,
        default=DeliveryState.PENDING,
    )
    attempt = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"))
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(default=0)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True, default="")
    created_at = models.DateTimeField(_("written"))
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "webhook_id"], name="frontdesk_webhook_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_at"],
                condition=models.Q(state="pending"),
                name="frontdesk_webhook_due",
            ),
            models.Index(
                fields=["endpoint", "lease_until"],
                condition=models.Q(state="pending", lease_until__isnull=False),
                name="frontdesk_webhook_in_flight",
            ),
            models.Index(
                fields=["-id"],
                condition=models.Q(state="failed"),
                name="frontdesk_webhook_failed",
            ),
            models.Index(fields=["webhook_id"], name="frontdesk_webhook_id"),
            models.Index(fields=["conversation_id"], name="frontdesk_webhook_conv"),
        ]

    def __str__(self) -> str:
        return self.webhook_id
