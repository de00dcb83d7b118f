"""Articles: the texts the bot may answer from. It knows nothing of search or import."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from bots.conf import bots_settings


class ArticleQuerySet(models.QuerySet["Article"]):
    """Articles named by what makes them interesting."""

    def published(self) -> ArticleQuerySet:
        """Those the bot may quote."""
        return self.filter(published=True)

    def in_language(self, language: str) -> ArticleQuerySet:
        """Those of a language and its regional forms: ``de`` finds ``de`` and ``de-at``."""
        base = language.split("-")[0].lower()
        return self.filter(
            models.Q(language=base) | models.Q(language__startswith=f"{base}-"),
        )


class Article(models.Model):
    """One text in one language; ``bots.actions.articles`` writes it, passages included."""

    key = models.SlugField(_("key"), max_length=120, help_text=_("Short name used in its address."))
    language = models.CharField(
        _("language"), max_length=16, help_text=_("Language code such as en, de or pt-br.")
    )
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), help_text=_("Markdown. Headings cut it into passages."))
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        help_text=_("Where a source link leads. Empty: the address made from BOTS_ARTICLE_URL."),
    )
    published = models.BooleanField(
        _("published"), default=True, help_text=_("Only published articles are searched.")
    )
    widget_keys = models.JSONField(
        _("widgets"),
        default=list,
        blank=True,
        help_text=_("Keys of the widgets that may use it; empty means all of them."),
    )
    source_path = models.CharField(
        _("imported from"), max_length=500, blank=True, editable=False, db_index=True
    )
    checksum = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: Any = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["language", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["language", "key"],
                name="frontdesk_article_key_once",
                violation_error_message=_("This language has an article with this key already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"

    def get_absolute_url(self) -> str:
        """Its own address, else the one made from ``BOTS_ARTICLE_URL``, else an empty string."""
        if self.url:
            return self.url
        return bots_settings.ARTICLE_URL.format(language=self.language, key=self.key)
