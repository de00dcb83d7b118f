"""Every end of a turn is counted once, by its outcome, whoever brought it about."""

from __future__ import annotations

import pytest

from bots.actions import endings, leases
from inbox.actions import handoff, transitions
from inbox.actions.answering import stop_answer
from inbox.assignment.packet import Packet
from inbox.models import Conversation
from inbox.realtime import metrics
from inbox.testing import make_operator, make_visitor
from tests.support.turns import claim_one, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("robbie")]
OUTCOMES = ("done", "failed", "cancelled", "handed_over")
RECORD = endings.Record()


def finish(run, _conversation):
    endings.finish(run.turn, run.claim, RECORD, content="Yes.", sources=[])


def fail(run, _conversation):
    endings.fail(run.turn, run.claim, RECORD, apology="Sorry.", packet=None)


def fail_for_a_person(run, _conversation):
    packet = Packet(reason="failure")
    endings.fail(run.turn, run.claim, RECORD, apology="Sorry.", packet=packet)


def hand_over(run, _conversation):
    endings.hand_over(run.turn, run.claim, RECORD, packet=Packet(reason="tool"))


def drop(run, _conversation):
    endings.drop(run.turn, run.claim, RECORD)


def drop_what_is_elsewhere(run, conversation):
    Conversation.objects.filter(pk=conversation.pk).update(ownership=99)
    endings.drop(run.turn, run.claim, RECORD)


def take_over(_run, conversation):
    transitions.take(conversation_id=conversation.pk, operator=make_operator())


def ask_for_a_person(_run, conversation):
    handoff.request_human(conversation_id=conversation.pk)


def stop(_run, conversation):
    stop_answer(conversation_id=conversation.pk)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (finish, "done"),
        (fail, "failed"),
        (fail_for_a_person, "failed"),
        (hand_over, "handed_over"),
        (drop, "cancelled"),
        (drop_what_is_elsewhere, "cancelled"),
        (take_over, "cancelled"),
        (ask_for_a_person, "handed_over"),
        (stop, "cancelled"),
    ],
)
def test_an_end_is_counted_once(end, outcome):
    vera = make_visitor()
    say(vera)
    run = claim_one()
    counts = [metrics.turns.labels(one)._value.get() for one in OUTCOMES]
    end(run, Conversation.objects.get())
    # And what comes too late for an end is none.
    finish(run, None)
    assert not leases.claim(1)
    found = [metrics.turns.labels(one)._value.get() for one in OUTCOMES]
    risen = {one: new - old for one, old, new in zip(OUTCOMES, counts, found, strict=True)}
    assert risen == {one: float(one == outcome) for one in OUTCOMES}
