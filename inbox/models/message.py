"""Words that somebody said: visitor, bot, operator or the system itself."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Who speaks; the values are the wire's."""

    USER = "user", _("visitor")
    ASSISTANT = "assistant", _("bot")
    OPERATOR = "operator", _("operator")
    SYSTEM = "system", _("system")


class MessageKind(models.TextChoices):
    """A reply everybody in the conversation reads, or a note only operators do."""

    REPLY = "reply", _("reply")
    NOTE = "note", _("private note")


class Message(models.Model):
    """One message. Its place in the conversation is its event's ``seq``.

    ``dedupe_key`` makes sending effectively once: ``v<visitor>:<client_id>`` across all of a
    visitor's conversations, ``o<operator>:<conversation>:<client_id>`` for operators,
    ``t<turn>`` for a bot's answer; null for what cannot be resent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "frontdesk_inbox.Conversation", on_delete=models.CASCADE, related_name="messages"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    kind = models.CharField(
        _("kind"), max_length=5, choices=MessageKind.choices, default=MessageKind.REPLY
    )
    author_name = models.CharField(_("author"), max_length=120, blank=True, default="")
    author_avatar = models.CharField(max_length=500, blank=True, default="")
    operator = models.ForeignKey(
        "frontdesk_inbox.Operator",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    client_id = models.CharField(max_length=64, blank=True, default="")
    dedupe_key = models.CharField(max_length=160, null=True, blank=True, unique=True)
    content = models.TextField(_("content"), blank=True, default="")
    sources = models.JSONField(_("sources"), default=list, blank=True)
    quick_replies = models.JSONField(_("quick replies"), default=list, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True, default="")
    """For a bot's answer: ``done``, ``failed``, ``cancelled`` or ``handed_over``."""
    created_at = models.DateTimeField(_("written"))
    edited_at = models.DateTimeField(null=True, blank=True)
    redacted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["conversation", "created_at"], name="frontdesk_message_thread")
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_note(self) -> bool:
        """Whether only operators may ever read it."""
        return self.kind == MessageKind.NOTE
