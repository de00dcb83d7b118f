"""Words that mean the same to somebody who asks a shop or a service; ``BOTS_SYNONYMS`` adds more.

A group knows its words by language: those of the question's language recognise it, those of the
index's language are looked for. So a question in English also finds a German article. A phrase
matches when all its words stand close together, in any order ("schicke ich die Lampe zurück").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bots.conf import bots_settings
from bots.knowledge.synonym_groups import GROUPS, HINTS
from bots.knowledge.terms import Word, fold, words

PHRASE_WINDOW = 7
"""Words within which all words of a phrase must stand."""


ANY = ""
"""Language of members that are the same in every language, as those of ``BOTS_SYNONYMS``."""

Members = tuple[tuple[str, tuple[str, ...]], ...]
"""Pairs of a language and its words and phrases."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group as seen from a question's language and an index's language."""

    asked: frozenset[str]
    """Stems that bring the group into a question."""
    asked_phrases: tuple[tuple[str, ...], ...]
    stems: frozenset[str]
    """Stems that count as a match in a passage."""
    phrases: tuple[tuple[str, ...], ...]
    """Terms that count as a match when a passage holds all of one: ``pay by invoice`` without
    "by", which no index holds."""
    hint: bool
    """Only says what a question word asks for; counts little."""


def groups(asked: str, language: str) -> tuple[Group, ...]:
    """The built-in groups and those of ``BOTS_SYNONYMS``.

    Args:
        asked: base language of the question.
        language: base language of the index.
    """
    own = tuple(((ANY, tuple(group)),) for group in bots_settings.SYNONYMS)
    return _groups(asked, language, own)


def phrase_at(phrase: tuple[str, ...], sentence: list[Word]) -> frozenset[int]:
    """Positions of a phrase's words if all stand within the window, else nothing."""
    positions: list[int] = []
    for part in phrase:
        places = [index for index, word in enumerate(sentence) if word.stem == part]
        if not places:
            return frozenset()
        near = positions[0] if positions else places[0]
        positions.append(min(places, key=lambda place: abs(place - near)))
    if max(positions) - min(positions) >= PHRASE_WINDOW or len(set(positions)) < len(phrase):
        return frozenset()
    return frozenset(positions)


def words_by_language(language: str) -> frozenset[str]:
    """Folded single words that the built-in groups know in a language."""
    return frozenset(
        fold(member)
        for group in (*_parsed(GROUPS), *_parsed(HINTS))
        for code, members in group
        for member in members
        if code == language and " " not in member
    )


@lru_cache(maxsize=64)
def _groups(asked: str, language: str, own: tuple[Members, ...]) -> tuple[Group, ...]:
    meanings = [_group(group, asked, language, hint=False) for group in (*_parsed(GROUPS), *own)]
    return (*meanings, *(_group(group, asked, language, hint=True) for group in _parsed(HINTS)))


def _parsed(text: str) -> list[Members]:
    parsed: list[Members] = []
    for paragraph in text.strip().split("\n\n"):
        lines = re.split(r"^([a-z]{2}): ", paragraph, flags=re.MULTILINE)[1:]
        parsed.append(
            tuple(
                (language, tuple(" ".join(member.split()) for member in line.split(",")))
                for language, line in zip(lines[::2], lines[1::2], strict=True)
            )
        )
    return parsed


def _group(members: Members, asked: str, language: str, *, hint: bool) -> Group:
    stems, phrases = _stemmed(members, language)
    asked_stems, asked_phrases = (stems, phrases) if asked == language else _stemmed(members, asked)
    return Group(
        asked_stems,
        tuple(tuple(word.stem for word in phrase) for phrase in asked_phrases),
        stems,
        tuple(sorted(filter(None, map(_indexed, phrases)))),
        hint,
    )


def _stemmed(members: Members, language: str) -> tuple[frozenset[str], list[list[Word]]]:
    """Single words and phrases of a group in one language."""
    found = [
        words(one, language) for code, many in members if code in {ANY, language} for one in many
    ]
    stems = frozenset(parts[0].stem for parts in found if len(parts) == 1)
    return stems, [parts for parts in found if len(parts) > 1]


def _indexed(phrase: list[Word]) -> tuple[str, ...]:
    """What the index holds of a phrase; nothing where one word of it would say too little."""
    parts = tuple(word.stem for word in phrase if not word.stop)
    return parts if len(parts) > 1 else ()
