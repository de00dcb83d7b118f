"""Bots: who answers, in whose voice, with which backend and within which limits."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from bots.conf import bots_settings


class BotQuerySet(models.QuerySet["Bot"]):
    """Bots named by adjectives."""

    def enabled(self) -> BotQuerySet:
        """Those that may answer."""
        return self.filter(enabled=True)


class Bot(models.Model):
    """One bot. Empty fields mean the site's settings; keys and addresses are only there."""

    key = models.SlugField(
        _("key"), max_length=64, unique=True, help_text=_("How widgets name it.")
    )
    name = models.CharField(_("name"), max_length=120, help_text=_("The name visitors read."))
    avatar_url = models.CharField(_("picture URL"), max_length=500, blank=True, default="")
    enabled = models.BooleanField(_("enabled"), default=True)

    backend = models.CharField(
        _("backend"), max_length=64, blank=True, default="", help_text=_("Empty: BOTS_BACKEND.")
    )
    model = models.CharField(
        _("model"), max_length=120, blank=True, default="", help_text=_("Empty: BOTS_MODEL.")
    )
    instructions = models.TextField(
        _("instructions"),
        blank=True,
        default="",
        max_length=20_000,
        help_text=_("Your own words to the bot: tone, what to offer, what to leave out."),
    )
    temperature = models.FloatField(
        _("temperature"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text=_("Empty: the provider's own."),
    )
    max_output_tokens = models.PositiveIntegerField(
        _("longest answer in tokens"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: BOTS_MAX_OUTPUT_TOKENS."),
    )
    history_messages = models.PositiveSmallIntegerField(
        _("earlier messages shown to the model"),
        null=True,
        blank=True,
        help_text=_("Empty: BOTS_HISTORY_MESSAGES."),
    )
    use_previous_response_id = models.BooleanField(
        _("let the provider remember"),
        default=False,
        help_text=_(
            "Only for the backend “responses”: the provider stores the answers and gets their "
            "ids instead of the earlier messages. The site's own record stays complete."
        ),
    )
    tools = models.JSONField(
        _("tools"),
        default=list,
        blank=True,
        help_text=_("Names of tools of BOTS_TOOLS it may call; empty means all of them."),
    )
    min_score = models.FloatField(
        _("least score of a passage"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("Worse matches are not used. Empty: BOTS_MIN_SCORE."),
    )

    hand_off_after_failures = models.PositiveSmallIntegerField(
        _("hand off after failures"),
        default=1,
        help_text=_("After this many failed answers in a row a person is asked; 0 for never."),
    )
    turns_per_visitor_day = models.PositiveIntegerField(
        _("answers per visitor and day"), default=200, help_text=_("0 for no limit.")
    )
    turns_per_day = models.PositiveIntegerField(
        _("answers per day"), default=0, help_text=_("0 for no limit.")
    )
    tokens_per_day = models.PositiveBigIntegerField(
        _("tokens per day"), default=0, help_text=_("In and out together; 0 for no limit.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: Any = BotQuerySet.as_manager()

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def backend_alias(self) -> str:
        """Alias of the backend that answers for it."""
        return self.backend or bots_settings.BACKEND

    @property
    def history_limit(self) -> int:
        """How many earlier messages its backend is shown at most."""
        if self.history_messages is None:
            return bots_settings.HISTORY_MESSAGES
        return self.history_messages

    @property
    def output_limit(self) -> int:
        """Longest answer in tokens."""
        return self.max_output_tokens or bots_settings.MAX_OUTPUT_TOKENS
