"""Whatever workers, visitors and operators do to turns, each ends once and nothing is spliced."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

import pytest
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bots.actions import endings, leases, tool_calls
from bots.actions.tool_calls import Wanted
from bots.backends.base import ToolCall
from bots.models import ToolCall as ToolCallRow
from bots.models import Turn
from bots.running.brief import load
from bots.running.decisions import refusal
from inbox.actions import handoff, transitions
from inbox.actions.answering import stop_answer
from inbox.assignment.packet import Packet
from inbox.models import Conversation, Event, Message, Operator, Visitor
from inbox.testing import make_operator, make_visitor
from tests.bots.turn_model import Call, ModelTurn, Turns
from tests.support.stateful import effort
from tests.support.turns import SteppedBackend, say

EXAMPLES, STEPS = 20, 50
RECORD = endings.Record(error_code="answer_cut")
VISITORS = ("Vera", "Tom")

which = st.integers(0, 9)
"""One of what there is: workers, turns, calls."""
visitors = st.sampled_from(VISITORS)
texts = st.sampled_from(["", "It is", "It is in the post."])


@dataclass
class Worker:
    """Who claimed a turn once, and does not know whether it is still theirs."""

    turn: ModelTurn
    row: Turn
    claim: leases.Claim
    begun: list[Call] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the turn is still this worker's."""
        return self.turn.status == "running" and self.turn.fence == self.claim.fence


