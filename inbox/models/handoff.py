"""The packet that travels with a conversation when it goes from the bot to a person."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class HandoffReason(models.TextChoices):
    """Why a person was asked."""

    BUTTON = "button", _("the visitor asked")
    TOOL = "tool", _("the bot asked")
    RULE = "rule", _("a rule matched")
    FAILURE = "failure", _("the bot failed")
    LIMIT = "limit", _("a limit was reached")


class Handoff(models.Model):
    """One hand-off, written in the transition's own transaction."""

    conversation = models.ForeignKey(
        "frontdesk_inbox.Conversation", on_delete=models.CASCADE, related_name="handoffs"
    )
    seq = models.BigIntegerField()
    reason = models.CharField(_("reason"), max_length=8, choices=HandoffReason.choices)
    summary = models.TextField(_("summary"), blank=True, default="")
    tried = models.TextField(_("what was tried"), blank=True, default="")
    question = models.TextField(_("open question"), blank=True, default="")
    language = models.CharField(_("language"), max_length=16, blank=True, default="")
    suggested_reply = models.TextField(_("suggested reply"), blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("hand-off")
        verbose_name_plural = _("hand-offs")
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="frontdesk_handoff_newest"),
            models.Index(fields=["reason", "-created_at", "-id"], name="frontdesk_handoff_reason"),
        ]

    def __str__(self) -> str:
        return str(self.get_reason_display())
