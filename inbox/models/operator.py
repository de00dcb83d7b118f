"""People who answer: their teams, presence lease and capacity."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class OperatorQuerySet(models.QuerySet["Operator"]):
    """Sets of operators, named by adjectives."""

    def present(self, now: dt.datetime, lease_seconds: int) -> OperatorQuerySet:
        """Active accounts that want conversations and gave a sign of life within the lease."""
        return self.filter(
            user__is_active=True,
            available=True,
            last_seen_at__gte=now - dt.timedelta(seconds=lease_seconds),
        )


class Operator(models.Model):
    """An account of the site that answers visitors.

    Presence is a lease: ``available`` is the wish, ``last_seen_at`` the last sign of life.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("account"),
        on_delete=models.CASCADE,
        related_name="frontdesk_operator",
    )
    display_name = models.CharField(_("name shown to visitors"), max_length=120, blank=True)
    avatar_url = models.CharField(_("picture URL"), max_length=500, blank=True, default="")
    teams = models.ManyToManyField(
        "frontdesk_inbox.Team", verbose_name=_("teams"), blank=True, related_name="members"
    )
    capacity = models.PositiveSmallIntegerField(
        _("capacity"), default=5, help_text=_("Conversations at once, given by the queue.")
    )
    available = models.BooleanField(_("available"), default=False)
    last_seen_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    sound = models.BooleanField(_("sound"), default=True)

    objects = OperatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name that visitors and colleagues read."""
        return self.display_name or self.user.get_full_name() or self.user.get_username()
