"""A year of conversations, decided from a seed: who came when, who answered, how it ended. Pure."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.size.texts import Texts

YEAR = 365 * 86_400.0
END = 1_782_000_000.0
"""The last second of the year that is told, fixed so that every run fills the same."""
GROWTH = 0.7
"""Below 1 the later months have more conversations than the first."""
LONG = 0.002
"""Share of conversations with hundreds of messages."""
ENDS = {
    "bot": 0.555,
    "closed": 0.42,
    "operator": 0.01,
    "nobody": 0.008,
    "snoozed": 0.005,
    "queue": 0.002,
}
"""How many stay with the bot, were closed by a person, or are under way."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message or change of a conversation, `at` seconds of the epoch."""

    at: float
    role: str
    content: str = ""
    note: bool = False
    operator: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One conversation from its beginning to where it stands."""

    number: int
    visitor: int
    team: int | None
    operator: int | None
    end: str
    began: float
    said: list[Said] = field(default_factory=list)
    tags: tuple[int, ...] = ()
    rating: int | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Staff:
    """Primary keys of those who answer."""

    teams: Sequence[int]
    operators: Sequence[int]
    tags: Sequence[int]


def in_order(stories: Iterable[Story]) -> Iterator[tuple[Story, int]]:
    """Every event of every story by time, as (story, place); stories come by their beginning."""
    under_way: list[tuple[float, int, int, Story]] = []
    for story in stories:
        while under_way and under_way[0][0] < story.said[0].at:
            yield from _next(under_way)
        heapq.heappush(under_way, (story.said[0].at, story.number, 0, story))
    while under_way:
        yield from _next(under_way)


def _next(under_way: list[tuple[float, int, int, Story]]) -> Iterator[tuple[Story, int]]:
    _, number, place, story = under_way[0]
    yield story, place
    if place + 1 < len(story.said):
        heapq.heapreplace(under_way, (story.said[place + 1].at, number, place + 1, story))
    else:
        heapq.heappop(under_way)


class World:
    """Stories in the order in which they begin; a visitor has one that is not closed."""

    def __init__(
        self, rng: random.Random, texts: Texts, staff: Staff, *, conversations: int, messages: int
    ) -> None:
        self.rng = rng
        self.texts = texts
        self.staff = staff
        self.conversations = conversations
        self.per_conversation = messages / conversations
        self.visitors = 0
        self._free: list[int] = []

    def stories(self) -> Iterator[Story]:
        """Every conversation."""
        budget = self.per_conversation * self.conversations
        for number in range(self.conversations):
            left = self.conversations - number
            story = self._story(number, budget / left)
            budget -= sum(said.role != "change" for said in story.said)
            yield story

    def _story(self, number: int, mean: float) -> Story:
        rng = self.rng
        began = END - YEAR + YEAR * ((number + rng.random()) / self.conversations) ** GROWTH
        end = rng.choices(list(ENDS), list(ENDS.values()))[0]
        with_person = end in ("closed", "operator", "snoozed")
        team = rng.choice(self.staff.teams) if end != "bot" and rng.random() < 0.8 else None
        operator = rng.choice(self.staff.operators) if with_person else None
        return Story(
            number=number,
            visitor=self._visitor(closed=end == "closed"),
            team=team,
            operator=operator,
            end=end,
            began=began,
            said=list(self._talk(began, end, operator, mean)),
            tags=tuple(rng.sample(self.staff.tags, rng.choices((0, 1, 2), (6, 3, 1))[0])),
            rating=rng.randint(1, 5) if end == "closed" and rng.random() < 0.3 else None,
            key=f"{rng.getrandbits(128):032x}",
        )

    def _visitor(self, *, closed: bool) -> int:
        """A new one, or one who came back; nobody has two conversations that are not closed."""
        if self._free and self.rng.random() < 0.6:
            place = int(len(self._free) * self.rng.random() ** 0.5)
            self._free[place], self._free[-1] = self._free[-1], self._free[place]
            visitor = self._free.pop()
        else:
            self.visitors += 1
            visitor = self.visitors
        if closed:
            self._free.append(visitor)
        return visitor

    def _talk(self, began: float, end: str, operator: int | None, mean: float) -> Iterator[Said]:
        rng, at = self.rng, began
        long = rng.random() < LONG
        short = (mean - LONG * 600) / (1 - LONG)
        count = (
            rng.randint(200, 1000) if long else 1 + int(rng.expovariate(1 / max(0.5, short - 0.5)))
        )
        handed_over = count // 2 if operator is not None else count + 1
        for place in range(count):
            at += rng.expovariate(1 / 40)
            if place == handed_over:
                yield Said(at, "change", operator=operator)
            if place % 2 == 0:
                yield Said(at, "user", self.texts.message(rng.randint(1, 2)))
            elif place < handed_over:
                yield Said(at, "assistant", self.texts.message(rng.randint(2, 4)))
            else:
                note = rng.random() < 0.05
                yield Said(at, "operator", self.texts.message(2), note=note, operator=operator)
        if end != "bot":
            yield Said(at + 30, "change", operator=operator if end != "closed" else None)
