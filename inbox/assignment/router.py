"""Who answers next: one pure decision over plain values, without a database.

A host project replaces it by naming its own function in ``INBOX_ROUTER``; it may call
``decide`` for everything that it has no opinion on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inbox.assignment.wishes import asks_for_person, mentions
from inbox.models import HandledBy, HandoffReason

PeopleFirst = Literal["nobody", "verified", "everyone"]

NO_BOT = "no_bot"
PEOPLE_FIRST = "people_first"
BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFacts:
    """A team as the router sees it."""

    id: int
    keywords: tuple[str, ...] = ()
    open: bool = True
    people: int = 0
    """Operators of it who are present now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingFacts:
    """Everything the decision may depend on."""

    texts: tuple[str, ...] = ()
    """The visitor's words that wait for an answer, the newest first."""
    wants_person: bool = False
    """The visitor pressed the button."""
    cause: str = ""
    """Why the bot cannot go on, a ``HandoffReason``; empty while it can."""
    bot_available: bool = False
    verified: bool = False
    """Whether the host vouches for the visitor."""
    is_new: bool = True
    """Nobody answers yet: the conversation begins or was reopened."""
    team_id: int | None = None
    """The conversation's team, at first its widget's."""
    teams: tuple[TeamFacts, ...] = ()
    people: int = 0
    """Operators of any team who are present now."""
    people_first: str = "nobody"
    human_keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The decision. ``reason`` is a ``HandoffReason``, ``no_bot``, ``people_first`` or ``bot``."""

    handled_by: str
    team_id: int | None
    reason: str

    @property
    def to_person(self) -> bool:
        """Whether the conversation goes into the queue."""
        return self.handled_by == HandledBy.QUEUE


def decide(facts: RoutingFacts) -> Route:
    """Give the visitor's words to the bot, or to the queue of the team that suits them."""
    reason = _reason_for_person(facts)
    if reason:
        return Route(handled_by=HandledBy.QUEUE, team_id=team_for(facts), reason=reason)
    return Route(handled_by=HandledBy.BOT, team_id=facts.team_id, reason=BOT)


def team_for(facts: RoutingFacts) -> int | None:
    """The team whose keywords the newest words mention, else the one the conversation has."""
    for text in facts.texts:
        matching = [team for team in facts.teams if mentions(text, team.keywords)]
        if matching:
            # Two teams at once: the one where somebody is there, then its own, then the first.
            best = max(matching, key=lambda t: (t.people > 0, t.open, t.id == facts.team_id))
            return best.id
    return facts.team_id


def _reason_for_person(facts: RoutingFacts) -> str:
    if facts.cause:
        return facts.cause
    if facts.wants_person:
        return HandoffReason.BUTTON
    if facts.texts and asks_for_person(facts.texts[0], facts.human_keywords):
        return HandoffReason.RULE
    if not facts.bot_available:
        return NO_BOT
    if facts.is_new and _people_come_first(facts):
        return PEOPLE_FIRST
    return ""


def _people_come_first(facts: RoutingFacts) -> bool:
    wanted = facts.people_first == "everyone" or (
        facts.people_first == "verified" and facts.verified
    )
    return wanted and _somebody_is_there(facts)


def _somebody_is_there(facts: RoutingFacts) -> bool:
    team_id = team_for(facts)
    for team in facts.teams:
        if team.id == team_id:
            return team.open and team.people > 0
    return facts.people > 0
