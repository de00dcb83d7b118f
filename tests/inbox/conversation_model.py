"""What becomes of conversations by the contract: plain Python, no database, no product code.

The state machine does the same steps here and in the product and compares. One thing is not
foretold but judged: whom the queue gives a conversation (`given_by_queue`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter

LEASE = 60
"""Seconds after which an operator without a sign of life is gone."""


class Refused(Exception):
    """The step is refused with this code and changes nothing."""


@dataclass
class Entry:
    """One durable event. ``text`` of a system line is how it begins."""

    kind: str
    text: str = ""
    holder: str = ""
    visible: bool = True
    at: int = 0


@dataclass
class Person:
    """An operator."""

    name: str
    teams: frozenset[str]
    available: bool = False
    seen_at: int = -1000
    capacity: int = 1


@dataclass
class Talk:
    """One conversation."""

    id: uuid.UUID
    visitor: str
    team: str
    status: str = "open"
    handled_by: str = "nobody"
    ownership: int = 0
    operator: str = ""
    last_operator: str = ""
    waiting_since: int | None = None
    queued_at: int | None = None
    snoozed_until: int | None = None
    answer: str = ""
    """Key of the answer that streams now."""
    shown: str = ""
    log: list[Entry] = field(default_factory=list)


@dataclass
class World:
    """Everybody and everything; each method is one step."""

    people: dict[str, Person]
    now: int = 0
    bot_on: bool = True
    talks: dict[uuid.UUID, Talk] = field(default_factory=dict)
    pointer: dict[str, uuid.UUID] = field(default_factory=dict)
    asked: list[tuple[uuid.UUID, str]] = field(default_factory=list)

    # Words

    def visitor_writes(self, talk: Talk, text: str, *, wish: bool) -> None:
        talk.log.append(Entry("user", text, at=self.now))
        talk.waiting_since = self._or_now(talk.waiting_since)
        if talk.status == "snoozed":
            self._wake(talk)
        self._queue_if_abandoned(talk)
        if talk.handled_by not in ("bot", "nobody"):
            return
        if wish or not self.bot_on:
            self.into_queue(talk, outcome="handed_over" if wish else "cancelled")
            return
        if talk.handled_by != "bot":
            self._give(talk, "bot")
        self.asked.append((talk.id, text))

    def operator_replies(self, talk: Talk, name: str, text: str) -> None:
        self._refuse_closed(talk)
        if talk.handled_by != "operator":
            self._give(talk, "operator", name)
        talk.log.append(Entry("operator", text, at=self.now))
        talk.waiting_since = None

    def operator_notes(self, talk: Talk, text: str) -> None:
        talk.log.append(Entry("note", text, visible=False, at=self.now))

    # The bot

    def bot_may_write(self, talk: Talk, ownership: int) -> bool:
        return (talk.handled_by, talk.ownership) == (
            "bot",
            ownership,
        ) and talk.status != "closed"

    def bot_finishes(self, talk: Talk, text: str) -> None:
        talk.answer = talk.shown = ""
        talk.log.append(Entry("assistant", text, at=self.now))
        talk.waiting_since = None

    def cut_answer(self, talk: Talk) -> None:
        if talk.shown:
            talk.log.append(Entry("assistant", talk.shown, at=self.now))
        talk.answer = talk.shown = ""

    # Transitions

    def take(self, talk: Talk, name: str, *, force: bool) -> None:
        self._refuse_closed(talk)
        if talk.operator == name:
            if talk.status == "snoozed":
                self._wake(talk)
            return
        if talk.operator and not force:
            raise Refused("taken")
        self._open(talk)
        self._give(talk, "operator", name)
        self._line(talk, f"{name} has joined.")

    def give_to_colleague(self, talk: Talk, name: str) -> None:
        self._refuse_closed(talk)
        if talk.operator == name and talk.status == "open":
            return
        self._open(talk)
        person = self.people[name]
        if talk.team and talk.team not in person.teams:
            talk.team = min(person.teams, default="")
        self._give(talk, "operator", name)
        self._line(talk, f"{name} has joined." if self.is_here(name) else f"{name} will answer")

    def give_to_team(self, talk: Talk, team: str) -> None:
        self._refuse_closed(talk)
        self.into_queue(talk, team=team)

    def to_bot(self, talk: Talk) -> None:
        self._refuse_closed(talk)
        if talk.handled_by != "bot" and not self.bot_on:
            raise Refused("no_bot")
        if talk.status == "snoozed":
            self._wake(talk)
        if talk.handled_by == "bot":
            return
        self._give(talk, "bot")
        self._line(talk, "The assistant answers again.")
        words = [e for e in talk.log if e.visible and e.kind not in ("system", "conversation")]
        last = words[-1] if words else None
        open_question = talk.waiting_since is not None and last and last.kind == "user"
        if open_question and last and not is_wish(last.text):
            self.asked.append((talk.id, last.text))
        else:
            talk.waiting_since = None

    def visitor_wants_bot(self, talk: Talk) -> None:
        if talk.handled_by == "operator":
            raise Refused("taken")
        self.to_bot(talk)

    def visitor_wants_person(self, talk: Talk) -> None:
        if talk.handled_by in ("bot", "nobody"):
            self.into_queue(talk, outcome="handed_over")
        else:
            self._queue_if_abandoned(talk)

    def close(self, talk: Talk) -> None:
        if talk.status == "closed":
            return
        self.cut_answer(talk)
        talk.ownership += 1
        talk.handled_by, talk.operator, talk.status = "nobody", "", "closed"
        talk.queued_at = talk.waiting_since = talk.snoozed_until = None
        self._change(talk)

    def reopen(self, talk: Talk, name: str) -> None:
        if talk.status == "snoozed":
            self._wake(talk)
        if talk.status != "closed":
            return
        talk.status = "open"
        if self.pointer[talk.visitor] not in self.talks:
            self.pointer[talk.visitor] = talk.id
        last = talk.last_operator
        if last and (last == name or self.is_here(last)):
            self._give(talk, "operator", last)
            self._line(talk, f"{last} has joined.")
        elif self.bot_on:
            self._give(talk, "bot")
        else:
            self.into_queue(talk)

    def snooze(self, talk: Talk, seconds: int) -> None:
        self._refuse_closed(talk)
        talk.status, talk.snoozed_until = "snoozed", self.now + seconds
        self._change(talk, visible=False)

    def snooze_ends(self, talk: Talk) -> bool:
        if talk.status != "snoozed" or (talk.snoozed_until or 0) > self.now:
            return False
        self._wake(talk)
        return True

    def sweep(self) -> None:
        """Whoever is gone loses what they left unanswered."""
        for talk in self.talks.values():
            if talk.status == "open" and talk.waiting_since is not None:
                self._queue_if_abandoned(talk)

    def into_queue(self, talk: Talk, *, team: str = "", outcome: str = "cancelled") -> None:
        began = talk.queued_at
        self._open(talk)
        talk.team = team or talk.team
        self._give(talk, "queue")
        talk.queued_at = began if began is not None else self.now
        talk.waiting_since = self._or_now(talk.waiting_since)
        present = [p for p in self.people.values() if self._is_present(p)]
        somebody = any(not talk.team or talk.team in person.teams for person in present)
        self._line(talk, "You are in the queue." if somebody else "Nobody is available")

    # The queue

    def line(self) -> list[Talk]:
        """Who waits, the longest wait first."""
        waiting = [t for t in self.talks.values() if (t.status, t.handled_by) == ("open", "queue")]
        return sorted(waiting, key=attrgetter("queued_at", "id"))

    def load(self, name: str) -> int:
        """Open conversations of an operator."""
        return sum((t.status, t.operator) == ("open", name) for t in self.talks.values())

    def could_take(self, talk: Talk) -> list[str]:
        """Operators to whom the queue may give this conversation now."""
        return [
            person.name
            for person in self.people.values()
            if self._is_present(person)
            and self.load(person.name) < person.capacity
            and (not talk.team or talk.team in person.teams)
        ]

    def given_by_queue(self, holders: dict[uuid.UUID, str]) -> Iterator[str]:
        """Take over what the product's queue did; yields what it should not have done.

        Args:
            holders: who holds which of the waiting conversations now.
        """
        for talk in self.line():
            could, name = self.could_take(talk), holders.get(talk.id, "")
            if not name:
                if could:
                    yield f"{talk.id} waits while {could} could take it"
                continue
            if name not in could:
                yield f"{name} was given {talk.id} and could not take it"
            elif self.load(name) > min(map(self.load, could)):
                yield f"{name} was given {talk.id} and is busier than others of {could}"
            self._give(talk, "operator", name)
            self._line(talk, f"{name} has joined.")

    def is_here(self, name: str) -> bool:
        """Whether an operator gave a sign of life within the lease."""
        return self.people[name].seen_at >= self.now - LEASE

    # Parts of steps

    def _is_present(self, person: Person) -> bool:
        return person.available and self.is_here(person.name)

    def _or_now(self, moment: int | None) -> int:
        return self.now if moment is None else moment

    @staticmethod
    def _refuse_closed(talk: Talk) -> None:
        if talk.status == "closed":
            raise Refused("conversation_closed")

    @staticmethod
    def _open(talk: Talk) -> None:
        talk.status, talk.snoozed_until = "open", None

    def _give(self, talk: Talk, handled_by: str, name: str = "") -> None:
        self.cut_answer(talk)
        talk.ownership += 1
        talk.handled_by, talk.operator = handled_by, name
        talk.last_operator = name or talk.last_operator
        talk.queued_at = None
        self._change(talk)

    def _change(self, talk: Talk, *, visible: bool = True) -> None:
        state = f"{talk.status} {talk.handled_by}"
        talk.log.append(Entry("conversation", state, talk.operator, visible, self.now))

    def _line(self, talk: Talk, text: str) -> None:
        talk.log.append(Entry("system", text, at=self.now))

    def _wake(self, talk: Talk) -> None:
        self._open(talk)
        self._change(talk, visible=False)
        if talk.waiting_since is not None:
            self._queue_if_abandoned(talk)

    def _queue_if_abandoned(self, talk: Talk) -> None:
        if self._is_abandoned(talk):
            talk.queued_at = talk.waiting_since
            self.into_queue(talk)

    def _is_abandoned(self, talk: Talk) -> bool:
        if talk.handled_by != "operator" or self.is_here(talk.operator):
            return False
        told = [e for e in talk.log if e.kind == "conversation" and e.visible]
        recent = [e for e in told if e.at >= self.now - LEASE]
        # Being given a conversation is a sign of life for that conversation.
        return not recent or recent[-1].holder != talk.operator


def is_wish(text: str) -> bool:
    """The machine's words that ask for a person."""
    return "human" in text
