"""What a visitor's own words ask for: a person, or a subject that a team looks after.

Pure and deliberately narrow: a wrong yes takes the visitor from the bot into a queue, while
the button, the bot's own tool and ``INBOX_HUMAN_KEYWORDS`` catch what is missed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PERSON_EN = (
    r"(?:(?:real|live|actual|human) )?(?:human(?: being)?s?|person|people|agents?|operators?|"
    r"representatives?|rep|employees?|advis[eo]rs?|consultants?|staff(?: members?)?|"
    r"(?:some|any)(?:one|body)(?: real| human| else)?|"
    r"(?:member|someone|somebody) (?:of|from|in) (?:the |your )?(?:staff|team|support|sales)|"
    r"customer (?:service|support|care)|(?:your |the )?(?:support|sales) ?(?:team|staff)|"
    r"(?:the )?(?:support|sales))"
)
_PERSON_DE = (
    r"(?:(?:echten?|richtigen?|realen?|wirklichen?|menschlichen?) )?(?:menschen?|person|leuten|"
    r"mitarbeiter(?:in|[:*]in)?s?|mitarbeitenden?|kundenberater(?:in)?|berater(?:in)?|"
    r"kundendienst|kundenservice|kundensupport|ansprechpartner(?:in)?|sachbearbeiter(?:in)?|"
    r"support(?:mitarbeiter(?:in)?|team)?|jemand(?:em|en)?(?: (?:echtem|richtigem|anderem))?)"
)
_ARTICLE_EN = r"(?:an? |the |your |one of your |some )?"
_ARTICLE_DE = r"(?:(?:eine[mnr]?|de[mnr]|die|das|ihre[mnr]?|eure[mnr]?|jemandem vom|vom) )?"
_SURELY_A_PERSON = (
    r"(?:(?:real|live|actual) (?:human|person|people|agent)|humans?|human being|"
    r"(?:human |live )?(?:agent|operator|representative))"
)

_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        # "can I talk to a human", "connect me with someone from your team"
        rf"\b(?:talk|talking|speak|speaking|chat|write) (?:to|with) {_ARTICLE_EN}{_PERSON_EN}\b",
        rf"\b(?:connect|transfer|forward|pass|hand|put|route|escalate) (?:(?:me|us|this|it) )?"
        rf"(?:over |through |on )?(?:to|with) {_ARTICLE_EN}{_PERSON_EN}\b",
        # "I need a human", "get me a real person"
        rf"\b(?:want|need|prefer|like|get me|give me|have|is there) {_ARTICLE_EN}"
        rf"{_SURELY_A_PERSON}(?: (?:please|now|here|instead|to help.*|there))*$",
        # "mit einem Menschen sprechen", "mit jemandem aus dem Team reden"
        rf"\bmit {_ARTICLE_DE}{_PERSON_DE}(?: \w+){{0,4}} "
        r"(?:sprechen|reden|chatten|schreiben|telefonieren|verbinden|verbunden)\b",
        # "verbinden Sie mich mit einem Mitarbeiter", "sprechen ... mit einem Menschen"
        rf"\b(?:sprech|red|chatt?|verbind|leit|stell|gib|geb)\w*(?: \w+){{0,4}} (?:mit|an|zu) "
        rf"{_ARTICLE_DE}{_PERSON_DE}\b",
        # "ich möchte einen Menschen", "gibt es hier echte Menschen"
        r"\b(?:will|möchte|moechte|brauche|hätte gern|haette gern|gib mir|geben sie mir|bitte)"
        r"(?: bitte| lieber| jetzt| einfach)* (?:eine[nm]?|mit eine[mr]) "
        r"(?:(?:echten?|richtigen?|realen?) )?(?:menschen|person|mitarbeiter(?:in)?|"
        r"berater(?:in)?|ansprechpartner(?:in)?)(?: (?:bitte|sprechen|haben|jetzt|hier))*$",
    )
]

_COURTESY = (
    r"(?:an?|the|real|live|actual|please|now|hello|hi|ok|yes|i|want|need|bitte|jetzt|ja|"
    r"eine?|einen|einem|echte[rn]?|richtige[rn]?|hallo|ich|will|möchte)"
)
_ALONE = re.compile(
    rf"^(?:{_COURTESY} )*(?:humans?|person|agent|operator|representative|mensch(?:en)?|"
    rf"mitarbeiter(?:in)?|kundenberater(?:in)?|ansprechpartner|kundendienst)(?: {_COURTESY})*$"
)
"""The bare word with nothing but courtesy around it is a wish too."""

_NEGATION = re.compile(
    r"\b(?:do not|don't|dont|does not|no need|not|never|without|rather than|instead of|"
    r"kein|keine|keinen|keinem|keiner|nicht|nie|ohne|statt)\b"
)
_QUESTION_DE = re.compile(r"\b(?:kann|könnte|koennte|darf|dürfte|geht|warum|wieso)\b.*\bnicht\b")

_SENTENCE_END = re.compile(r"[.,;:!?\n\r()…–—]+| - ")
_SPACES = re.compile(r"\s+")


def asks_for_person(text: str, keywords: Iterable[str] = ()) -> bool:
    """Whether a visitor asks to be answered by a person, in English or German.

    Args:
        text: what the visitor wrote.
        keywords: more words or phrases that count wherever they stand.
    """
    if mentions(text, keywords):
        return True
    return any(_clause_asks(clause) for clause in _clauses(text))


def mentions(text: str, keywords: Iterable[str]) -> bool:
    """Whether one of the words or phrases stands in the text, as a whole word, in any case."""
    folded = _fold(text)
    for keyword in keywords:
        wanted = _fold(keyword)
        if wanted and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", folded):
            return True
    return False


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _SENTENCE_END.split(_lower(text)) if clause.strip()]


def _clause_asks(clause: str) -> bool:
    if _ALONE.match(clause):
        return True
    for pattern in _PATTERNS:
        found = pattern.search(clause)
        if found and not _negated(clause, found):
            return True
    return False


def _negated(clause: str, found: re.Match[str]) -> bool:
    """A no before or inside the wish; "kann ich nicht mit …?" is a wish all the same."""
    return bool(_NEGATION.search(clause[: found.end()])) and not _QUESTION_DE.search(clause)


def _lower(text: str) -> str:
    # Not casefold: it turns "ß" into "ss", which the patterns would have to know.
    return re.sub(r"[^\S\n]+", " ", text.lower().replace("’", "'"))


def _fold(text: str) -> str:
    return _SPACES.sub(" ", text.casefold()).strip()
