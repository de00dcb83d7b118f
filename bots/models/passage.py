"""Passages and terms: the search side of articles, rebuilt whenever an article is saved."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from bots.models.article import Article


class Passage(models.Model):
    """A part of an article small enough to quote, with its terms as the index holds them.

    Both databases index the same normalised terms (folded and stemmed in Python), so that both
    answer alike. The full-text column and table are made in the first migration.
    """

    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="passages", verbose_name=_("article")
    )
    position = models.PositiveIntegerField(_("position"))
    heading = models.CharField(_("heading"), max_length=500, blank=True)
    """Headings above it without the article's title, outermost first, joined by " › "."""
    text = models.TextField(_("text"))
    """Markdown, about 900 characters at most unless one table or code block is longer."""
    heading_terms = models.TextField(editable=False, blank=True)
    """Terms of title and headings, separated by one space."""
    body_terms = models.TextField(editable=False, blank=True)

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["article", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["article", "position"], name="frontdesk_passage_position_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.article_id}:{self.position} {self.heading}".strip()


class Term(models.Model):
    """How many passages of a language hold a term: weighs words, completes and corrects them."""

    language = models.CharField(max_length=16)
    """Base language without a region."""
    term = models.CharField(max_length=64, db_index=True)
    passages = models.IntegerField()

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        constraints = [
            models.UniqueConstraint(fields=["language", "term"], name="frontdesk_term_once")
        ]

    def __str__(self) -> str:
        return f"{self.language}:{self.term}"
