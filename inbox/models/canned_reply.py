"""Texts that operators insert with ``/`` and a shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from inbox.models.operator import Operator


class CannedReplyQuerySet(models.QuerySet["CannedReply"]):
    """Sets of canned replies."""

    def usable_by(self, operator: Operator) -> CannedReplyQuerySet:
        """Those for everybody and those of the operator's teams."""
        return self.filter(Q(team__isnull=True) | Q(team__members=operator)).distinct()


class CannedReply(models.Model):
    """One prepared text; ``{visitor}`` and ``{operator}`` in it become the names."""

    shortcut = models.SlugField(_("shortcut"), max_length=40)
    title = models.CharField(_("title"), max_length=120)
    content = models.TextField(_("text"), max_length=4000)
    team = models.ForeignKey(
        "frontdesk_inbox.Team",
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="canned_replies",
    )

    objects = CannedReplyQuerySet.as_manager()

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ["shortcut"]
        constraints = [
            models.UniqueConstraint(
                fields=["shortcut", "team"],
                condition=Q(team__isnull=False),
                name="frontdesk_canned_reply_per_team",
            ),
            models.UniqueConstraint(
                fields=["shortcut"],
                condition=Q(team__isnull=True),
                name="frontdesk_canned_reply_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"/{self.shortcut}"