class TurnMachine(RuleBasedStateMachine):
    """Two visitors, one bot, any number of workers, of which most are out of date."""

    def __init__(self) -> None:
        super().__init__()
        self.visitors = {name: make_visitor(name) for name in VISITORS}
        self.olga = make_operator("Olga")
        self.turns = Turns()
        self.workers: list[Worker] = []
        self.fences: dict[int, tuple[int, int]] = {}
        self.numbers = 0

    def teardown(self) -> None:
        Turn.objects.all().delete()
        Visitor.objects.all().delete()
        Operator.objects.all().delete()
        get_user_model().objects.all().delete()

    # The visitor

    @initialize(claims=st.integers(0, 3))
    def everybody_asks(self, claims: int) -> None:
        for visitor in VISITORS:
            self.says(visitor)
        if claims:
            self.workers_claim(claims, hasty=False)

    @rule(visitor=visitors)
    def says(self, visitor: str) -> None:
        words = f"Question {self.number()}"
        posted = say(self.fresh(visitor), words)
        conversation = Conversation.objects.get(pk=posted.conversation_id)
        waiting = self.turns.of(conversation.pk, "queued")
        if waiting:
            waiting.words.append(words)
        elif conversation.handled_by == "bot":
            self.appeared(conversation.pk, [words])

    # Workers

    @rule(limit=st.integers(1, 3), hasty=st.booleans())
    def workers_claim(self, limit: int, hasty: bool) -> None:
        """A hasty worker enters at once whatever tool it finds open."""
        due = self.turns.due()[:limit]
        claimed = leases.claim(limit)
        assert sorted(row.pk for row in claimed) == sorted(turn.pk for turn in due)
        for row in sorted(claimed, key=lambda row: row.pk):
            turn = self.turns.known[row.pk]
            fence = self.turns.claim(turn)
            worker = Worker(turn, row, leases.claim_of(row))
            assert (worker.claim.fence, row.revision) == (fence, turn.revision)
            self.workers.append(worker)
            self.goes_on_from_what_is_stored(worker)
            for call in turn.calls if hasty else ():
                self.enter(worker, call)

    def goes_on_from_what_is_stored(self, worker: Worker) -> None:
        """A new attempt begins with every result that is known, and asks for none again."""
        turn = worker.turn
        brief = load(worker.row, SteppedBackend())
        assert brief is not None
        assert brief.ask.question == "\n".join(turn.words)
        assert [(c.call_id, result) for c, result in brief.ask.tool_results] == turn.results
        assert [row.call_id for row in brief.open_calls] == turn.open_calls
        assert brief.ask.text_so_far == turn.said
        code = refusal(1, brief.open_calls)
        assert code == ("tool_interrupted" if turn.is_interrupted else "")

    @precondition(lambda self: self.turns.of_status("running"))
    @rule(one=which, noticed=st.booleans())
    def a_lease_runs_out(self, one: int, noticed: bool) -> None:
        """Its worker was stopped, or cut off, or killed; others may notice at once."""
        running = self.turns.of_status("running")
        turn = running[one % len(running)]
        turn.expired = True
        Turn.objects.filter(pk=turn.pk).update(lease_until=Now() - dt.timedelta(seconds=1))
        if noticed:
            self.workers_claim(3, hasty=True)

    @precondition(lambda self: self.workers)
    @rule(some=st.sets(which, min_size=1), text=st.none() | texts)
    def workers_renew(self, some: set[int], text: str | None) -> None:
        # One beat for each turn: a process has one worker on it.
        chosen = {w.turn.pk: w for n, w in enumerate(self.workers) if n % 10 in some}
        beats = [leases.Beat(claim=worker.claim, text=text) for worker in chosen.values()]
        renewed = leases.renew(beats)
        assert renewed.kept == {w.claim for w in chosen.values() if w.holds}
        assert renewed.lost == {w.claim for w in chosen.values() if not w.holds}
        for worker in chosen.values():
            if worker.holds:
                worker.turn.expired = False
                worker.turn.checkpoint = worker.turn.checkpoint if text is None else text

    @precondition(lambda self: self.workers)
    @rule(one=which, shown=texts)
    def worker_tries_again(self, one: int, shown: str) -> None:
        worker = self.worker(one)
        revision = leases.begin_again(worker.claim, shown=shown, trace={})
        if not worker.holds:
            assert revision is None
            return
        turn = worker.turn
        turn.revision += 1
        turn.attempt += 1
        turn.checkpoint, turn.expired = shown, False
        assert revision == turn.revision
        worker.row.revision = turn.revision

    @precondition(lambda self: self.workers)
    @rule(one=which)
    def worker_stops(self, one: int) -> None:
        worker = self.worker(one)
        leases.release(worker.claim)
        if worker.holds:
            worker.turn.expired = True
            Turn.objects.filter(pk=worker.turn.pk, lease_until__lte=Now()).update(
                lease_until=Now() - dt.timedelta(seconds=1)
            )

    # Tools

    @precondition(lambda self: self.workers)
    @rule(
        one=which,
        kinds=st.lists(st.booleans(), min_size=1, max_size=2),
        said=texts,
        steps=st.integers(0, 2),
    )
    def worker_wants_tools(self, one: int, kinds: list[bool], said: str, steps: int) -> None:
        """And may come as far as entering the first of them, or as having its result."""
        worker = self.worker(one)
        wanted = [
            Wanted(ToolCall(call_id=f"call{self.number()}", name="order", arguments="{}"), side)
            for side in kinds
        ]
        # One more than the last round, as a worker counts them.
        number = len({call.call_id for call in worker.turn.calls}) + 1
        rows = tool_calls.record_round(worker.claim, wanted, number=number, said=said)
        assert (rows is not None) == worker.holds
        if rows is not None:
            worker.turn.calls += [Call(row.pk, row.call_id, row.side_effect) for row in rows]
            worker.turn.said = worker.turn.checkpoint = said
            if steps >= 1:
                self.enter(worker, worker.turn.calls[-1])
            if steps >= 2:
                self.tool_returns(worker)

    @precondition(lambda self: any(worker.turn.open_calls for worker in self.workers))
    @rule(one=which, two=which)
    def worker_enters_a_tool(self, one: int, two: int) -> None:
        able = [worker for worker in self.workers if worker.turn.open_calls]
        worker = able[one % len(able)]
        unanswered = [call for call in worker.turn.calls if call.status != "done"]
        self.enter(worker, unanswered[two % len(unanswered)])

    def enter(self, worker: Worker, call: Call) -> None:
        harmless = call.status == "running" and not call.side_effect
        begun = tool_calls.begin_call(worker.claim, ToolCallRow.objects.get(pk=call.pk))
        assert begun == (worker.holds and (call.status == "requested" or harmless))
        if begun:
            call.status = "running"
            call.runs += 1
            worker.begun.append(call)

    @precondition(lambda self: any(worker.begun for worker in self.workers))
    @rule(one=which)
    def a_tool_returns(self, one: int) -> None:
        """Also to a worker that has lost the turn meanwhile: what it did is done."""
        able = [worker for worker in self.workers if worker.begun]
        self.tool_returns(able[one % len(able)])

    def tool_returns(self, worker: Worker) -> None:
        call, result = worker.begun.pop(), f"result {self.number()}"
        row = ToolCallRow.objects.get(pk=call.pk)
        kept = tool_calls.end_call(worker.claim, row, result=result, code="ok")
        assert kept == worker.holds
        if call.status == "running":
            call.status, call.result = "done", result

    # Ends

    @precondition(lambda self: self.workers)
    @rule(one=which)
    def worker_finishes(self, one: int) -> None:
        worker = self.worker(one)
        text = f"Answer {self.number()}"
        stored = endings.finish(worker.row, worker.claim, RECORD, content=text, sources=[])
        assert stored == worker.holds
        if stored:
            worker.turn.end("done", text)

    @precondition(lambda self: self.workers)
    @rule(one=which, to_person=st.booleans())
    def worker_fails(self, one: int, to_person: bool) -> None:
        worker = self.worker(one)
        packet = Packet(reason="failure") if to_person else None
        stored = endings.fail(worker.row, worker.claim, RECORD, apology="Sorry.", packet=packet)
        assert stored == worker.holds
        if stored:
            worker.turn.end("failed", "Sorry.")
            if to_person:
                self.turns.interrupt(worker.turn.conversation, "handed_over")

    @precondition(lambda self: self.workers)
    @rule(one=which, text=texts)
    def worker_hands_over(self, one: int, text: str) -> None:
        worker = self.worker(one)
        stored = endings.hand_over(
            worker.row, worker.claim, RECORD, packet=Packet(reason="tool"), text=text
        )
        assert stored == worker.holds
        if stored:
            worker.turn.checkpoint = text
            self.turns.interrupt(worker.turn.conversation, "handed_over")

    @precondition(lambda self: self.workers)
    @rule(one=which)
    def worker_finds_nothing_to_answer(self, one: int) -> None:
        worker = self.worker(one)
        endings.drop(worker.row, worker.claim, RECORD)
        if worker.holds:
            worker.turn.end("cancelled", "")

    # People

    @rule(one=which, how=st.sampled_from(["stop", "person", "take", "close"]))
    def somebody_comes_in_between(self, one: int, how: str) -> None:
        conversation = self.conversation(one)
        key = conversation.pk
        if how == "stop":
            ran = self.turns.interrupt(key, "cancelled")
            assert stop_answer(conversation_id=key) == ran
        elif how == "close":
            transitions.close(conversation_id=key, operator=self.olga)
            self.turns.interrupt(key, "cancelled")
        elif conversation.status == "closed" or conversation.handled_by != "bot":
            return
        elif how == "take":
            transitions.take(conversation_id=key, operator=self.olga)
            self.turns.interrupt(key, "cancelled")
        else:
            handoff.request_human(conversation_id=key)
            self.turns.interrupt(key, "handed_over")

    @rule(one=which)
    def operator_hands_back(self, one: int) -> None:
        conversation = self.conversation(one)
        if conversation.status == "closed" or conversation.handled_by == "bot":
            return
        question = self.open_question(conversation)
        transitions.hand_back(conversation_id=conversation.pk, operator=self.olga)
        if question:
            self.appeared(conversation.pk, [question])

    # After every step

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        rows = {row.pk: row for row in Turn.objects.all()}
        assert rows.keys() == self.turns.known.keys()
        for turn in self.turns.known.values():
            row = rows[turn.pk]
            assert (row.status, row.fence, row.revision, row.attempt) == (
                turn.status,
                turn.fence,
                turn.revision,
                turn.attempt,
            )
            assert (row.said, row.checkpoint) == (turn.said, turn.checkpoint)
            fence, revision = self.fences.get(row.pk, (0, 1))
            assert row.fence >= fence
            assert row.revision >= revision
            self.fences[row.pk] = row.fence, row.revision
        for conversation in {turn.conversation for turn in self.turns.known.values()}:
            self.turns.of(conversation, "running")
            self.turns.of(conversation, "queued")

    @invariant()
    def an_answer_is_said_once_and_whole(self) -> None:
        answers = {message.id: message for message in Message.objects.filter(role="assistant")}
        for row in Turn.objects.all():
            turn, answer = self.turns.known[row.pk], answers.pop(row.message_id, None)
            if turn.answer:
                assert answer is not None
                assert (answer.content, answer.outcome) == (turn.answer, turn.status)
            else:
                assert answer is None
        assert not answers, "an answer belongs to no turn"

    @invariant()
    def what_changes_something_runs_once(self) -> None:
        calls = [call for turn in self.turns.known.values() for call in turn.calls]
        assert all(call.runs <= 1 for call in calls if call.side_effect)

    # Small things

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def fresh(self, visitor: str) -> Visitor:
        return Visitor.objects.get(pk=self.visitors[visitor].pk)

    def worker(self, one: int) -> Worker:
        """Mostly one of the latest, for it may still hold its turn."""
        return self.workers[-1 - one % len(self.workers)]

    @staticmethod
    def conversation(one: int) -> Conversation:
        rows = Conversation.objects.order_by("created_at", "id")
        return rows[one % len(rows)]

    def appeared(self, conversation: uuid.UUID, words: list[str]) -> None:
        (pk,) = Turn.objects.exclude(pk__in=self.turns.known).values_list("pk", flat=True)
        self.turns.known[pk] = ModelTurn(pk, conversation, words)

    @staticmethod
    def open_question(conversation: Conversation) -> str:
        """The visitor's last words, if nobody answered them."""
        said = Event.objects.filter(conversation=conversation, message__isnull=False)
        last = said.exclude(message__role="system").order_by("-seq").first()
        if conversation.waiting_since is None or last is None or last.message is None:
            return ""
        return last.message.content if last.message.role == "user" else ""


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_a_turn_ends_once(robbie, settings, record_property):
    settings.INBOX_RUNNER = False
    wanted, began = effort(EXAMPLES, STEPS), 0

    def machine() -> TurnMachine:
        nonlocal began
        began += 1
        return TurnMachine()

    run_state_machine_as_test(machine, settings=wanted)
    record_property("examples", began)
    assert began >= wanted.max_examples
