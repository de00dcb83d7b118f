"""Finds the known word that a mistyped one was meant to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping

MIN_CHARS = 3
"""Shorter words are not corrected."""
SWAP_CHARS = 5
"""Below this length a mistake may only be swapped letters: too many words differ by one letter."""
LONG_CHARS = 8
"""From this length on two mistakes are forgiven instead of one."""
MAX_ENDING = 3
"""Letters of an ending that a stem may have lost."""
MIN_LIKENESS = 0.3
"""Share of common trigrams that a candidate must reach."""


def trigrams(word: str) -> set[str]:
    """Overlapping triples of letters, the word's edges marked."""
    edged = f"  {word} "
    return {edged[index : index + 3] for index in range(len(edged) - 2)}


def likeness(one: str, other: str) -> float:
    """Common trigrams over all trigrams, 0 to 1."""
    mine, theirs = trigrams(one), trigrams(other)
    return len(mine & theirs) / len(mine | theirs)


def distance(one: str, other: str, limit: int) -> int:
    """Insertions, deletions, changes and swaps of neighbours between two words.

    Source: optimal string alignment. Stops counting at ``limit`` + 1.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, against in enumerate(other, 1):
            best = min(
                last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != against)
            )
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        if min(line) > limit:
            return limit + 1
        before, last = last, line
    return last[-1]


def closest(word: str, counts: Mapping[str, int]) -> str:
    """The most similar known stem within the allowed mistakes, or an empty string.

    A mistyped word may have kept an ending that its stem has lost ("chandleier" for "chandeli").
    Among equals the more frequent one wins, then the alphabet, so that answers are stable.
    """
    if len(word) < MIN_CHARS or any(letter.isdigit() for letter in word):
        return ""
    ranked: list[tuple[int, float, int, str]] = []
    for known, count in counts.items():
        mistakes = _mistakes(word, known)
        if mistakes is not None:
            ranked.append((mistakes, -likeness(word, known), -count, known))
    return min(ranked)[3] if ranked else ""


def _mistakes(word: str, known: str) -> int | None:
    """How many mistakes lie between two words; None when there are too many."""
    limit = 2 if len(word) >= LONG_CHARS else 1
    more = len(word) - len(known)
    if min(len(word), len(known)) < SWAP_CHARS and sorted(word) != sorted(known):
        return None
    mistakes = distance(word, known, limit)
    if mistakes == 1 or (mistakes <= limit and likeness(word, known) >= MIN_LIKENESS):
        return mistakes
    if 0 < more <= MAX_ENDING and len(known) >= LONG_CHARS:
        return 2 if distance(word[: len(known)], known, 1) == 1 else None
    return None
