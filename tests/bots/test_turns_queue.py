"""Turns as rows: how they begin, who claims them, what voids a claim."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from contextlib import closing

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from bots.actions import leases
from bots.actions.leases import Beat, claim_of, held, release, renew
from bots.actions.turns import enqueue, interrupt
from bots.models import Turn, TurnStatus
from inbox.actions.handoff import request_human
from inbox.actions.journal import Journal
from inbox.actions.posting import Draft, VisitorSender, post_batch
from inbox.actions.transitions import take
from inbox.models import Conversation, Event, Message, ReadMarker
from inbox.ports import AnswerRequest
from inbox.testing import make_operator, make_visitor
from tests.support.turns import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("robbie")]


@pytest.fixture
def vera():
    return make_visitor("Vera")


def claim_all() -> list[Turn]:
    return leases.claim(100)


def expire(turn: Turn) -> None:
    Turn.objects.filter(pk=turn.pk).update(lease_until=Now() - dt.timedelta(seconds=1))


def answered(turn: Turn, status: str = TurnStatus.DONE) -> None:
    Turn.objects.filter(pk=turn.pk).update(status=status, finished_at=Now())


def test_a_message_records_one_turn(vera):
    say(vera, "Hello", client_id="c1")
    say(vera, "Hello", client_id="c1")
    turn = Turn.objects.get()
    assert turn.status == TurnStatus.QUEUED
    assert turn.trigger == Message.objects.get(role="user")
    assert (turn.first_seq, turn.last_seq, turn.revision) == (1, 1, 1)
    assert turn.ownership == Conversation.objects.get().ownership


def test_words_that_come_while_a_turn_waits_join_it(vera):
    for word in ["one", "two", "three"]:
        say(vera, word)
    turn = Turn.objects.get()
    last = Message.objects.get(content="three")
    assert turn.trigger == last
    span = Event.objects.filter(message__role="user").values_list("seq", flat=True)
    assert (turn.first_seq, turn.last_seq) == (min(span), max(span))


def test_a_burst_in_one_batch_is_one_turn(vera):
    drafts = [
        Draft(
            sender=VisitorSender(visitor_id=vera.pk),
            conversation_id=vera.session_id,
            client_id=f"c{number}",
            content=f"word {number}",
        )
        for number in range(5)
    ]
    post_batch(drafts)
    turn = Turn.objects.get()
    assert turn.trigger.content == "word 4"


def test_words_that_come_while_a_turn_runs_wait_together_for_the_next(vera):
    say(vera, "one")
    (running,) = claim_all()
    say(vera, "two")
    say(vera, "three")
    assert claim_all() == []
    answered(running)
    (following,) = claim_all()
    assert following.trigger.content == "three"
    assert following.first_seq > running.last_seq


def test_the_database_itself_allows_one_running_turn_per_conversation(vera):
    say(vera, "one")
    claim_all()
    say(vera, "two")
    with pytest.raises(IntegrityError), transaction.atomic():
        Turn.objects.filter(status=TurnStatus.QUEUED).update(status=TurnStatus.RUNNING)


def test_a_message_that_was_rolled_back_leaves_no_turn(vera):
    with pytest.raises(RuntimeError), transaction.atomic():
        say(vera, "one")
        raise RuntimeError
    assert not Turn.objects.exists()


def test_a_turn_that_is_not_due_is_left_alone(vera):
    say(vera)
    Turn.objects.update(next_at=timezone.now() + dt.timedelta(hours=1))
    assert claim_all() == []


def test_grace_leaves_a_fresh_turn_to_whoever_was_told_of_it(vera):
    say(vera)
    grace = dt.timedelta(seconds=5)
    assert leases.claim(10, grace=grace) == []
    Turn.objects.update(next_at=Now() - 2 * grace)
    assert len(leases.claim(10, grace=grace)) == 1


def test_ten_workers_racing_for_one_turn_have_one_winner(vera):
    say(vera)
    won: list[Turn] = []
    start = threading.Barrier(10)

    def work():
        try:
            start.wait()
            won.extend(leases.claim(5))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    turn = Turn.objects.get()
    assert (turn.fence, turn.attempt, turn.revision) == (1, 1, 1)


def test_workers_racing_for_many_turns_get_each_one_once():
    for _ in range(12):
        say(make_visitor())
    won: list[int] = []
    start = threading.Barrier(4)

    def work():
        try:
            start.wait()
            while turns := leases.claim(2):
                won.extend(turn.pk for turn in turns)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(Turn.objects.values_list("pk", flat=True))


def test_an_orphan_is_claimed_again_as_a_new_revision(vera):
    say(vera)
    (first,) = claim_all()
    assert claim_all() == []
    expire(first)
    (second,) = claim_all()
    assert second.pk == first.pk
    assert (second.revision, second.attempt, second.fence) == (2, 2, 2)
    stored = Turn.objects.get()
    assert (stored.revision, stored.attempt, stored.fence) == (2, 2, 2)
    assert not held(claim_of(first)).exists()
    assert held(claim_of(second)).exists()


def test_a_claim_of_one_conversation_takes_no_other(vera):
    say(vera)
    other = say(make_visitor())
    (turn,) = leases.claim(5, conversation_id=other.conversation_id)
    assert turn.conversation_id == other.conversation_id


def test_who_holds_the_conversation_holds_up_no_renewal(vera):
    """Its holder may be waiting for the turn's row itself: the end of that very answer."""
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite locks the whole file")
    say(vera)
    (turn,) = claim_all()
    renewed = []

    def beat():
        with closing(connection):
            renewed.append(renew([Beat(claim=claim_of(turn), text="so far", sources=[])]))

    thread = threading.Thread(target=beat)
    with transaction.atomic():
        Journal.lock([turn.conversation_id])
        thread.start()
        thread.join(4)  # a lock is waited for up to five seconds
        assert [result.kept for result in renewed] == [{claim_of(turn)}]
    thread.join()


