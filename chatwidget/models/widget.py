"""A widget: which pages may carry it, who may use it, how it looks and what it says."""

from __future__ import annotations

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from chatwidget.origins import split_origins
from chatwidget.validators import (
    validate_accent,
    validate_origins,
    validate_secret,
    validate_starters,
    validate_web_address,
)

DEFAULT_KEY = "default"
"""Key of the widget that ``migrate`` creates for the site itself."""


class Theme(models.TextChoices):
    """Light, dark, or as the visitor's system says."""

    AUTO = "auto", _("as the visitor's system")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class Position(models.TextChoices):
    """Logical sides: ``end`` is right in English and left in Arabic."""

    END = "end", _("end of the line (right in English)")
    START = "start", _("start of the line (left in English)")


class Widget(models.Model):
    """One chat on one or more pages; its ``key`` stands in those pages and is no secret."""

    key = models.SlugField(
        _("key"), max_length=64, unique=True, help_text=_("Stands in the page; no secret.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    bot_key = models.CharField(
        _("bot"),
        max_length=64,
        blank=True,
        default="default",
        help_text=_("Key of the bot that answers first; empty: people answer at once."),
    )
    team = models.ForeignKey(
        "frontdesk_inbox.Team",
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="widgets",
        help_text=_("Conversations of this widget go to this team; empty: to everybody."),
    )
    allowed_origins = models.TextField(
        _("allowed origins"),
        blank=True,
        default="",
        validators=[validate_origins],
        help_text=_(
            "Other sites whose pages may carry this widget, one per line, such as "
            "https://shop.example. This site itself is always allowed."
        ),
    )
    anonymous = models.BooleanField(
        _("guests may write"),
        default=True,
        help_text=_("Without this, only people whom the host vouches for may write."),
    )
    identity_secret = models.CharField(
        _("identity secret"),
        max_length=255,
        blank=True,
        default="",
        validators=[validate_secret],
        help_text=_(
            "The host signs identities (JWT, HS256) with it; at least 32 bytes. "
            "Empty: no JWT counts."
        ),
    )

    name = models.CharField(_("title"), max_length=80, default="Chat")
    greeting = models.TextField(
        _("greeting"), blank=True, default="", validators=[MaxLengthValidator(500)]
    )
    starters = models.JSONField(
        _("starters"),
        default=list,
        blank=True,
        validators=[validate_starters],
        help_text=_("Up to four first questions to choose from, one per line."),
    )
    reply_time = models.CharField(
        _("reply time"),
        max_length=120,
        blank=True,
        default="",
        help_text=_("Such as: We usually answer within a few minutes."),
    )
    avatar_url = models.CharField(
        _("picture URL"), max_length=500, blank=True, default="", validators=[validate_web_address]
    )
    privacy_url = models.CharField(
        _("privacy page"), max_length=500, blank=True, default="", validators=[validate_web_address]
    )

    accent = models.CharField(
        _("accent colour"), max_length=7, default="#3f4fdb", validators=[validate_accent]
    )
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    position = models.CharField(
        _("position"), max_length=5, choices=Position.choices, default=Position.END
    )

    human = models.BooleanField(_("offer “Talk to a person”"), default=True)
    rating = models.BooleanField(_("ask for a rating at the end"), default=True)
    sound = models.BooleanField(_("sound for new messages"), default=True)
    sources = models.BooleanField(_("show the sources of an answer"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("widget")
        verbose_name_plural = _("widgets")
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    @property
    def origins(self) -> list[str]:
        """The allowed origins in their one spelling, the site itself not among them."""
        return split_origins(self.allowed_origins)


class WidgetText(models.Model):
    """A widget's texts in one more language; what is empty here falls back to the widget's own."""

    widget = models.ForeignKey(Widget, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(
        _("language"), max_length=16, help_text=_("Language code, such as de or pt-br.")
    )
    name = models.CharField(_("title"), max_length=80, blank=True, default="")
    greeting = models.TextField(
        _("greeting"), blank=True, default="", validators=[MaxLengthValidator(500)]
    )
    starters = models.JSONField(
        _("starters"),
        default=list,
        blank=True,
        validators=[validate_starters],
        help_text=_("Up to four first questions to choose from, one per line."),
    )
    reply_time = models.CharField(_("reply time"), max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("text in another language")
        verbose_name_plural = _("texts in other languages")
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(
                fields=["widget", "language"], name="frontdesk_widget_text_once"
            )
        ]

    def __str__(self) -> str:
        return self.language
