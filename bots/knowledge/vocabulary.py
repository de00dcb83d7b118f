"""Reads the terms around a question from the database: counts, longer words, likely corrections."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from bots.knowledge.queries import (
    COMPOUNDING,
    MIN_PREFIX,
    MIN_SUFFIX,
    Vocabulary,
    Wanted,
    known_terms,
    replaced,
    splits,
)
from bots.knowledge.spelling import MAX_ENDING, MIN_CHARS, trigrams
from bots.knowledge.synonyms import groups
from bots.knowledge.terms import base_language
from bots.models import Article, Passage, Term

MAX_LONGER_TERMS = 500
"""Most longer words that are read for one question."""
MAX_SIMILAR_TERMS = 3000
"""Most terms that a mistyped word is compared with."""


def load(items: list[Wanted], language: str) -> tuple[list[Wanted], Vocabulary]:
    """What the index knows of these concepts, and the concepts with guesses for unknown words."""
    base = base_language(language)
    articles = Article.objects.published().in_language(base)
    passages = Passage.objects.filter(article__in=articles).count()
    known = Term.objects.filter(language=base)
    vocabulary = Vocabulary(_exact(known, items, base) | _longer(known, items, base), passages)
    unknown = [item for item in items if item.stem and not known_terms(item, vocabulary, base)]
    if not unknown:
        return items, vocabulary
    similar = Vocabulary({**vocabulary.counts, **_similar(known, unknown)}, passages)
    guessed: list[Wanted] = []
    for item in items:
        guesses = replaced(item, similar, base) if item in unknown else []
        guessed += guesses or [item]
    counts = {**similar.counts, **_exact(known, guessed, base)}
    return guessed, Vocabulary(counts, passages)


def _exact(known: QuerySet[Term], items: list[Wanted], base: str) -> dict[str, int]:
    names: set[str] = set()
    for item in items:
        names |= {item.stem, *item.synonyms, *(part for phrase in item.phrases for part in phrase)}
        names.add(item.stem[:-1])
        for heads, tail in splits(item.stem, base):
            names |= {*heads, tail}
    for group in groups(base, base):
        if names & group.stems:
            names |= group.stems
    return dict(known.filter(term__in=names).values_list("term", "passages"))


def _longer(known: QuerySet[Term], items: list[Wanted], base: str) -> dict[str, int]:
    wish = Q(pk__in=[])
    for stem in {item.stem for item in items if len(item.stem) >= MIN_PREFIX}:
        wish |= Q(term__startswith=stem)
        if base in COMPOUNDING and len(stem) >= MIN_SUFFIX:
            wish |= Q(term__endswith=stem)
    found = known.filter(wish).order_by("-passages", "term")[:MAX_LONGER_TERMS]
    return dict(found.values_list("term", "passages"))


def _similar(known: QuerySet[Term], unknown: list[Wanted]) -> dict[str, int]:
    """Terms of about the same length that share three letters in a row or the first letter."""
    found: dict[str, int] = {}
    for stem in (item.stem for item in unknown if len(item.stem) >= MIN_CHARS):
        wish = Q(term__startswith=stem[0])
        for triple in trigrams(stem):
            if " " not in triple:
                wish |= Q(term__contains=triple)
        near = known.alias(length=Length("term")).filter(
            wish, length__gte=len(stem) - MAX_ENDING, length__lte=len(stem) + 2
        )
        rows = near.order_by("-passages", "term")[:MAX_SIMILAR_TERMS]
        found |= dict(rows.values_list("term", "passages"))
    return found
