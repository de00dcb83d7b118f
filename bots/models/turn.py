"""Turns: a bot's work on a visitor's words, as leased rows. Actions change them, nothing else."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from inbox.models import Conversation


class TurnStatus(models.TextChoices):
    """Where a turn is. Everything but queued and running is an end, and there is only one."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    HANDED_OVER = "handed_over", _("handed over")


UNFINISHED = (TurnStatus.QUEUED, TurnStatus.RUNNING)
ANSWERING = (*UNFINISHED, TurnStatus.DONE)
"""A message has at most one turn that answers it or will; one that was cut short may be
followed by another when the visitor comes back to the bot."""


class TurnQuerySet(models.QuerySet["Turn"]):
    """Turns named by adjectives."""

    def unfinished(self) -> TurnQuerySet:
        """Waiting or running."""
        return self.filter(status__in=UNFINISHED)

    def due(self, *, grace: dt.timedelta = dt.timedelta()) -> TurnQuerySet:
        """Those somebody may claim now, by the database's clock: waiting behind no other of
        their conversation, or left behind by a worker that died.

        ``grace`` leaves waiting ones to whoever was told of them first.
        """
        busy = Turn.objects.filter(
            conversation_id=OuterRef("conversation_id"), status=TurnStatus.RUNNING
        )
        waiting = Q(status=TurnStatus.QUEUED, next_at__lte=Now() - grace) & ~Exists(busy)
        orphaned = Q(status=TurnStatus.RUNNING, lease_until__lt=Now())
        return self.filter(waiting | orphaned)

    def held(self, turn_id: int, fence: int) -> TurnQuerySet:
        """The turn, while the claim of this fence number is still good."""
        return self.filter(pk=turn_id, fence=fence, status=TurnStatus.RUNNING)

    def owned(self) -> TurnQuerySet:
        """Those whose conversation still has the owner under which they began."""
        # No join: an UPDATE with one moves every condition into a subquery, and PostgreSQL does
        # not look at that again after it has waited for the row.
        same = Conversation.objects.filter(
            pk=OuterRef("conversation_id"), ownership=OuterRef("ownership")
        )
        return self.filter(Exists(same))


class Turn(models.Model):
    """One answer in the making, and the record of how it went.

    A conversation has at most one waiting and one running turn. Every write of a worker
    carries the ``fence`` number of its claim; a claim by somebody else raises it.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    """Public name on the wire, the same for every attempt."""
    bot = models.ForeignKey(
        "frontdesk_bots.Bot",
        verbose_name=_("bot"),
        on_delete=models.PROTECT,
        related_name="turns",
    )
    conversation = models.ForeignKey(
        "frontdesk_inbox.Conversation",
        verbose_name=_("conversation"),
        on_delete=models.CASCADE,
        related_name="bot_turns",
    )
    trigger = models.ForeignKey(
        "frontdesk_inbox.Message",
        verbose_name=_("message"),
        on_delete=models.CASCADE,
        related_name="bot_turns",
    )
    """The newest message it answers; it moves on while the turn waits."""
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    """Operators' numbers: the visitor's messages from first to last are answered together."""
    ownership = models.BigIntegerField()
    status = models.CharField(
        _("status"), max_length=12, choices=TurnStatus.choices, default=TurnStatus.QUEUED
    )
    revision = models.PositiveIntegerField(_("revision"), default=1)
    """Which attempt readers see; each new one replaces what was shown."""
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    fence = models.BigIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)

    said = models.TextField(blank=True, default="")
    """Text before the latest round of tools: where a new attempt goes on."""
    checkpoint = models.TextField(blank=True, default="")
    """Text as readers saw it about a second ago; empty once the turn has ended."""
    sources = models.JSONField(default=list, blank=True)
    message_id = models.UUIDField(_("answer"), default=uuid.uuid4, editable=False)

    error_code = models.CharField(_("error"), max_length=64, blank=True, default="")
    input_tokens = models.PositiveIntegerField(_("tokens in"), default=0)
    output_tokens = models.PositiveIntegerField(_("tokens out"), default=0)
    first_token_ms = models.PositiveIntegerField(_("first word after ms"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)
    response_id = models.CharField(max_length=200, blank=True, default="")
    trace = models.JSONField(_("trace"), default=dict, blank=True)
    """Passages with scores, failed attempts, tool rounds; no message texts."""
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    is_followed = True
    """Not stored: false once it has ended with nothing written behind the words that it answers,
    so that no other turn of its conversation can be waiting."""

    objects: Any = TurnQuerySet.as_manager()

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["trigger"],
                condition=Q(status__in=["queued", "running", "done"]),
                name="frontdesk_turn_one_answer",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status="queued"),
                name="frontdesk_turn_one_waiting",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status="running"),
                name="frontdesk_turn_one_running",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at", "id"],
                condition=Q(status__in=["queued", "running"]),
                name="frontdesk_turn_due",
            ),
            models.Index(fields=["bot", "-finished_at"], name="frontdesk_turn_finished"),
            models.Index(fields=["bot", "-created_at"], name="frontdesk_turn_created"),
            models.Index(fields=["-created_at", "-id"], name="frontdesk_turn_newest"),
            models.Index(
                fields=["error_code", "-created_at", "-id"],
                condition=Q(error_code__gt=""),
                name="frontdesk_turn_errors",
            ),
            # Most are done; what is not is looked for by its state.
            models.Index(
                fields=["status", "-created_at", "-id"],
                condition=Q(status="failed") | Q(status="cancelled") | Q(status="handed_over"),
                name="frontdesk_turn_undone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bot} · {self.get_status_display()}"
