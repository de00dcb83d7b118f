"""Take, assign, transfer, hand back, close, reopen, snooze: each step and each refusal."""

from __future__ import annotations

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from inbox.actions import transitions
from inbox.actions.transitions import assign, close, hand_back, reopen, snooze, take, transfer
from inbox.errors import InboxError
from inbox.models import Conversation, Visitor
from inbox.testing import (
    make_conversation,
    make_message,
    make_operator,
    make_team,
    make_visitor,
    transcript,
    visitor_events,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def support():
    return make_team("Support")


@pytest.fixture
def olga(support):
    return make_operator("Olga", teams=[support], last_seen_at=timezone.now())


@pytest.fixture
def paul(support):
    return make_operator("Paul", teams=[support], last_seen_at=timezone.now())


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def refusal(action, **arguments) -> InboxError:
    with pytest.raises(InboxError) as refused:
        action(**arguments)
    return refused.value


def kinds(conversation: Conversation) -> list[str]:
    return [event.kind for event in visitor_events(conversation)]


def in_an_hour() -> dt.datetime:
    return timezone.now() + dt.timedelta(hours=1)


# --- take -------------------------------------------------------------------------------------


@pytest.mark.parametrize("handled_by", ["bot", "queue", "nobody"])
def test_taking_what_no_person_holds(olga, handled_by):
    conversation = make_conversation(handled_by=handled_by)
    taken = take(conversation_id=conversation.id, operator=olga)
    assert (taken.handled_by, taken.operator, taken.last_operator) == ("operator", olga, olga)
    assert taken.ownership == conversation.ownership + 1
    assert taken.queued_at is None
    assert kinds(taken) == ["conversation", "message"]
    assert transcript(taken) == [("system", "Olga has joined.")]


def test_taking_what_is_mine_changes_nothing(olga):
    conversation = make_conversation(operator=olga)
    take(conversation_id=conversation.id, operator=olga, force=True)
    assert fresh(conversation).head == 0
    assert fresh(conversation).ownership == conversation.ownership


def test_taking_works_when_away_and_full(support):
    olga = make_operator("Olga", teams=[support], available=False, capacity=0)
    conversation = make_conversation(handled_by="queue")
    assert take(conversation_id=conversation.id, operator=olga).operator == olga


def test_taking_from_a_colleague_is_refused_unless_forced(olga, paul):
    conversation = make_conversation(operator=paul)
    error = refusal(take, conversation_id=conversation.id, operator=olga)
    assert (error.code, error.status) == ("taken", 409)
    assert error.as_dict()["operator"] == {"id": paul.pk, "name": "Paul"}
    assert fresh(conversation).operator == paul
    take(conversation_id=conversation.id, operator=olga, force=True)
    assert fresh(conversation).operator == olga


def test_taking_a_closed_conversation_is_refused(olga):
    conversation = make_conversation(status="closed")
    error = refusal(take, conversation_id=conversation.id, operator=olga)
    assert (error.code, error.status) == ("conversation_closed", 409)


def test_taking_what_does_not_exist_is_not_found(olga):
    assert refusal(take, conversation_id=uuid.uuid4(), operator=olga).code == "not_found"


def test_taking_my_snoozed_conversation_wakes_it_unseen_by_the_visitor(olga):
    conversation = make_conversation(operator=olga, status="snoozed", snoozed_until=in_an_hour())
    taken = take(conversation_id=conversation.id, operator=olga)
    assert (taken.status, taken.snoozed_until) == ("open", None)
    assert visitor_events(taken) == []


def test_taking_stops_the_bot_and_keeps_what_was_shown(olga, robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie")
    answer = robbie.begin_answer(conversation, "Your order is on its")
    taken = take(conversation_id=conversation.id, operator=olga)
    assert robbie.outcomes == ["cancelled"]
    assert transcript(taken) == [
        ("assistant", "Your order is on its"),
        ("system", "Olga has joined."),
    ]
    assert kinds(taken) == ["message", "conversation", "message"]
    assert taken.messages.get(role="assistant").pk == answer.message_id


def test_two_operators_taking_at_once_leave_one_holder(olga, paul):
    conversation = make_conversation(handled_by="queue")
    outcomes = in_threads(
        lambda operator: take(conversation_id=conversation.id, operator=operator), [olga, paul]
    )
    winners = [result for result in outcomes if isinstance(result, Conversation)]
    (loser,) = [result for result in outcomes if isinstance(result, InboxError)]
    assert loser.code == "taken"
    assert len(winners) == 1
    assert fresh(conversation).operator == winners[0].operator


# --- assign and transfer ------------------------------------------------------------------------


def test_assigning_gives_it_to_a_colleague(olga, paul):
    conversation = make_conversation(operator=olga)
    given = assign(conversation_id=conversation.id, operator=olga, to=paul)
    assert (given.operator, given.last_operator) == (paul, paul)
    assert transcript(given) == [("system", "Paul has joined.")]


def test_assigning_to_somebody_absent_does_not_say_that_they_joined(olga):
    paul = make_operator("Paul")
    conversation = make_conversation(handled_by="queue")
    given = assign(conversation_id=conversation.id, operator=olga, to=paul)
    assert transcript(given) == [("system", "Paul will answer you here.")]


def test_assigning_to_who_has_it_changes_nothing(olga):
    conversation = make_conversation(operator=olga)
    assign(conversation_id=conversation.id, to=olga)
    assert fresh(conversation).head == 0


def test_assigning_to_an_account_without_access_is_refused(olga):
    oscar = make_operator("Oscar", permissions=())
    conversation = make_conversation()
    error = refusal(assign, conversation_id=conversation.id, operator=olga, to=oscar)
    assert (error.code, error.field) == ("invalid_field", "operator")
    assert fresh(conversation).head == 0


def test_assigning_to_a_disabled_account_is_refused(olga):
    gone = make_operator("Gone")
    gone.user.is_active = False
    gone.user.save()
    conversation = make_conversation()
    error = refusal(assign, conversation_id=conversation.id, operator=olga, to=gone)
    assert error.code == "invalid_field"


def test_assigning_across_teams_takes_it_into_a_team_they_see(olga, support):
    sales = make_team("Sales")
    sam = make_operator("Sam", teams=[sales])
    conversation = make_conversation(team=support, operator=olga)
    given = assign(conversation_id=conversation.id, operator=olga, to=sam)
    assert (given.operator, given.team) == (sam, sales)
    assert Conversation.objects.visible_to(sam.user).filter(pk=given.pk).exists()


def test_assigning_to_somebody_of_no_team_leaves_no_team(olga, support):
    sam = make_operator("Sam")
    conversation = make_conversation(team=support, operator=olga)
    assert assign(conversation_id=conversation.id, operator=olga, to=sam).team is None


def test_assigning_to_somebody_who_sees_all_keeps_the_team(olga, support):
    rita = make_operator("Rita", view_all=True)
    conversation = make_conversation(team=support, operator=olga)
    assert assign(conversation_id=conversation.id, operator=olga, to=rita).team == support


def test_transfer_to_a_colleague_leaves_a_note_that_the_visitor_never_sees(olga, paul):
    conversation = make_conversation(operator=olga)
    transfer(
        conversation_id=conversation.id, operator=olga, to_operator=paul, comment="Knows lamps"
    )
    given = fresh(conversation)
    assert given.operator == paul
    note = given.messages.get(kind="note")
    assert (note.content, note.operator) == ("Knows lamps", olga)
    assert "Knows lamps" not in [e.message.content for e in visitor_events(given) if e.message]
    assert given.visitor_head == given.head - 1


def test_transfer_to_a_team_queues_there(olga, support):
    sales = make_team("Sales")
    conversation = make_conversation(team=support, operator=olga)
    given = transfer(conversation_id=conversation.id, operator=olga, to_team=sales)
    assert (given.handled_by, given.team, given.operator) == ("queue", sales, None)
    assert given.last_operator == olga
    assert given.queued_at is not None
    assert not Conversation.objects.visible_to(olga.user).filter(pk=given.pk).exists()


def test_transfer_to_a_team_goes_to_whoever_is_there(olga):
    sales = make_team("Sales")
    sam = make_operator("Sam", teams=[sales], available=True)
    conversation = make_conversation(operator=olga)
    transfer(conversation_id=conversation.id, operator=olga, to_team=sales)
    assert fresh(conversation).operator == sam


def test_moving_to_another_line_keeps_the_time_waited(olga):
    sales = make_team("Sales")
    conversation = make_conversation(handled_by="queue", age=dt.timedelta(minutes=9))
    given = transfer(conversation_id=conversation.id, operator=olga, to_team=sales)
    assert given.queued_at == conversation.queued_at


@pytest.mark.parametrize("both", [True, False])
def test_transfer_needs_exactly_one_target(olga, support, both):
    conversation = make_conversation(operator=olga)
    targets = {"to_operator": olga, "to_team": support} if both else {}
    error = refusal(transfer, conversation_id=conversation.id, operator=olga, **targets)
    assert (error.code, error.field) == ("invalid_field", "operator")


@pytest.mark.parametrize(("comment", "code"), [("x" * 4001, "too_long"), ("\0", "invalid_text")])
def test_transfer_refuses_a_comment_that_cannot_be_stored(olga, paul, comment, code):
    conversation = make_conversation(operator=olga)
    error = refusal(
        transfer, conversation_id=conversation.id, to_operator=paul, operator=olga, comment=comment
    )
    assert (error.code, error.field) == (code, "comment")
    assert fresh(conversation).operator == olga


def test_closed_conversations_change_no_hands(olga, paul, support):
    conversation = make_conversation(status="closed")
    for action, arguments in (
        (assign, {"to": paul}),
        (transfer, {"to_operator": paul}),
        (transfer, {"to_team": support}),
        (hand_back, {}),
        (snooze, {"until": in_an_hour()}),
    ):
        error = refusal(action, conversation_id=conversation.id, operator=olga, **arguments)
        assert (error.code, error.status) == ("conversation_closed", 409)
    assert fresh(conversation).head == 0


# --- hand back ----------------------------------------------------------------------------------


def test_handing_back_needs_a_bot(olga, robbie):
    robbie.keys.clear()
    conversation = make_conversation(operator=olga, bot_key="robbie")
    error = refusal(hand_back, conversation_id=conversation.id, operator=olga)
    assert (error.code, error.status) == ("no_bot", 409)
    assert fresh(conversation).operator == olga


def test_handing_back_asks_the_bot_what_is_open(olga, robbie):
    conversation = make_conversation(operator=olga, bot_key="robbie", waiting_since=timezone.now())
    make_message(conversation, "And the warranty?")
    given = hand_back(conversation_id=conversation.id, operator=olga)
    assert (given.handled_by, given.operator) == ("bot", None)
    (asked,) = robbie.asked
    assert asked.message.content == "And the warranty?"
    assert asked.conversation.ownership == fresh(conversation).ownership
    assert fresh(conversation).waiting_since is not None


def test_handing_back_an_answered_conversation_asks_nothing(olga, robbie):
    conversation = make_conversation(operator=olga, bot_key="robbie")
    make_message(conversation, "And the warranty?")
    make_message(conversation, "Two years", role="operator")
    hand_back(conversation_id=conversation.id, operator=olga)
    assert robbie.asked == []


def test_handing_back_does_not_ask_the_bot_for_a_person_again(olga, robbie):
    conversation = make_conversation(operator=olga, bot_key="robbie", waiting_since=timezone.now())
    make_message(conversation, "I want to talk to a human")
    hand_back(conversation_id=conversation.id, operator=olga)
    assert robbie.asked == []
    assert fresh(conversation).waiting_since is None


def test_handing_back_twice_changes_nothing(olga, robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie")
    hand_back(conversation_id=conversation.id, operator=olga)
    assert fresh(conversation).head == 0


# --- close and reopen ---------------------------------------------------------------------------


def test_closing_ends_everything_at_once(olga, robbie):
    vera = make_visitor()
    conversation = make_conversation(vera, operator=olga, waiting_since=timezone.now())
    closed = close(conversation_id=conversation.id, operator=olga)
    assert (closed.status, closed.handled_by) == ("closed", "nobody")
    assert (closed.operator, closed.last_operator) == (None, olga)
    assert closed.closed_at is not None
    assert closed.waiting_since is None
    (event,) = visitor_events(closed)
    assert event.payload == {"status": "closed", "handled_by": "nobody"}
    vera.refresh_from_db()
    assert vera.session_id != conversation.id


def test_closing_twice_changes_nothing(olga):
    conversation = make_conversation(operator=olga)
    close(conversation_id=conversation.id, operator=olga)
    close(conversation_id=conversation.id, operator=olga)
    assert fresh(conversation).head == 1


def test_closing_an_older_conversation_leaves_the_visitor_where_they_are(olga):
    vera = make_visitor()
    older = make_conversation(vera, operator=olga)
    newer = make_conversation(vera, operator=olga)
    close(conversation_id=older.id, operator=olga)
    vera.refresh_from_db()
    assert vera.session_id == newer.id


def test_closing_ends_the_bot_s_answer(robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie")
    robbie.begin_answer(conversation, "Your order")
    closed = close(conversation_id=conversation.id)
    assert robbie.outcomes == ["cancelled"]
    assert transcript(closed) == [("assistant", "Your order")]


def test_closing_a_snoozed_conversation_ends_the_snooze(olga):
    conversation = make_conversation(operator=olga, status="snoozed", snoozed_until=in_an_hour())
    closed = close(conversation_id=conversation.id, operator=olga)
    assert (closed.status, closed.snoozed_until) == ("closed", None)


def test_closing_gives_the_free_place_to_who_waits_longest(support):
    olga = make_operator("Olga", teams=[support], available=True, capacity=1)
    held = make_conversation(operator=olga)
    younger = make_conversation(handled_by="queue", age=dt.timedelta(minutes=1))
    older = make_conversation(handled_by="queue", age=dt.timedelta(minutes=2))
    close(conversation_id=held.id, operator=olga)
    assert fresh(older).operator == olga
    assert fresh(younger).handled_by == "queue"


def test_reopening_goes_to_the_last_operator_if_they_are_here(olga, paul):
    vera = make_visitor()
    conversation = make_conversation(vera, operator=olga)
    close(conversation_id=conversation.id, operator=olga)
    opened = reopen(conversation_id=conversation.id, operator=paul)
    assert (opened.status, opened.closed_at) == ("open", None)
    assert opened.operator == olga
    vera.refresh_from_db()
    assert vera.session_id == conversation.id


def test_reopening_one_s_own_needs_no_sign_of_life():
    olga = make_operator("Olga")
    conversation = make_conversation(operator=olga)
    close(conversation_id=conversation.id, operator=olga)
    assert reopen(conversation_id=conversation.id, operator=olga).operator == olga


def test_reopening_without_the_last_operator_goes_to_the_bot(olga, robbie):
    gone = make_operator("Gone")
    conversation = make_conversation(status="closed", last_operator=gone, bot_key="robbie")
    opened = reopen(conversation_id=conversation.id, operator=olga)
    assert opened.handled_by == "bot"
    assert robbie.asked == []


def test_reopening_without_anybody_queues(olga):
    conversation = make_conversation(status="closed")
    opened = reopen(conversation_id=conversation.id, operator=olga)
    assert opened.handled_by == "queue"
    assert opened.queued_at is not None


def test_reopening_leaves_a_visitor_in_their_newer_conversation(olga):
    vera = make_visitor()
    older = make_conversation(vera, status="closed")
    newer = make_conversation(vera, handled_by="queue")
    reopen(conversation_id=older.id, operator=olga)
    vera.refresh_from_db()
    assert vera.session_id == newer.id


def test_reopening_what_is_open_changes_nothing(olga):
    conversation = make_conversation(operator=olga)
    reopen(conversation_id=conversation.id, operator=olga)
    assert fresh(conversation).head == 0


def test_reopening_what_is_snoozed_wakes_it(olga):
    conversation = make_conversation(operator=olga, status="snoozed", snoozed_until=in_an_hour())
    opened = reopen(conversation_id=conversation.id, operator=olga)
    assert (opened.status, opened.operator) == ("open", olga)
    assert visitor_events(opened) == []


# --- snooze -------------------------------------------------------------------------------------


def test_snoozing_is_no_event_for_the_visitor(olga):
    conversation = make_conversation(operator=olga)
    until = in_an_hour()
    snoozed = snooze(conversation_id=conversation.id, operator=olga, until=until)
    assert (snoozed.status, snoozed.snoozed_until) == ("snoozed", until)
    assert snoozed.operator == olga
    assert (snoozed.head, snoozed.visitor_head) == (1, 0)
    assert snoozed.ownership == conversation.ownership


@pytest.mark.parametrize(
    "until", [dt.datetime(2030, 1, 1), timezone.now() - dt.timedelta(minutes=1)]
)
def test_snoozing_needs_a_moment_to_come(olga, until):
    conversation = make_conversation(operator=olga)
    error = refusal(snooze, conversation_id=conversation.id, operator=olga, until=until)
    assert (error.code, error.field) == ("invalid_field", "until")


def test_snoozing_frees_a_place(support):
    olga = make_operator("Olga", teams=[support], available=True, capacity=1)
    held = make_conversation(operator=olga)
    waiting = make_conversation(handled_by="queue")
    snooze(conversation_id=held.id, operator=olga, until=in_an_hour())
    assert fresh(waiting).operator == olga


def test_waking_needs_a_snooze_that_is_over():
    assert transitions.wake(conversation_id=uuid.uuid4()) is False
    assert transitions.wake(conversation_id=make_conversation().id) is False
    later = make_conversation(status="snoozed", snoozed_until=in_an_hour())
    assert transitions.wake(conversation_id=later.id) is False


def test_every_step_keeps_both_numberings_without_a_gap(olga, paul, support, robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie")
    take(conversation_id=conversation.id, operator=olga)
    transfer(conversation_id=conversation.id, operator=olga, to_operator=paul, comment="Please")
    snooze(conversation_id=conversation.id, operator=paul, until=in_an_hour())
    transfer(conversation_id=conversation.id, operator=paul, to_team=support, comment="Sorry")
    hand_back(conversation_id=conversation.id, operator=paul)
    close(conversation_id=conversation.id, operator=paul)
    reopen(conversation_id=conversation.id, operator=paul)
    now = fresh(conversation)
    assert [e.seq for e in now.events.order_by("seq")] == list(range(1, now.head + 1))
    assert [e.visitor_seq for e in visitor_events(now)] == list(range(1, now.visitor_head + 1))
    assert Visitor.objects.get().session_id == conversation.id


def in_threads(action, arguments):
    """Call ``action`` with each argument in a thread of its own, all at the same moment."""
    barrier = threading.Barrier(len(arguments))
    results = [None] * len(arguments)

    def work(index, argument):
        try:
            barrier.wait()
            results[index] = action(argument)
        except InboxError as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(arguments)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