def test_a_row_that_refers_to_a_held_conversation_can_be_stored(vera):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite locks the whole file")
    say(vera)
    conversation = Conversation.objects.get()
    stored = []

    def write():
        with closing(connection), transaction.atomic():
            stored.append(ReadMarker.objects.create(conversation=conversation, seq=1))

    thread = threading.Thread(target=write)
    with transaction.atomic():
        Journal.lock([conversation.pk])
        thread.start()
        thread.join(4)
        assert not thread.is_alive()
    thread.join()
    assert stored


def test_renewing_extends_the_lease_and_stores_what_was_said(vera):
    say(vera)
    (turn,) = claim_all()
    expire(turn)
    sources = [{"url": "/a", "title": "A", "snippet": ""}]
    renewed = renew([Beat(claim=claim_of(turn), text="so far", sources=sources)])
    assert renewed.kept == {claim_of(turn)}
    stored = Turn.objects.get()
    assert (stored.checkpoint, stored.sources) == ("so far", sources)
    assert claim_all() == []
    renew([Beat(claim=claim_of(turn))])
    assert Turn.objects.get().checkpoint == "so far"


def test_a_stalled_worker_that_wakes_up_late_stores_nothing(vera):
    say(vera)
    (stalled,) = claim_all()
    expire(stalled)
    (second,) = claim_all()
    renewed = renew([Beat(claim=claim_of(stalled), text="late")])
    assert (renewed.kept, renewed.lost) == (frozenset(), {claim_of(stalled)})
    assert Turn.objects.get().checkpoint == ""
    assert leases.begin_again(claim_of(stalled), shown="late", trace={}) is None
    release(claim_of(stalled))
    assert held(claim_of(second)).exists()
    assert claim_all() == []


def test_a_released_turn_is_claimed_at_once(vera):
    say(vera)
    (turn,) = claim_all()
    release(claim_of(turn))
    (again,) = claim_all()
    assert again.revision == 2


def test_a_further_attempt_keeps_what_was_shown_until_it_shows_something(vera):
    say(vera)
    (turn,) = claim_all()
    assert leases.begin_again(claim_of(turn), shown="half an ans", trace={"a": 1}) == 2
    stored = Turn.objects.get()
    assert (stored.checkpoint, stored.trace, stored.attempt) == ("half an ans", {"a": 1}, 2)


