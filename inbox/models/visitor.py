"""People who write through a widget: guests, and people whom the host vouches for."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from inbox.models.conversation import Conversation

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class VisitorQuerySet(models.QuerySet["Visitor"]):
    """Sets of visitors, named by adjectives."""

    def guests(self) -> VisitorQuerySet:
        """Visitors nobody vouches for."""
        return self.filter(external_id="")

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> VisitorQuerySet:
        """Visitors with at least one conversation that this user may see."""
        conversations = Conversation.objects.visible_to(user)
        return self.filter(pk__in=conversations.values("visitor_id"))


class Visitor(models.Model):
    """One person in front of one widget.

    ``external_id`` is empty for a guest; otherwise it names the person as the host does
    (``user:<pk>`` for the site's own users, ``jwt:<sub>`` for signed identities). Name and
    e-mail are claims unless ``verified``; they are never a key to history.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    widget_key = models.CharField(_("widget"), max_length=64)
    external_id = models.CharField(max_length=255, blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("site user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    name = models.CharField(_("name"), max_length=120, blank=True, default="")
    email = models.EmailField(_("e-mail"), blank=True, default="")
    session_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    """Public id of the conversation this visitor sees: the open one, or the one that their
    next message will create. It moves when that conversation is closed."""
    token_epoch = models.PositiveIntegerField(default=0)
    """Tokens and tickets carry it; raising it revokes all that were issued before."""
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged_guests"
    )
    blocked_at = models.DateTimeField(_("blocked since"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True, default="")
    page_url = models.CharField(_("page"), max_length=2000, blank=True, default="")
    page_title = models.CharField(_("page title"), max_length=300, blank=True, default="")
    referrer = models.CharField(_("referrer"), max_length=2000, blank=True, default="")
    user_agent = models.CharField(_("browser"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)

    objects = VisitorQuerySet.as_manager()

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        constraints = [
            models.UniqueConstraint(
                fields=["widget_key", "external_id"],
                condition=~models.Q(external_id=""),
                name="frontdesk_one_visitor_per_person",
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="frontdesk_visitor_newest"),
            models.Index(
                fields=["-created_at", "-id"],
                condition=models.Q(blocked_at__isnull=False),
                name="frontdesk_visitor_blocked",
            ),
            models.Index(
                fields=["external_id"],
                condition=models.Q(external_id__gt=""),
                name="frontdesk_visitor_known",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def verified(self) -> bool:
        """Whether the host vouches for this identity."""
        return bool(self.external_id)

    @property
    def display_name(self) -> str:
        """The name for screens; guests without one get a short stable label."""
        return self.name_in(get_language())

    def name_in(self, language: str | None) -> str:
        """``display_name`` for callers with many visitors, who ask for the language once."""
        return self.name or _guest_name(language) % {"code": self.public_id.hex[:4].upper()}


@lru_cache(maxsize=128)
def _guest_name(language: str | None) -> str:
    # Every message of a guest is told under this name; a translation costs more than the rest.
    return gettext("Visitor %(code)s")
