"""From a question to what must be matched: concepts with the terms that stand for each. Pure.

A concept is one thing the question is about. Its terms come from the vocabulary of the index:
the word itself, synonyms, longer words that begin or end with it ("Frist" in "Rückgabefrist"),
the parts of a compound, or a word one typing mistake away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bots.knowledge.spelling import closest
from bots.knowledge.synonyms import groups, phrase_at
from bots.knowledge.terms import base_language, stem, words

MAX_QUESTION_WORDS = 60
"""More words are cut off: a question that long is a story, and each word costs a look-up."""
COMPOUNDING = {"da", "de", "fi", "hu", "nb", "nl", "nn", "no", "sv"}
"""Languages that write compounds as one word."""
SYNONYM, PREFIX, SUFFIX, PART, TYPO = 0.95, 0.75, 0.7, 0.7, 0.75
"""How much a match counts that is not the word itself."""
HINT_FACTOR = 0.3
CONTEXT_FACTOR = 0.5
UNKNOWN_WEIGHT = 1.5
"""Weight of a word that no passage holds; those of known words go from 1 to 2."""
MIN_PREFIX, MIN_SUFFIX, MIN_COMPOUND = 4, 5, 8
MAX_LONGER = 5
"""In languages without compounds, a longer word counts up to this many letters more."""


Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One concept as the question has it, before the vocabulary is known."""

    stem: str
    """The word itself; empty where a phrase stands for the concept."""
    synonyms: frozenset[str] = frozenset()
    phrases: tuple[Phrase, ...] = ()
    """Groups of words that mean the same when a passage holds all of one."""
    factor: float = 1.0
    """How much the concept counts among the others."""
    share: float = 1.0
    """How much a match counts; less than 1 where the word itself had to be guessed."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept with the index terms that stand for it, and what it weighs."""

    terms: Mapping[str, float]
    """Term → how much a match of it counts, 0 to 1."""
    phrases: tuple[Phrase, ...]
    weight: float
    hint: bool = False
    """Only says what a question word asks for; nothing is looked up for its sake alone."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is known of the terms around a question, in one language."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """Term → number of passages that hold it."""
    passages: int = 0
    """Number of passages in all."""

    def weight(self, terms: Iterable[str], phrases: Iterable[Phrase] = ()) -> float:
        """1 for what every passage holds, 2 for what one alone holds; unknown words lie between.

        The logarithm is BM25's, flattened: a rare word must not drown what a question is about.
        """
        counts = [self.counts.get(term, 0) for term in terms]
        counts += [min(self.counts.get(part, 0) for part in phrase) for phrase in phrases]
        without = math.prod(1 - min(1.0, count / max(1, self.passages)) for count in counts)
        holding = self.passages * (1 - without)
        if not holding:
            return UNKNOWN_WEIGHT
        return 1 + min(1.0, self._rarity(holding) / self._rarity(1))

    def _rarity(self, holding: float) -> float:
        return math.log(1 + (self.passages - holding + 0.5) / (holding + 0.5))


def wanted(question: str, language: str, *, asked: str = "", context: str = "") -> list[Wanted]:
    """The concepts of a question, each once; those of ``context`` count half.

    Args:
        language: language of the index that is searched.
        asked: language of the question, where it is another one.
    """
    base = base_language(language)
    found: dict[tuple[frozenset[str], str], Wanted] = {}
    for text, share in ((question, 1.0), (context, CONTEXT_FACTOR)):
        for item in _wanted(text, base_language(asked) or base, base):
            same = (item.synonyms, "") if item.synonyms else (frozenset[str](), item.stem)
            found.setdefault(same, replace(item, factor=item.factor * share))
    return list(found.values())


def concepts(items: Iterable[Wanted], vocabulary: Vocabulary, base: str) -> list[Concept]:
    """The same concepts with the terms that the index has for them."""
    made: list[Concept] = []
    for item in items:
        terms = known_terms(item, vocabulary, base)
        main = [term for term, share in terms.items() if share >= SYNONYM] or list(terms)
        weight = vocabulary.weight(main, item.phrases) * item.factor
        shares = {term: share * item.share for term, share in terms.items()}
        hint = item.factor <= HINT_FACTOR
        made.append(Concept(shares, item.phrases, weight, hint))
    return made


def known_terms(item: Wanted, vocabulary: Vocabulary, base: str) -> dict[str, float]:
    """Terms of the index that are the word itself, a synonym, or another form of it."""
    found = {term: SYNONYM for term in item.synonyms if term in vocabulary.counts}
    for term in vocabulary.counts if item.stem else ():
        share = _form(item.stem, term, base)
        if share > found.get(term, 0.0):
            found[term] = share
    return found


def replaced(item: Wanted, vocabulary: Vocabulary, base: str) -> list[Wanted]:
    """What an unknown word may stand for: the parts of a compound, or a word spelt rightly."""
    parts = _parts(item.stem, vocabulary, base)
    if parts:
        half = item.factor / len(parts)
        return [_meant(part, base, factor=half, share=PART) for part in parts]
    near = closest(item.stem, vocabulary.counts)
    return [_meant(near, base, factor=item.factor, share=TYPO)] if near else []


def _meant(stem: str, base: str, *, factor: float, share: float) -> Wanted:
    mine = [group for group in groups(base, base) if stem in group.stems and not group.hint]
    synonyms = frozenset[str]().union(*(group.stems for group in mine))
    phrases = tuple(phrase for group in mine for phrase in group.phrases)
    return Wanted(stem, synonyms, phrases, factor, share)


def _parts(stem: str, vocabulary: Vocabulary, base: str) -> list[str]:
    """Both parts of an unknown compound, ``kabellang`` → ``kabel``, ``lang``.

    A part is known by itself or by a synonym. Where no cut leaves two known parts, a known first
    part is enough; the other one then matches nothing and makes the score smaller.
    """
    best: list[str] = []
    for heads, tail in splits(stem, base):
        head = next((form for form in heads if _is_known(form, vocabulary, base)), "")
        if head and _is_known(tail, vocabulary, base):
            return [head, tail]
        if head and not best and len(tail) >= MIN_PREFIX:
            best = [head, tail]
    return best


def _is_known(stem: str, vocabulary: Vocabulary, base: str) -> bool:
    if stem in vocabulary.counts:
        return True
    synonyms = (group.stems for group in groups(base, base) if stem in group.stems)
    return any(term in vocabulary.counts for stems in synonyms for term in stems)


def splits(stem: str, base: str) -> list[tuple[list[str], str]]:
    """Every way to cut a long word in two: forms of the first part, and the last part."""
    if base not in COMPOUNDING or len(stem) < MIN_COMPOUND:
        return []
    return [(_heads(stem[:cut]), stem[cut:]) for cut in range(len(stem) - 3, 2, -1)]


def _wanted(text: str, asked: str, base: str) -> list[Wanted]:
    sentence = words(text, asked)[:MAX_QUESTION_WORDS]
    known = groups(asked, base)
    taken: set[int] = set()
    found: list[Wanted] = []
    for group in known:
        phrases = [phrase_at(phrase, sentence) for phrase in group.asked_phrases]
        # "send it back to you" is a return and no longer a "send to".
        places = {place for phrase in phrases if not phrase & taken for place in phrase}
        if group.hint:
            places |= {place for place, word in enumerate(sentence) if word.stem in group.asked}
        if places:
            factor = HINT_FACTOR if group.hint else 1.0
            found.append(Wanted("", group.stems, group.phrases, factor))
            taken |= set() if group.hint else places
    for place, word in enumerate(sentence):
        mine = [group for group in known if word.stem in group.asked]
        only_hints = bool(mine) and all(group.hint for group in mine)
        if place not in taken and not word.stop and not only_hints:
            meanings = [group for group in mine if not group.hint]
            synonyms = frozenset[str]().union(*(group.stems for group in meanings))
            same = tuple(phrase for group in meanings for phrase in group.phrases)
            found.append(Wanted(stem(word.surface, base), synonyms, same))
    return found


def _form(stem: str, term: str, base: str) -> float:
    """How much a term counts for a word: itself, or longer like ``lieferzeit`` for ``liefer``."""
    more = len(term) - len(stem)
    joins = base in COMPOUNDING
    if not more:
        return float(term == stem)
    if more == -1:
        return PREFIX if len(term) >= MIN_SUFFIX and stem.startswith(term) else 0.0
    if len(stem) >= MIN_PREFIX and term.startswith(stem) and (joins or more <= MAX_LONGER):
        return PREFIX
    return SUFFIX if joins and len(stem) >= MIN_SUFFIX and term.endswith(stem) else 0.0


def _heads(head: str) -> list[str]:
    """Forms that a compound's first part may have in the index: without linking letters."""
    forms = [head, *(head.removesuffix(ending) for ending in ("s", "e", "en", "n"))]
    return [form for form in dict.fromkeys(forms) if len(form) >= 3]
