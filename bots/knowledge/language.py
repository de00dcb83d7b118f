"""Guesses the language of a short text from its words and letters. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

from bots.knowledge.stopwords import STOP_WORDS
from bots.knowledge.synonyms import words_by_language
from bots.knowledge.terms import base_language, fold

MIN_EVIDENCE = 0.9
"""Less than about one word of its own is not enough to leave the expected language."""
LETTERS = {"ß": "de", "ä": "de", "ö": "de", "ü": "de", "ñ": "es", "¿": "es", "ã": "pt", "õ": "pt"}
LETTER_EVIDENCE = 1.0
SCRIPTS = [
    (re.compile("[\u3040-\u30ff]"), "ja", {"ja"}),
    (re.compile("[\uac00-\ud7af]"), "ko", {"ko"}),
    (re.compile("[\u4e00-\u9fff]"), "zh", {"zh", "ja"}),
    (re.compile("[\u0e00-\u0e7f]"), "th", {"th"}),
    (re.compile("[\u0400-\u04ff]"), "ru", {"ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn"}),
    (re.compile("[\u0370-\u03ff]"), "el", {"el"}),
    (re.compile("[\u0590-\u05ff]"), "he", {"he"}),
    (re.compile("[\u0600-\u06ff]"), "ar", {"ar", "fa", "ur", "ckb", "ug"}),
    (re.compile("[\u0900-\u097f]"), "hi", {"hi", "ne", "mr"}),
]
"""Script, the language it suggests, the languages that are written in it."""

_WORD = re.compile(r"[^\W\d_]+")


def detect(text: str, fallback: str) -> str:
    """The language code of a text: ``fallback`` (region kept) unless another one is clear.

    Args:
        text: a visitor's message, often only a few words.
        fallback: the language expected here, such as the widget's locale; may be empty.
    """
    expected = base_language(fallback)
    for letters, suggested, written in SCRIPTS:
        if letters.search(text):
            return fallback if expected in written else suggested
    points = _points(text)
    if not points:
        return fallback
    best, evidence = max(points.items(), key=lambda item: (item[1], item[0] == expected))
    if evidence < MIN_EVIDENCE or points[expected] >= evidence:
        return fallback
    return best


def _points(text: str) -> defaultdict[str, float]:
    """Evidence for each language; a word that several languages have is shared among them."""
    points: defaultdict[str, float] = defaultdict(float)
    known = _known_words()
    for word in {fold(word) for word in _WORD.findall(text)}:
        languages = known.get(word, ())
        for language in languages:
            points[language] += 1 / len(languages)
    for letter in set(text.casefold()) & LETTERS.keys():
        points[LETTERS[letter]] += LETTER_EVIDENCE
    return points


@cache
def _known_words() -> dict[str, tuple[str, ...]]:
    known: dict[str, set[str]] = {}
    for language, stops in STOP_WORDS.items():
        for word in stops | words_by_language(language):
            known.setdefault(word, set()).add(language)
    return {word: tuple(sorted(languages)) for word, languages in known.items()}
