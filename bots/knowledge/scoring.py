"""How well a passage answers a question, 0 to 1, the same on every database. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from bots.knowledge.queries import Concept
from bots.knowledge.stopwords import as_set
from bots.knowledge.terms import fold

COVERAGE, ARTICLE, HEADING, TITLE, SECTION, FREQUENCY = 0.56, 0.1, 0.15, 0.1, 0.06, 0.03
"""Shares of the score: what of the question the passage covers, its whole article, its headings;
what of the title and of the section's heading the question asks for; how often it is said."""
INTRODUCTION = 0.8
"""What a passage without a section of its own counts there: it says the most important first."""
EXCEPTION = 0.5
"""Factor for a section such as "What cannot be returned" when the question is not negated, too."""
NEGATIONS = as_set("""
    not no never cannot can't cant doesn't doesnt don't dont won't wont without
    nicht kein keine keinen nie ohne
""")
SATURATION = 1.5
PHRASE_SHARE = 0.95
"""A passage that holds all words of a phrase counts like one that holds a synonym."""


@dataclass(frozen=True, slots=True)
class Document:
    """The terms of one passage as the index holds them."""

    title: frozenset[str]
    section: frozenset[str]
    """Of its own heading, without the title; none in the introduction."""
    is_exception: bool
    """Whether its heading says what is not so."""
    heading: frozenset[str]
    """Of the headings, the title's terms included."""
    body: Counter[str]
    article: frozenset[str] = frozenset()
    """Of the article's other passages, as far as they were found."""


def score(concepts: Sequence[Concept], document: Document, *, negated: bool = False) -> float:
    """How much of the question's weight the passage covers, more when its headings do.

    ``negated`` tells that the question holds a word such as "not".
    """
    total = sum(concept.weight for concept in concepts)
    if total <= 0:
        return 0.0
    covered = article = heading = frequency = 0.0
    for concept in concepts:
        in_heading = match(concept, document.heading)
        anywhere = max(in_heading, match(concept, document.body))
        covered += concept.weight * anywhere
        article += concept.weight * max(anywhere, match(concept, document.article))
        heading += concept.weight * in_heading
        times = sum(document.body[term] for term in concept.terms)
        frequency += concept.weight * anywhere * times / (times + SATURATION)
    shares = COVERAGE * covered + ARTICLE * article + HEADING * heading + FREQUENCY * frequency
    shares += SECTION * covered * _section(concepts, document, negated=negated)
    # A question of nothing but "how long" covers itself and yet asks for nothing.
    return shares / max(total, 1.0) + TITLE * _share(concepts, document.title)


def is_negated(text: str) -> bool:
    """Whether a text holds a word such as "not" or "kein"."""
    return not NEGATIONS.isdisjoint(fold(text).replace("’", "'").split())


def _section(concepts: Sequence[Concept], document: Document, *, negated: bool) -> float:
    """How well the section fits: asked for, the introduction, an exception to what is asked."""
    share = _share(concepts, document.section) if document.section else INTRODUCTION
    return share if document.is_exception == negated else share * EXCEPTION


def _share(concepts: Sequence[Concept], terms: frozenset[str]) -> float:
    """Share of some terms that the question asks for: "Delivery" before "Delivery abroad"."""
    asked = {term for concept in concepts for term in concept.terms}
    asked |= {part for concept in concepts for phrase in concept.phrases for part in phrase}
    return len(terms & asked) / max(1, len(terms))


def match(concept: Concept, terms: Container[str]) -> float:
    """How well one concept is matched by some terms, 0 to 1."""
    best = max((share for term, share in concept.terms.items() if term in terms), default=0.0)
    if best < PHRASE_SHARE and any(
        all(part in terms for part in phrase) for phrase in concept.phrases
    ):
        return PHRASE_SHARE
    return best
