"""Finds passages for a question: the visitor's language first, other languages when it has none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.text import Truncator

from bots.backends.base import Passage as Found
from bots.backends.base import Source
from bots.conf import bots_settings
from bots.knowledge import index, vocabulary
from bots.knowledge.plain import plain
from bots.knowledge.queries import Concept, Vocabulary, concepts, wanted
from bots.knowledge.scoring import Document, is_negated, score
from bots.knowledge.terms import base_language, terms
from bots.models import Article, Passage

MAX_QUESTION_CHARS = 1000
MAX_TERMS = 64
SNIPPET_CHARS = 200
OTHER_LANGUAGE_FACTOR = 0.9


def search(
    question: str,
    *,
    language: str,
    limit: int = 5,
    widget_key: str = "",
    context: str = "",
    min_score: float | None = None,
    per_article: int | None = None,
) -> list[Found]:
    """Passages for a question, best first; none when nothing matches well enough.

    Args:
        question: as the visitor wrote it; no query syntax is understood.
        language: language code of the question, such as ``de`` or ``de-AT``.
        limit: most passages to give.
        widget_key: leaves out articles kept for other widgets; empty leaves out every kept one.
        context: an earlier question that this one follows; counts half.
        min_score: 0 to 1, ``BOTS_MIN_SCORE`` by default.
        per_article: most passages of one article, all that fit by default.
    """
    least = bots_settings.MIN_SCORE if min_score is None else min_score
    asked = _Asked(
        question[:MAX_QUESTION_CHARS], context[:MAX_QUESTION_CHARS], language, widget_key
    )
    scored = _scored(asked, language)
    if not any(points >= least for points, _row in scored):
        scored = [
            (OTHER_LANGUAGE_FACTOR * points, row)
            for other in _other_languages(language)
            for points, row in _scored(asked, other)
        ]
    good = [(points, row) for points, row in scored if points >= least]
    good.sort(key=lambda item: (-round(item[0], 6), item[1].article_id, item[1].position))
    return [_found(row, points) for points, row in _varied(good, per_article or limit)[:limit]]


def _varied(good: list[tuple[float, Passage]], per_article: int) -> list[tuple[float, Passage]]:
    """The same order without what is too much of one article."""
    taken: Counter[int] = Counter()
    kept: list[tuple[float, Passage]] = []
    for points, row in good:
        taken[row.article_id] += 1
        if taken[row.article_id] <= per_article:
            kept.append((points, row))
    return kept


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    context: str
    language: str
    widget_key: str


def _scored(asked: _Asked, language: str) -> list[tuple[float, Passage]]:
    """Passages of one language with their scores, in no order."""
    items = wanted(asked.question, language, asked=asked.language, context=asked.context)
    if not items:
        return []
    guessed, known = vocabulary.load(items, language)
    matched = concepts(guessed, known, base_language(language))
    rare = _lookup_terms(matched, known)
    ids = index.candidates(rare, language=language, widget_key=asked.widget_key)
    rows = list(Passage.objects.filter(pk__in=ids).select_related("article").defer("article__body"))
    negated = is_negated(asked.question)
    return [(score(matched, document, negated=negated), row) for row, document in _documents(rows)]


def _lookup_terms(matched: list[Concept], known: Vocabulary) -> list[str]:
    """The terms by which passages are fetched, the rarest first: these say most."""
    leading = [concept for concept in matched if not concept.hint] or matched
    names = {part for concept in leading for phrase in concept.phrases for part in phrase}
    names |= {term for concept in leading for term in concept.terms}
    return sorted(names & known.counts.keys(), key=lambda name: (known.counts[name], name))[
        :MAX_TERMS
    ]


def _documents(rows: list[Passage]) -> Iterator[tuple[Passage, Document]]:
    together: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        together[row.article_id].update(row.body_terms.split())
    for row in rows:
        yield (
            row,
            Document(
                title=frozenset(terms(row.article.title, row.article.language)),
                section=frozenset(terms(row.heading, row.article.language)),
                is_exception=is_negated(row.heading),
                heading=frozenset(row.heading_terms.split()),
                body=Counter(row.body_terms.split()),
                article=frozenset(together[row.article_id]),
            ),
        )


def _found(row: Passage, points: float) -> Found:
    article = row.article
    heading = f"### {row.heading}\n\n" if row.heading else ""
    source = Source(
        url=article.get_absolute_url(),
        title=article.title,
        snippet=Truncator(plain(row.text)).chars(SNIPPET_CHARS),
    )
    return Found(
        source=source,
        text=f"{heading}{row.text}",
        score=round(points, 4),
        article_id=article.pk,
        language=article.language,
    )


def _other_languages(language: str) -> list[str]:
    base = base_language(language)
    codes = Article.objects.published().order_by().values_list("language", flat=True).distinct()
    return sorted({base_language(code) for code in codes} - {base})
