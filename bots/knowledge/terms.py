"""From text to terms: folding, cutting into words, stemming. Pure; the index holds its output.

Both databases index these terms instead of raw text, so that they find the same passages: folding
and stemming in each database differ (PostgreSQL folds no accents, SQLite stems only English).
Changing anything here needs a rebuild of the index (``frontdesk_import_articles --rebuild``).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import snowballstemmer

from bots.knowledge.stopwords import STOP_WORDS

MAX_TERM_CHARS = 64
STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""Base language → algorithm of snowballstemmer; other languages are folded and not stemmed."""

OWN_ACCENTS = {"de": "äöüß", "en": ""}
"""Accented letters that a language's stemmer expects; others go first, so that café is cafe."""
_ELIDING = {"ca", "fr", "it"}

# Marks of Hebrew, Arabic, Indic and Thai scripts belong to their word, but Python's \w is
# without them and would cut these words to pieces.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
_MARKS += "\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1000-\u1049"
_WORD = re.compile(rf"[^\W_](?:[^\W_{_MARKS}]|[{_MARKS}]|(?<=[^\W\d_])['’](?=[^\W\d_]))*")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+")
_COMBINING = re.compile("[\u0300-\u036f]")


class Stemmer(Protocol):
    """What is used of a snowballstemmer object."""

    def stemWord(self, word: str) -> str:
        """The stem of one folded word."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text."""

    surface: str
    """As written, in lower case."""
    stem: str
    stop: bool
    """Carries no meaning of its own in this language."""


def base_language(code: str) -> str:
    """``de`` for ``de-AT`` and ``de_AT``; empty for what is no language code."""
    found = re.match(r"[a-z]{2,8}(?=[-_]|$)", code.strip().lower(), re.ASCII)
    return found.group() if found else ""


def fold(text: str) -> str:
    """Lower case without accents: ``Größe`` → ``grosse``. Two spellings of one word become one."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    return unicodedata.normalize("NFC", _COMBINING.sub("", decomposed))


def words(text: str, language: str) -> list[Word]:
    """The words of a text in order; scripts without spaces give overlapping pairs of letters."""
    base = base_language(language)
    stops = STOP_WORDS.get(base, frozenset())
    found: list[Word] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        for piece in _pieces(match.group()):
            surface = piece.replace("’", "'")
            found.append(Word(surface, stem(surface, base), fold(surface) in stops))
    return found


def terms(text: str, language: str) -> list[str]:
    """What the index holds of a text, repetitions included, words without meaning left out."""
    return [word.stem for word in words(text, language) if not word.stop]


@lru_cache(maxsize=20_000)
def stem(word: str, base: str) -> str:
    """The folded stem of one lower-case word; at most 64 code points, never empty."""
    bare = _without_apostrophe(word, base)
    if base in OWN_ACCENTS:
        own = OWN_ACCENTS[base]
        bare = "".join(letter if letter in own else fold(letter) for letter in bare)
    stemmer = _stemmer(base)
    if stemmer is not None and not any(letter.isdigit() for letter in bare):
        with _lock:
            bare = stemmer.stemWord(bare)
    return fold(bare)[:MAX_TERM_CHARS] or fold(word)[:MAX_TERM_CHARS]


def joined(parts: Iterable[str]) -> str:
    """Terms as one column: separated by single spaces."""
    return " ".join(parts)


def _without_apostrophe(word: str, base: str) -> str:
    """``lamp's`` → ``lamp`` in English, ``l'été`` → ``été`` in French; elsewhere it just goes."""
    if base == "en":
        return word.split("'")[0]
    if base in _ELIDING:
        return word.split("'")[-1]
    return word.replace("'", "")


def _pieces(word: str) -> list[str]:
    run = _UNSPACED.fullmatch(word)
    if run is None or len(word) <= 2:
        return [word]
    return [word[index : index + 2] for index in range(len(word) - 1)]


# One stemmer object keeps the word it works on in itself, so threads must take turns.
_lock = threading.Lock()


@lru_cache(maxsize=64)
def _stemmer(base: str) -> Stemmer | None:
    algorithm = STEMMERS.get(base)
    if algorithm is None or algorithm not in snowballstemmer.algorithms():
        return None
    made: Stemmer = snowballstemmer.stemmer(algorithm)
    return made
