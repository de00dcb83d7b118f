"""How far each reader has read; ephemeral on the wire, remembered here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ReadMarker(models.Model):
    """One reader's mark in one conversation; ``operator`` is null for the visitor.

    The mark is kept in both numberings, so that either side can be told without a search.
    """

    conversation = models.ForeignKey(
        "frontdesk_inbox.Conversation", on_delete=models.CASCADE, related_name="read_markers"
    )
    operator = models.ForeignKey(
        "frontdesk_inbox.Operator",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="read_markers",
    )
    seq = models.BigIntegerField(default=0)
    visitor_seq = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("read marker")
        verbose_name_plural = _("read markers")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "operator"],
                condition=Q(operator__isnull=False),
                name="frontdesk_read_marker_operator",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(operator__isnull=True),
                name="frontdesk_read_marker_visitor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} ≤ {self.seq}"
