"""A conversation: its counters, its state and who answers it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models.team import Team


class Status(models.TextChoices):
    """Where a conversation is in its life."""

    OPEN = "open", _("open")
    SNOOZED = "snoozed", _("snoozed")
    CLOSED = "closed", _("closed")


class HandledBy(models.TextChoices):
    """Whose turn it is to answer; exactly one at any time."""

    BOT = "bot", _("bot")
    QUEUE = "queue", _("queue")
    OPERATOR = "operator", _("operator")
    NOBODY = "nobody", _("nobody")


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Sets of conversations; ``visible_to`` is the authorisation of every operator's query."""

    def visible_to(self, user: Any) -> ConversationQuerySet:
        """What an operator may see: their teams', those without a team, or all with view_all."""
        if not user.is_active or not user.has_perm("frontdesk_inbox.view_inbox"):
            return self.none()
        if user.has_perm("frontdesk_inbox.view_all"):
            return self.all()
        # A subquery: a join would need DISTINCT, which sorts every row before the first page.
        own = Team.objects.filter(members__user=user)
        return self.filter(Q(team__isnull=True) | Q(team__in=own))

    def open(self) -> ConversationQuerySet:
        """Neither snoozed nor closed."""
        return self.filter(status=Status.OPEN)

    def queued(self) -> ConversationQuerySet:
        """Waiting for a person, the longest wait first."""
        return self.filter(status=Status.OPEN, handled_by=HandledBy.QUEUE).order_by(
            "queued_at", "id"
        )

    def assigned_to(self, operator_id: int) -> ConversationQuerySet:
        """Open and answered by this operator."""
        return self.filter(
            status=Status.OPEN, handled_by=HandledBy.OPERATOR, operator_id=operator_id
        )


class Conversation(models.Model):
    """One thread between a visitor and whoever answers.

    ``head`` counts every durable event (operators' numbering); ``visitor_head`` counts only
    what the visitor may see. Both are gap-free and are raised in the transaction that inserts
    the events, under this row's lock. ``ownership`` rises with each change of who answers;
    every bot write must match it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visitor = models.ForeignKey(
        "frontdesk_inbox.Visitor",
        verbose_name=_("visitor"),
        on_delete=models.CASCADE,
        related_name="conversations",
    )
    widget_key = models.CharField(_("widget"), max_length=64)
    bot_key = models.CharField(_("bot"), max_length=64, blank=True, default="")
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.OPEN
    )
    handled_by = models.CharField(
        _("handled by"), max_length=8, choices=HandledBy.choices, default=HandledBy.NOBODY
    )
    ownership = models.BigIntegerField(default=0)
    operator = models.ForeignKey(
        "frontdesk_inbox.Operator",
        verbose_name=_("operator"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="conversations",
    )
    last_operator = models.ForeignKey(
        "frontdesk_inbox.Operator",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    team = models.ForeignKey(
        "frontdesk_inbox.Team",
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="conversations",
        # Lists go by activity and look at the team on the way; an index of teams alone would
        # only lead SQLite to sort all of a team's conversations.
        db_index=False,
    )
    tags = models.ManyToManyField(
        "frontdesk_inbox.Tag", verbose_name=_("tags"), blank=True, related_name="conversations"
    )
    head = models.BigIntegerField(default=0)
    visitor_head = models.BigIntegerField(default=0)
    language = models.CharField(_("language"), max_length=16, blank=True, default="")
    preview = models.CharField(max_length=160, blank=True, default="")
    preview_role = models.CharField(max_length=10, blank=True, default="")
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    """Since when the visitor's last words wait for an answer; null when answered."""
    queued_at = models.DateTimeField(_("queued since"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)
    rating_comment = models.CharField(_("comment"), max_length=2000, blank=True, default="")
    created_at = models.DateTimeField(_("started"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last activity"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-updated_at", "-id"]
        permissions = [
            ("view_inbox", _("May work in the inbox")),
            ("view_all", _("May see the conversations of every team")),
        ]
        indexes = [
            # Whether somebody may see a row is decided by the team that stands last in these two.
            models.Index(fields=["-updated_at", "-id", "team"], name="frontdesk_conv_latest"),
            models.Index(
                fields=["status", "handled_by", "-updated_at", "-id", "team"],
                name="frontdesk_conv_stretch",
            ),
            models.Index(
                fields=["operator", "status", "-updated_at", "-id"],
                condition=Q(operator__isnull=False),
                name="frontdesk_conv_own",
            ),
            models.Index(
                fields=["queued_at", "id"],
                condition=Q(handled_by="queue", status="open"),
                name="frontdesk_conv_queue",
            ),
            models.Index(
                fields=["snoozed_until"],
                condition=Q(status="snoozed"),
                name="frontdesk_conv_snoozed",
            ),
            models.Index(fields=["visitor", "-created_at"], name="frontdesk_conv_visitor"),
        ]

    def __str__(self) -> str:
        return f"{self.visitor} · {self.get_status_display()}"

    @property
    def is_closed(self) -> bool:
        """Whether it has ended; a closed conversation takes no message."""
        return self.status == Status.CLOSED
