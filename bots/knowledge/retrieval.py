"""What a bot is given to answer from: the search, with the conversation in mind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from bots.backends.base import ChatTurn, Passage
from bots.conf import bots_settings
from bots.knowledge.language import detect
from bots.knowledge.queries import HINT_FACTOR, wanted
from bots.knowledge.search import search
from bots.knowledge.stopwords import as_set
from bots.knowledge.terms import fold, words

PER_ARTICLE = 3
"""Most passages of one article, so that a second source has a chance."""
TURNS_BACK = 6
"""How many earlier messages are looked at for what a follow-up refers to."""
STRONG = 0.75
"""A message that finds something this good by itself needs nothing from before."""
COMPLETE = 0.85
"""Nor does one that begins with "and", names its own subject and finds something this good."""

OPENINGS = re.compile(
    r"\W*(?:and|but|or|what about|how about|und|aber|oder|was ist mit|wie ist es|wie sieht es)\b"
)
"""A message that begins like this goes on with what was said before."""
POINTERS = as_set("""
    it its that this those these they them there one ones then also instead same
    das dies diese dieses es dazu damit davon dafur daran dabei dort auch sonst denn stattdessen
""")
"""Folded words that point at something said before."""


def retrieve(
    question: str,
    history: Sequence[ChatTurn] = (),
    language: str = "",
    widget_key: str = "",
    *,
    limit: int | None = None,
    min_score: float | None = None,
) -> tuple[Passage, ...]:
    """Passages for a visitor's message, best first; empty when nothing is good enough.

    A message that says little by itself ("and how long does that take?") is searched together
    with the visitor's message before it.

    Args:
        question: the message to answer.
        history: earlier messages, oldest first, without the question.
        language: the language expected; the message's own wins where it is clear.
        widget_key: leaves out articles kept for other widgets.
        limit: most passages, ``BOTS_PASSAGES`` by default.
        min_score: 0 to 1, ``BOTS_MIN_SCORE`` by default.
    """
    spoken = detect(question, language)
    most = bots_settings.PASSAGES if limit is None else limit
    ask = partial(
        search,
        question,
        language=spoken,
        limit=most,
        widget_key=widget_key,
        min_score=min_score,
        per_article=PER_ARTICLE,
    )
    found = ask()
    if not _stands_alone(question, found[0].score if found else 0.0, spoken):
        context = earlier_question(question, history, spoken)
        found = (ask(context=context) if context else []) or found
    return tuple(found)


def _stands_alone(question: str, score: float, language: str) -> bool:
    if OPENINGS.match(fold(question)) is None:
        return score >= STRONG
    return score >= COMPLETE and not _points_back(question, language)


def earlier_question(question: str, history: Sequence[ChatTurn], language: str) -> str:
    """The visitor's message that a follow-up refers to; empty when it stands for itself."""
    if not is_follow_up(question, language):
        return ""
    for turn in reversed(history[-TURNS_BACK:]):
        if turn.role == "user" and _substance(turn.content, language):
            return turn.content
    return ""


def is_follow_up(question: str, language: str) -> bool:
    """Whether a message may need what was said before: it has no subject, or it points back."""
    substance = _substance(question, language)
    goes_on = OPENINGS.match(fold(question)) is not None
    return not substance or (substance < 3 and (goes_on or _points_back(question, language)))


def _points_back(question: str, language: str) -> bool:
    return any(fold(word.surface) in POINTERS for word in words(question, language))


def _substance(text: str, language: str) -> int:
    """How many things a message is about; "how long" is none."""
    return sum(item.factor > HINT_FACTOR for item in wanted(text, language))
