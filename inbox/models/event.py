"""The durable journal of a conversation: gap-free, one total order, two audiences."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class EventKind(models.TextChoices):
    """Durable frame types of the wire protocol."""

    MESSAGE = "message", _("message")
    MESSAGE_UPDATED = "message_updated", _("message updated")
    CONVERSATION = "conversation", _("conversation changed")


class Event(models.Model):
    """One durable change. ``seq`` is the operators' number, ``visitor_seq`` the visitor's.

    ``visitor_seq`` is null for what the visitor may not see (a private note, snoozing), so
    that a hidden event is neither a hole nor a hint. ``payload`` holds the frame's own fields
    except for messages, whose row is the truth (it may be redacted later).
    """

    conversation = models.ForeignKey(
        "frontdesk_inbox.Conversation", on_delete=models.CASCADE, related_name="events"
    )
    seq = models.BigIntegerField()
    visitor_seq = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    message = models.ForeignKey(
        "frontdesk_inbox.Message",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="events",
    )
    payload = models.JSONField(default=dict, blank=True)
    actor = models.CharField(max_length=160, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "seq"], name="frontdesk_event_seq_unique"
            ),
            models.UniqueConstraint(
                fields=["conversation", "visitor_seq"],
                condition=Q(visitor_seq__isnull=False),
                name="frontdesk_event_visitor_seq_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.seq}"
