"""Tool calls of a turn, written before they run so that none runs twice."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ToolCallStatus(models.TextChoices):
    """How far a call has come."""

    REQUESTED = "requested", _("requested")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class ToolCall(models.Model):
    """One call; a new attempt of the turn uses its stored result instead of calling again."""

    turn = models.ForeignKey(
        "frontdesk_bots.Turn", on_delete=models.CASCADE, related_name="tool_calls"
    )
    round = models.PositiveSmallIntegerField(_("round"))
    position = models.PositiveSmallIntegerField(_("position"))
    call_id = models.CharField(max_length=128)
    name = models.CharField(_("tool"), max_length=128)
    arguments = models.TextField(_("arguments"), blank=True, default="")
    side_effect = models.BooleanField(_("changes something"), default=False)
    status = models.CharField(
        _("status"),
        max_length=9,
        choices=ToolCallStatus.choices,
        default=ToolCallStatus.REQUESTED,
    )
    code = models.CharField(_("code"), max_length=32, blank=True, default="")
    result = models.TextField(_("result"), blank=True, default="")
    began_at = models.DateTimeField(_("began"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("tool call")
        verbose_name_plural = _("tool calls")
        ordering = ["turn", "round", "position"]
        constraints = [
            models.UniqueConstraint(fields=["turn", "call_id"], name="frontdesk_tool_call_once")
        ]

    def __str__(self) -> str:
        return self.name
