"""Whatever people, bot and clock do to a conversation, it is what a plain model says."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from inbox.actions import handoff, presence, transitions
from inbox.actions.answering import finish_answer, stop_answer
from inbox.actions.posting import Draft, OperatorSender, Posted, VisitorSender, post
from inbox.assignment.packet import Packet
from inbox.assignment.queue import drain_now
from inbox.errors import InboxError
from inbox.models import Conversation, Event, Message, Operator, Team, Visitor
from inbox.ports import Interrupted
from inbox.testing import RecordingResponder, make_operator, make_team, make_visitor
from tests.inbox.conversation_model import Entry, Person, Refused, Talk, World, is_wish
from tests.support.stateful import effort

EXAMPLES, STEPS = 20, 50
BEGAN = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
TEAMS = {"Olga": ("Support",), "Paul": ("Sales", "Support")}
HOME = {"Vera": "", "Tom": "Support", "Nina": ""}
"""Visitor → team of the widget they write through."""
LEGAL = {"open": {"open", "snoozed", "closed"}, "snoozed": {"open", "snoozed", "closed"}}
LEGAL["closed"] = {"closed", "open"}

which = st.integers(0, 9)
"""One of what there is: talks, answers, messages."""
visitors = st.sampled_from(sorted(HOME))
operators = st.sampled_from(sorted(TEAMS))
words = st.sampled_from(["Where is my lamp?", "Thanks", "I want a human"])


@dataclass
class Sent:
    """A message that was accepted once."""

    draft: Draft
    posted: Posted


@dataclass
class Answer:
    """What a worker of the bot holds, for as long as it likes."""

    talk: Talk
    ownership: int
    running: Interrupted
    ended: bool = False
    """By itself or by the visitor's stop, which a turn's own fence guards; a take-over is
    known by the ownership number alone."""


class ConversationMachine(RuleBasedStateMachine):
    """Three visitors, two operators of two teams, one bot."""

    def __init__(self, clock: Any, robbie: RecordingResponder) -> None:
        super().__init__()
        self.clock, self.robbie = clock, robbie
        clock.move_to(BEGAN)
        robbie.reset()
        self.teams = {name: make_team(name) for name in ("Support", "Sales")}
        self.operators = {
            name: make_operator(name, teams=[self.teams[team] for team in teams], capacity=1)
            for name, teams in TEAMS.items()
        }
        self.visitors = {name: make_visitor(name) for name in HOME}
        self.world = World({name: Person(name, frozenset(t)) for name, t in TEAMS.items()})
        self.world.pointer = {name: row.session_id for name, row in self.visitors.items()}
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []
        self.before: dict[uuid.UUID, tuple[str, int]] = {}
        self.numbers = 0

    def teardown(self) -> None:
        Visitor.objects.all().delete()
        Operator.objects.all().delete()
        get_user_model().objects.all().delete()
        Team.objects.all().delete()

    # Words

    @initialize(first=st.tuples(words, words, words))
    def everybody_is_here(self, first: tuple[str, ...]) -> None:
        self.circumstances_change("Olga", 1)
        self.circumstances_change("Olga", True)
        for visitor, greeting in zip(HOME, first, strict=True):
            self.writes(visitor, greeting, None)

    @rule(visitor=visitors, text=words, where=st.none() | which)
    def writes(self, visitor: str, text: str, where: int | None) -> None:
        self.tick()
        named = self.talk(where).id if where is not None and self.world.talks else None
        target = self.target(visitor, named)
        draft = self.draft(visitor, named or self.world.pointer[visitor], text)
        self.world.visitor_writes(target, text, wish=is_wish(text))
        self.post(draft, target, "user")

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, where=which, text=words, kind=st.sampled_from(["reply", "note"]))
    def operator_writes(self, operator: str, where: int, text: str, kind: str) -> None:
        self.tick()
        talk = self.talk(where)
        draft = self.reply(operator, talk, text, kind=kind)
        try:
            if kind == "note":
                self.world.operator_notes(talk, text)
            else:
                self.world.operator_replies(talk, operator, text)
        except Refused as refused:
            self.refuses(refused, lambda: post(draft))
            return
        self.post(draft, talk, "note" if kind == "note" else "operator")

    @precondition(lambda self: self.sent)
    @rule(one=which, same=st.booleans())
    def resends(self, one: int, same: bool) -> None:
        """Any time later: the same row, the same number, nothing else happens."""
        self.tick()
        sent = self.sent[one % len(self.sent)]
        if not same:
            other = replace(sent.draft, content=sent.draft.content + "!")
            self.refuses(Refused("client_id_conflict"), lambda: post(other))
            return
        again = post(sent.draft)
        assert again == replace(sent.posted, duplicate=True)

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, where=which)
    def replies_on_an_old_state(self, operator: str, where: int) -> None:
        self.tick()
        talk = self.talk(where)
        draft = self.reply(operator, talk, "As I said", expected_seq=len(talk.log) - 1)
        self.refuses(Refused("stale"), lambda: post(draft))

    # The bot

    @precondition(lambda self: self.answerable())
    @rule(where=which, shown=st.sampled_from(["", "I think"]))
    def bot_begins(self, where: int, shown: str) -> None:
        self.tick()
        talk = self.answerable()[where % len(self.answerable())]
        row = Conversation.objects.get(pk=talk.id)
        running = self.robbie.begin_answer(row, shown)
        talk.answer, talk.shown = running.turn_key, shown
        self.answers.append(Answer(talk, talk.ownership, running))

    @precondition(lambda self: self.answers)
    @rule(one=which)
    def bot_finishes(self, one: int) -> None:
        """Also a worker whose conversation has long been taken from it."""
        self.tick()
        answer = self.answers[one % len(self.answers)]
        talk, running = answer.talk, answer.running
        may = self.world.bot_may_write(talk, answer.ownership) and not answer.ended
        stored = finish_answer(
            conversation_id=talk.id,
            ownership=answer.ownership,
            turn_key=running.turn_key,
            message_id=running.message_id,
            content="I think so.",
            author_name="Robbie",
            also=lambda _journal, _row: not answer.ended,
        )
        assert stored == may
        if may:
            answer.ended = True
            del self.robbie.running[talk.id]
            self.world.bot_finishes(talk, "I think so.")

    @precondition(lambda self: self.answers)
    @rule(one=which)
    def bot_hands_off(self, one: int) -> None:
        self.tick()
        answer = self.answers[one % len(self.answers)]
        may = self.world.bot_may_write(answer.talk, answer.ownership)
        if may:
            self.world.into_queue(answer.talk, outcome="handed_over")
        handed = handoff.hand_off(
            conversation_id=answer.talk.id,
            ownership=answer.ownership,
            packet=Packet(reason="tool"),
        )
        assert handed == may

    @precondition(lambda self: self.world.talks)
    @rule(where=which)
    def visitor_stops_the_answer(self, where: int) -> None:
        self.tick()
        talk = self.talk(where)
        streams = bool(talk.answer)
        for answer in self.answers:
            answer.ended = answer.ended or answer.running.turn_key == talk.answer
        if streams:
            self.world.cut_answer(talk)
        assert stop_answer(conversation_id=talk.id) == streams

    # Transitions

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, where=which, force=st.booleans(), and_back=st.booleans())
    def takes(self, operator: str, where: int, force: bool, and_back: bool) -> None:
        talk = self.talk(where)
        self.both(
            lambda: self.world.take(talk, operator, force=force),
            lambda: transitions.take(
                conversation_id=talk.id, operator=self.fresh(operator), force=force
            ),
        )
        if and_back:
            self.hands_back(operator, where)

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, to=operators, where=which, comment=st.sampled_from([None, "", "FYI"]))
    def gives_to_a_colleague(self, operator: str, to: str, where: int, comment: str | None) -> None:
        """By assigning (no comment at all) or by a transfer."""
        talk = self.talk(where)

        def foretold() -> None:
            if comment and talk.status != "closed":
                self.world.operator_notes(talk, comment)
            self.world.give_to_colleague(talk, to)

        by, colleague = self.fresh(operator), self.fresh(to)
        if comment is None:
            self.both(
                foretold,
                lambda: transitions.assign(conversation_id=talk.id, to=colleague, operator=by),
            )
        else:
            self.both(
                foretold,
                lambda: transitions.transfer(
                    conversation_id=talk.id, operator=by, to_operator=colleague, comment=comment
                ),
            )

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, team=st.sampled_from(["Support", "Sales"]), where=which)
    def gives_to_a_team(self, operator: str, team: str, where: int) -> None:
        talk = self.talk(where)
        self.both(
            lambda: self.world.give_to_team(talk, team),
            lambda: transitions.transfer(
                conversation_id=talk.id,
                operator=self.fresh(operator),
                to_team=self.teams[team],
            ),
        )

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, where=which)
    def hands_back(self, operator: str, where: int) -> None:
        talk = self.talk(where)
        self.both(
            lambda: self.world.to_bot(talk),
            lambda: transitions.hand_back(conversation_id=talk.id, operator=self.fresh(operator)),
        )

    @precondition(lambda self: self.world.talks)
    @rule(where=which)
    def visitor_wants_the_bot(self, where: int) -> None:
        talk = self.talk(where)
        self.both(
            lambda: self.world.visitor_wants_bot(talk),
            lambda: handoff.request_bot(conversation_id=talk.id),
        )

    @rule(visitor=visitors, where=st.none() | which)
    def visitor_wants_a_person(self, visitor: str, where: int | None) -> None:
        self.tick()
        named = self.talk(where).id if where is not None and self.world.talks else None
        talk = self.target(visitor, named)
        self.world.visitor_wants_person(talk)
        found = handoff.request_human(
            conversation_id=named or self.world.pointer[visitor],
            visitor_id=self.visitors[visitor].pk,
            bot_key="robbie",
            team_id=self.team_of(visitor),
        )
        assert found.id == talk.id

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, where=which)
    def closes(self, operator: str, where: int) -> None:
        talk = self.talk(where)
        ends = talk.status != "closed"
        self.both(
            lambda: self.world.close(talk),
            lambda: transitions.close(conversation_id=talk.id, operator=self.fresh(operator)),
        )
        if ends and self.world.pointer[talk.visitor] == talk.id:
            self.visitors[talk.visitor].refresh_from_db()
            self.world.pointer[talk.visitor] = self.visitors[talk.visitor].session_id

    @precondition(lambda self: self.world.talks)
    @rule(operator=operators, where=which)
    def reopens(self, operator: str, where: int) -> None:
        talk = self.talk(where)
        self.both(
            lambda: self.world.reopen(talk, operator),
            lambda: transitions.reopen(conversation_id=talk.id, operator=self.fresh(operator)),
        )

    @precondition(lambda self: self.world.talks)
    @rule(where=which, seconds=st.sampled_from([30, 3600]))
    def snoozes(self, where: int, seconds: int) -> None:
        talk = self.talk(where)
        self.both(
            lambda: self.world.snooze(talk, seconds),
            lambda: transitions.snooze(
                conversation_id=talk.id, until=self.moment + dt.timedelta(seconds=seconds)
            ),
        )

    @precondition(lambda self: self.world.talks)
    @rule(where=which)
    def a_snooze_may_be_over(self, where: int) -> None:
        self.tick()
        talk = self.talk(where)
        over = self.world.snooze_ends(talk)
        assert transitions.wake(conversation_id=talk.id) == over

    # Presence and the queue

    @rule(operator=operators, change=st.booleans() | st.integers(0, 3) | st.none())
    def circumstances_change(self, operator: str, change: bool | int | None) -> None:
        """Presence is a yes or no, room a number; nothing is the bot's switch."""
        self.tick()
        person, row = self.world.people[operator], self.fresh(operator)
        if change is None:
            self.world.bot_on = not self.world.bot_on
            self.robbie.keys = {"robbie"} if self.world.bot_on else set()
        elif isinstance(change, bool):
            person.available, person.seen_at = change, self.world.now
            presence.set_available(operator=row, available=change)
        else:
            person.capacity = change
            presence.set_capacity(operator=row, capacity=change)

    @rule(still_here=st.sets(operators))
    def a_minute_passes(self, still_here: set[str]) -> None:
        self.tick(61)
        for name in sorted(still_here):
            self.world.people[name].seen_at = self.world.now
            presence.touch(operator_id=self.operators[name].pk)

    @rule()
    def the_sweep_runs(self) -> None:
        self.tick()
        self.world.sweep()
        presence.expire_presence()
        drain_now()

    # After every step

    @invariant()
    def the_product_is_what_the_model_says(self) -> None:
        rows = {
            row.id: row
            for row in Conversation.objects.select_related("operator", "last_operator", "team")
        }
        holders = {
            talk.id: rows[talk.id].operator.name
            for talk in self.world.line()
            if talk.id in rows and rows[talk.id].operator is not None
        }
        assert list(self.world.given_by_queue(holders)) == []
        assert rows.keys() == self.world.talks.keys()
        journal: dict[uuid.UUID, list[Event]] = {key: [] for key in rows}
        for event in Event.objects.select_related("message").order_by("seq"):
            journal[event.conversation_id].append(event)
        for talk in self.world.talks.values():
            self.same_state(talk, rows[talk.id])
            self.same_journal(talk, rows[talk.id], journal[talk.id])
        asked = [(r.conversation.pk, r.message.content) for r in self.robbie.asked]
        assert asked == self.world.asked

    def same_state(self, talk: Talk, row: Conversation) -> None:
        names = row.operator, row.last_operator, row.team
        operator, last, team = (str(one) if one is not None else "" for one in names)
        assert (row.status, row.handled_by, row.ownership) == (
            talk.status,
            talk.handled_by,
            talk.ownership,
        )
        assert (operator, last, team) == (talk.operator, talk.last_operator, talk.team)
        times = row.waiting_since, row.queued_at, row.snoozed_until
        assert tuple(map(self.seconds, times)) == (
            talk.waiting_since,
            talk.queued_at,
            talk.snoozed_until,
        )
        # Beyond the model: one owner, whose number never falls, and a life in legal steps.
        assert (row.handled_by == "operator") == (row.operator is not None)
        assert (row.handled_by == "nobody") == (row.status == "closed")
        status, ownership = self.before.get(row.id, (row.status, row.ownership))
        assert row.status in LEGAL[status]
        assert row.ownership >= ownership
        self.before[row.id] = row.status, row.ownership

    def same_journal(self, talk: Talk, row: Conversation, events: list[Event]) -> None:
        assert [event.seq for event in events] == list(range(1, row.head + 1))
        shown = [event.visitor_seq for event in events if event.visitor_seq is not None]
        assert shown == list(range(1, row.visitor_head + 1))
        assert len(events) == len(talk.log)
        handled_by = "nobody"
        for event, entry in zip(events, talk.log, strict=True):
            assert (event.visitor_seq is not None) == entry.visible
            self.same_event(event, entry)
            if event.message is None:
                handled_by = event.payload["handled_by"]
            elif event.message.role == "assistant":
                assert handled_by == "bot", "the bot spoke over a person"

    @staticmethod
    def same_event(event: Event, entry: Entry) -> None:
        if event.message is None:
            payload = event.payload
            assert entry.kind == event.kind
            assert entry.text == f"{payload['status']} {payload['handled_by']}"
            assert entry.holder == payload.get("operator", {}).get("name", "")
            return
        message: Message = event.message
        assert entry.kind == ("note" if message.is_note else message.role)
        if entry.kind == "system":
            assert message.content.startswith(entry.text)
        else:
            assert message.content == entry.text

    # Small things

    def tick(self, seconds: int = 1) -> None:
        """Each step has a moment of its own."""
        self.world.now += seconds
        self.clock.shift(seconds)

    @property
    def moment(self) -> dt.datetime:
        return BEGAN + dt.timedelta(seconds=self.world.now)

    @staticmethod
    def seconds(moment: dt.datetime | None) -> int | None:
        return None if moment is None else round((moment - BEGAN).total_seconds())

    def both(self, foretold: Callable[[], object], done: Callable[[], object]) -> None:
        """One step here and there, or the same refusal."""
        self.tick()
        try:
            foretold()
        except Refused as refused:
            self.refuses(refused, done)
        else:
            done()

    @staticmethod
    def refuses(refused: Refused, done: Callable[[], object]) -> None:
        with pytest.raises(InboxError) as found:
            done()
        assert found.value.code == str(refused)

    def talk(self, where: int) -> Talk:
        talks = list(self.world.talks.values())
        return talks[where % len(talks)]

    def answerable(self) -> list[Talk]:
        talks = self.world.talks.values()
        return [t for t in talks if t.handled_by == "bot" and not t.answer]

    def target(self, visitor: str, named: uuid.UUID | None) -> Talk:
        """Where a visitor's words go: the named open one of theirs, else where they are."""
        found = self.world.talks.get(named) if named else None
        if found and found.visitor == visitor and found.status != "closed":
            return found
        pointer = self.world.pointer[visitor]
        return self.world.talks.setdefault(pointer, Talk(pointer, visitor, HOME[visitor]))

    def team_of(self, visitor: str) -> int | None:
        return self.teams[HOME[visitor]].pk if HOME[visitor] else None

    def fresh(self, name: str) -> Operator:
        return Operator.objects.select_related("user").get(pk=self.operators[name].pk)

    def client_id(self) -> str:
        self.numbers += 1
        return f"c{self.numbers}"

    def draft(self, visitor: str, conversation_id: uuid.UUID, text: str) -> Draft:
        return Draft(
            sender=VisitorSender(
                visitor_id=self.visitors[visitor].pk,
                bot_key="robbie",
                team_id=self.team_of(visitor),
            ),
            conversation_id=conversation_id,
            client_id=self.client_id(),
            content=text,
        )

    def reply(self, operator: str, talk: Talk, text: str, **fields: Any) -> Draft:
        return Draft(
            sender=OperatorSender(operator_id=self.operators[operator].pk),
            conversation_id=talk.id,
            client_id=self.client_id(),
            content=text,
            **fields,
        )

    def post(self, draft: Draft, talk: Talk, kind: str) -> None:
        """Post what the model has taken in already; its number is that entry's."""
        posted = post(draft)
        place = max(n for n, entry in enumerate(talk.log) if entry.kind == kind)
        before = talk.log[: place + 1]
        number = sum(e.visible for e in before) if kind == "user" else len(before)
        assert (posted.conversation_id, posted.seq, posted.duplicate) == (talk.id, number, False)
        self.sent.append(Sent(draft, posted))


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_a_conversation_keeps_its_promises(robbie, settings, record_property):
    settings.INBOX_RUNNER = False
    wanted, began = effort(EXAMPLES, STEPS), 0

    def machine() -> ConversationMachine:
        nonlocal began
        began += 1
        return ConversationMachine(clock, robbie)

    with time_machine.travel(BEGAN, tick=False) as clock:
        run_state_machine_as_test(machine, settings=wanted)
    record_property("examples", began)
    assert began >= wanted.max_examples