def test_a_take_over_voids_the_claim(vera):
    posted = say(vera)
    (turn,) = claim_all()
    renew([Beat(claim=claim_of(turn), text="I was about to")])
    take(conversation_id=posted.conversation_id, operator=make_operator())
    assert not held(claim_of(turn)).exists()
    assert renew([Beat(claim=claim_of(turn), text="say this")]).lost == {claim_of(turn)}
    stored = Turn.objects.get()
    assert stored.status == TurnStatus.CANCELLED
    assert (stored.checkpoint, stored.lease_until) == ("", None)
    assert stored.finished_at is not None
    answer = Message.objects.get(role="assistant")
    assert (answer.content, answer.outcome, answer.id) == (
        "I was about to",
        "cancelled",
        turn.message_id,
    )
    assert claim_all() == []


def test_what_was_shown_is_stored_before_the_event_of_the_take_over(vera):
    posted = say(vera)
    (turn,) = claim_all()
    renew([Beat(claim=claim_of(turn), text="shown")])
    take(conversation_id=posted.conversation_id, operator=make_operator())
    kinds = list(Event.objects.order_by("seq").values_list("kind", "message__role"))
    taken = kinds.index(("message", "assistant"))
    assert ("conversation", None) in kinds[taken + 1 :]


def test_a_waiting_turn_is_dropped_without_a_word(vera):
    posted = say(vera)
    take(conversation_id=posted.conversation_id, operator=make_operator())
    assert Turn.objects.get().status == TurnStatus.CANCELLED
    assert not Message.objects.filter(role="assistant").exists()


def test_the_button_hands_over_what_the_bot_was_saying(vera):
    posted = say(vera)
    (turn,) = claim_all()
    renew([Beat(claim=claim_of(turn), text="Well")])
    request_human(conversation_id=posted.conversation_id)
    assert Turn.objects.get().status == TurnStatus.HANDED_OVER
    assert Message.objects.get(role="assistant").outcome == "handed_over"


def test_interrupting_tells_only_of_what_was_running(vera, monkeypatch):
    hushed = []
    monkeypatch.setattr("bots.actions.turns.hush", hushed.append)
    one = say(vera)
    two = say(make_visitor())
    [running] = leases.claim(1, conversation_id=one.conversation_id)
    with transaction.atomic():
        found = interrupt([one.conversation_id, two.conversation_id], "cancelled")
    assert list(found) == [one.conversation_id]
    assert found[one.conversation_id].author_name == "Robbie"
    assert hushed == [str(running.key)]
    assert set(Turn.objects.values_list("status", flat=True)) == {TurnStatus.CANCELLED}
    with transaction.atomic():
        assert interrupt([uuid.uuid4()], "cancelled") == {}


def request_for(posted) -> AnswerRequest:
    message = Message.objects.get(pk=posted.id)
    return AnswerRequest(
        conversation=Conversation.objects.get(pk=posted.conversation_id), message=message, seq=1
    )


@pytest.mark.parametrize("status", [TurnStatus.CANCELLED, TurnStatus.FAILED])
def test_what_was_cut_short_may_be_asked_again(vera, status):
    posted = say(vera)
    answered(Turn.objects.get(), status)
    with transaction.atomic():
        (turn,) = enqueue([request_for(posted)])
    assert turn.status == TurnStatus.QUEUED
    assert Turn.objects.count() == 2


@pytest.mark.parametrize("status", [TurnStatus.DONE, TurnStatus.RUNNING])
def test_what_was_answered_is_not_asked_again(vera, status):
    posted = say(vera)
    answered(Turn.objects.get(), status)
    with transaction.atomic():
        assert enqueue([request_for(posted)]) == []


def test_a_bot_that_was_switched_off_meanwhile_is_not_asked(vera, robbie):
    posted = say(vera)
    Turn.objects.all().delete()
    robbie.enabled = False
    robbie.save()
    with transaction.atomic():
        assert enqueue([request_for(posted)]) == []
