"""Answers a question with the site's own sentences: chosen, in their order, with marks. Pure.

The sources of an answer are numbered from 1 in the order in which they are used; their snippets
are what was quoted of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.utils.text import Truncator

from bots.backends.base import Passage, Source
from bots.knowledge.passages import HEADING_SEPARATOR
from bots.knowledge.plain import Statement, plain, statements
from bots.knowledge.queries import Concept, Vocabulary, concepts, known_terms, replaced, wanted
from bots.knowledge.scoring import match
from bots.knowledge.terms import base_language, terms

SHORT_CHARS = 450
"""A passage up to this long is quoted whole: it was written to be read as one."""
ANSWER_CHARS = 480
"""About how much of a longer passage is quoted."""
SECOND_SHARE = 0.9
"""A second passage is quoted when it scores at least this share of the best one's score."""
SNIPPET_CHARS = 200
WORTH_SHARE = 0.6
"""Further sentences are quoted when they match at least this share of what the best one does."""
TRACE = 0.01
MAX_ROWS = 8


@dataclass(frozen=True, slots=True)
class Extract:
    """An answer made of quotations."""

    text: str
    """Markdown with ``[1]`` marks."""
    sources: list[Source]
    language: str
    """Language of the quoted article."""


def extract(
    question: str, passages: Sequence[Passage], *, language: str, context: str = ""
) -> Extract:
    """The best sentences of the best one or two passages.

    Args:
        question: the visitor's message, in ``language``.
        passages: best first, at least one.
        context: an earlier message that the question follows.
    """
    best = passages[0]
    base = base_language(best.language or language)
    asked = _concepts(question, passages, asked=language, base=base, context=context)
    chosen = [best, *_second(asked, best, passages[1:], base)]
    sources: list[Source] = []
    parts: list[str] = []
    for passage in chosen:
        heading, said = _quoted(passage, asked, base)
        known = [(source.url, source.title) for source in sources]
        address = (passage.source.url, passage.source.title)
        if address not in known:
            snippet = Truncator(plain(said)).chars(SNIPPET_CHARS)
            sources.append(replace(passage.source, snippet=snippet))
            known.append(address)
        lead = f"**{heading}**\n\n" if heading else ""
        parts.append(f"{lead}{said} [{1 + known.index(address)}]")
    return Extract("\n\n".join(parts), sources, base)


def _concepts(
    question: str, passages: Sequence[Passage], *, asked: str, base: str, context: str
) -> list[Concept]:
    """The question's concepts in the words of these passages."""
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update(set(terms(f"{passage.source.title}\n{passage.text}", base)))
    vocabulary = Vocabulary(counts, len(passages))
    items = wanted(question, base, asked=asked, context=context)
    guessed = [
        guess
        for item in items
        for guess in (
            [item]
            if not item.stem or known_terms(item, vocabulary, base)
            else replaced(item, vocabulary, base) or [item]
        )
    ]
    return concepts(guessed, vocabulary, base)


def _second(
    asked: list[Concept], best: Passage, others: Sequence[Passage], base: str
) -> list[Passage]:
    """One more passage if it is about as good and says something that the best one does not."""
    known = set(terms(f"{best.source.title}\n{best.text}", base))
    for other in others:
        if other.score < SECOND_SHARE * best.score or other.text == best.text:
            continue
        more = set(terms(f"{other.source.title}\n{other.text}", base))
        if any(match(concept, more) and not match(concept, known) for concept in asked):
            return [other]
    return []


def _quoted(passage: Passage, asked: list[Concept], base: str) -> tuple[str, str]:
    """The heading of a passage, and what of it answers."""
    heading, text = _heading(passage.text)
    said = statements(text)
    if len(plain(text)) > SHORT_CHARS:
        said = _best(said, asked, base)
    return heading, _written(_rows(said, asked, base))


def _heading(text: str) -> tuple[str, str]:
    """The innermost heading of a found passage, and its text."""
    first, _, rest = text.partition("\n")
    if not first.startswith("### "):
        return "", text
    return first.removeprefix("### ").split(HEADING_SEPARATOR)[-1], rest.strip()


def _best(said: list[Statement], asked: list[Concept], base: str) -> list[Statement]:
    """The statements that match best, with what they need around them, in their order."""
    worth = {place: _worth(one, asked, base) for place, one in enumerate(said)}
    least = WORTH_SHARE * max(worth.values())
    kept: set[int] = set()
    for place in sorted(worth, key=lambda place: (-worth[place], place)):
        used = sum(len(said[other].text) for other in kept)
        if kept and (used >= ANSWER_CHARS or worth[place] < max(least, TRACE)):
            break
        kept |= _together(said, place)
    return [one for place, one in enumerate(said) if place in kept]


def _together(said: list[Statement], place: int) -> set[int]:
    """What is only understood together: a list with the sentence before it, a table."""
    one = said[place]
    if one.kind in {"sentence", "code"}:
        return {place}
    block = {other for other, each in enumerate(said) if each.block == one.block}
    before = min(block) - 1
    if before >= 0 and said[before].text.endswith(":"):
        block.add(before)
    return block


def _rows(said: list[Statement], asked: list[Concept], base: str) -> list[Statement]:
    """Of each table the rows that are asked for, or all when none stands out."""
    kept: list[Statement] = []
    for block, group in groupby(said, key=lambda one: (one.block, one.kind)):
        members = list(group)
        if block[1] == "row":
            worth = [_worth(one, asked, base) for one in members]
            if max(worth) > min(worth):
                members = [
                    one for one, points in zip(members, worth, strict=True) if points == max(worth)
                ]
            members = members[:MAX_ROWS]
        kept += members
    return kept


def _worth(one: Statement, asked: list[Concept], base: str) -> float:
    said = set(terms(one.text, base))
    return sum(concept.weight * match(concept, said) for concept in asked)


def _written(said: list[Statement]) -> str:
    """Statements as Markdown again: sentences of a paragraph on one line, items on their own."""
    text = ""
    block = -1
    for one in said:
        glue = "\n\n" if one.block != block else (" " if one.kind == "sentence" else "\n")
        text += f"{glue if text else ''}{one.marker}{one.text}"
        block = one.block
    return text
