"""Presence is a lease: who gives no sign of life loses what they left unanswered."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from inbox.actions import presence
from inbox.actions.operators import take_seat
from inbox.actions.presence import expire_presence, set_available, touch
from inbox.actions.transitions import assign
from inbox.assignment import attendance, positions
from inbox.assignment.sweeps import Sweeps, sweep, wake_snoozed
from inbox.models import Conversation, Event, Operator
from inbox.testing import (
    make_conversation,
    make_message,
    make_operator,
    make_tag,
    make_team,
    transcript,
    visitor_events,
)

pytestmark = pytest.mark.django_db(transaction=True)


def ago(seconds: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=seconds)


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def unanswered(operator: Operator, **fields) -> Conversation:
    return make_conversation(operator=operator, waiting_since=ago(300), **fields)


# --- signs of life ------------------------------------------------------------------------------


def test_available_is_a_wish_and_a_sign_of_life():
    olga = make_operator("Olga")
    set_available(operator=olga, available=True)
    assert olga.available
    assert olga.last_seen_at is not None
    assert olga in Operator.objects.present(timezone.now(), 60)


def test_away_keeps_what_one_has():
    olga = make_operator("Olga", available=True)
    conversation = unanswered(olga)
    set_available(operator=olga, available=False)
    sweep()
    assert fresh(conversation).operator == olga


def test_changing_availability_is_told_to_every_process(monkeypatch):
    told = []
    tell = lambda kind, **fields: told.append((kind, fields))  # noqa: E731
    monkeypatch.setattr(presence, "publish_control", tell)
    olga = make_operator("Olga")
    set_available(operator=olga, available=True)
    assert told == [("operator", {"id": olga.pk})]


def test_touching_renews_the_lease():
    olga = make_operator("Olga", last_seen_at=ago(50))
    touch(operator_id=olga.pk)
    olga.refresh_from_db()
    assert olga.last_seen_at > ago(5)


def test_touches_in_quick_succession_write_once():
    seen_at = ago(0.3)
    olga = make_operator("Olga", last_seen_at=seen_at)
    touch(operator_id=olga.pk)
    olga.refresh_from_db()
    assert olga.last_seen_at == seen_at


def test_touching_nobody_is_harmless():
    touch(operator_id=999)


def test_acting_is_a_sign_of_life_too():
    olga = make_operator("Olga", last_seen_at=ago(600))
    conversation = unanswered(olga)
    take_seat(olga.user)
    assert expire_presence() == 0
    assert fresh(conversation).operator == olga


@pytest.mark.parametrize("last_seen_at", [None, ago(600)])
def test_coming_back_drains_the_queue(last_seen_at):
    olga = make_operator("Olga", available=True, last_seen_at=last_seen_at)
    conversation = make_conversation(handled_by="queue")
    touch(operator_id=olga.pk)
    assert fresh(conversation).operator == olga


# --- the lease ends -----------------------------------------------------------------------------


@pytest.mark.parametrize(("silent", "left"), [(55, False), (61, True)])
def test_unanswered_ones_queue_again_when_the_lease_is_over(silent, left):
    olga = make_operator("Olga", available=True, last_seen_at=ago(silent))
    conversation = unanswered(olga)
    assert expire_presence() == left
    assert (fresh(conversation).handled_by == "queue") is left


def test_the_wait_counts_from_the_visitor_s_words():
    olga = make_operator("Olga", last_seen_at=ago(90))
    conversation = unanswered(olga)
    expire_presence()
    queued = fresh(conversation)
    assert queued.queued_at == conversation.waiting_since
    assert (queued.operator, queued.last_operator) == (None, olga)
    assert [event.kind for event in visitor_events(queued)] == ["conversation", "message"]
    assert transcript(queued)[0][1].startswith("Nobody is available right now.")


def test_answered_ones_stay_assigned():
    olga = make_operator("Olga", last_seen_at=ago(900))
    conversation = make_conversation(operator=olga)
    assert expire_presence() == 0
    assert fresh(conversation).operator == olga


def test_snoozed_ones_stay_snoozed():
    olga = make_operator("Olga", last_seen_at=ago(900))
    conversation = unanswered(olga, status="snoozed")
    assert expire_presence() == 0
    assert fresh(conversation).status == "snoozed"


def test_a_deleted_operator_s_conversation_queues_again():
    olga = make_operator("Olga", available=True)
    conversation = unanswered(olga)
    olga.delete()
    assert expire_presence() == 1
    assert fresh(conversation).handled_by == "queue"


def test_a_disabled_account_is_gone_at_once():
    olga = make_operator("Olga", available=True)
    olga.user.is_active = False
    olga.user.save()
    unanswered(olga)
    assert expire_presence() == 1


def test_being_given_one_counts_as_a_sign_of_life_for_it():
    olga = make_operator("Olga", last_seen_at=timezone.now())
    paul = make_operator("Paul")
    given, old = unanswered(olga), unanswered(paul)
    assign(conversation_id=given.id, operator=olga, to=paul)
    assert expire_presence() == 1
    assert fresh(given).operator == paul
    assert fresh(old).handled_by == "queue"
    Event.objects.filter(conversation=given).update(created_at=ago(61))
    assert expire_presence() == 1
    assert fresh(given).handled_by == "queue"


def test_a_label_gives_no_new_lease():
    paul = make_operator("Paul", last_seen_at=ago(300))
    conversation = unanswered(paul)
    from inbox.actions.tags import add_tag

    add_tag(conversation_id=conversation.id, name=make_tag("urgent").name)
    assert expire_presence() == 1


def test_what_was_left_goes_to_who_is_there():
    olga = make_operator("Olga", available=True, last_seen_at=ago(90))
    paul = make_operator("Paul", available=True)
    conversation = unanswered(olga)
    sweep()
    assert fresh(conversation).operator == paul


def test_the_one_who_answered_meanwhile_keeps_it(monkeypatch):
    olga = make_operator("Olga", last_seen_at=ago(90))
    conversation = unanswered(olga)
    is_abandoned = presence.is_abandoned

    def answered_first(found, journal):
        touch(operator_id=olga.pk)
        found.operator.refresh_from_db()
        return is_abandoned(found, journal)

    monkeypatch.setattr(presence, "is_abandoned", answered_first)
    assert expire_presence() == 0
    assert fresh(conversation).operator == olga


def test_what_was_answered_between_look_and_lock_stays(monkeypatch):
    olga = make_operator("Olga", last_seen_at=ago(90))
    conversation = unanswered(olga)
    queue_again = presence._queue_again

    def answered_first(conversation_id):
        Conversation.objects.filter(pk=conversation_id).update(waiting_since=None)
        return queue_again(conversation_id)

    monkeypatch.setattr(presence, "_queue_again", answered_first)
    assert expire_presence() == 0
    assert fresh(conversation).operator == olga


# --- snoozes and the sweep ----------------------------------------------------------------------


def test_a_snooze_that_is_over_ends_unseen_by_the_visitor():
    olga = make_operator("Olga", available=True)
    due = make_conversation(operator=olga, status="snoozed", snoozed_until=ago(1))
    later = make_conversation(operator=olga, status="snoozed", snoozed_until=ago(-60))
    assert wake_snoozed() == 1
    assert (fresh(due).status, fresh(due).operator) == ("open", olga)
    assert fresh(later).status == "snoozed"
    assert visitor_events(due) == []


def test_a_snooze_that_ends_while_its_operator_is_gone_queues_what_is_open():
    olga = make_operator("Olga", last_seen_at=ago(900))
    open_question = unanswered(olga, status="snoozed", snoozed_until=ago(1))
    answered = make_conversation(operator=olga, status="snoozed", snoozed_until=ago(1))
    wake_snoozed()
    assert fresh(open_question).handled_by == "queue"
    assert fresh(answered).operator == olga


def test_the_sweep_drains_what_a_lost_drain_left():
    conversation = make_conversation(handled_by="queue")
    sweep()
    assert fresh(conversation).handled_by == "queue"
    olga = make_operator("Olga", available=True)
    sweep()
    assert fresh(conversation).operator == olga


def test_the_source_sweeps_at_most_once_a_moment():
    source = Sweeps()
    assert source.enabled()
    assert source.claim(0) == []
    assert source.claim(1) == ["sweep"]
    assert source.claim(1) == []


async def test_the_source_runs_the_sweep():
    from asgiref.sync import sync_to_async

    make = sync_to_async(make_conversation)
    conversation = await make(status="snoozed", snoozed_until=ago(1))
    await Sweeps().run("sweep")
    assert (await sync_to_async(fresh)(conversation)).status == "open"


def test_a_reply_after_the_lease_is_no_reason_to_queue():
    olga = make_operator("Olga", last_seen_at=ago(300))
    conversation = make_conversation(operator=olga)
    make_message(conversation, "Here you are", role="operator")
    assert expire_presence() == 0


# --- what visitors are told ---------------------------------------------------------------------


@pytest.fixture
def frames(monkeypatch):
    told = {}

    def publish(batch):
        assert all(ephemeral.audience == "visitor" for ephemeral in batch.ephemerals)
        told.update({e.conversation_id: e.frame for e in batch.ephemerals})

    monkeypatch.setattr(attendance, "publish", publish)
    monkeypatch.setattr(attendance, "_told", None)
    return told


def test_visitors_are_told_who_is_there_for_them(frames):
    support, sales = make_team("Support"), make_team("Sales")
    anybody = make_conversation(handled_by="bot")
    ours, theirs = make_conversation(team=support), make_conversation(team=sales)
    make_conversation(status="closed")
    make_conversation(age=dt.timedelta(hours=2))
    olga = make_operator("Olga", teams=[support], avatar_url="/olga.png")
    set_available(operator=olga, available=True)
    online = {
        "type": "presence",
        "online": True,
        "operators": [{"name": "Olga", "avatar": "/olga.png"}],
    }
    offline = {"type": "presence", "online": False}
    assert frames == {str(anybody.id): online, str(ours.id): online, str(theirs.id): offline}
    frames.clear()
    set_available(operator=olga, available=False)
    assert frames[str(anybody.id)] == offline


def test_the_same_people_are_told_once(frames):
    make_operator("Olga", available=True)
    make_conversation()
    assert attendance.tell_presence()
    frames.clear()
    assert not attendance.tell_presence()
    sweep()
    assert frames == {}


def test_presence_without_conversations_tells_nobody(frames):
    assert attendance.tell_presence()
    assert frames == {}


def test_trouble_while_telling_is_logged(monkeypatch, caplog):
    monkeypatch.setattr(attendance, "tell_presence", lambda: 1 / 0)
    attendance.tell_presence_soon()
    assert "telling presence failed" in caplog.text


def test_who_waits_is_told_their_place_by_the_sweep_too(monkeypatch):
    batches = []
    monkeypatch.setattr(positions, "publish", batches.append)
    monkeypatch.setattr(positions, "_told", {})
    conversation = make_conversation(handled_by="queue")
    sweep()
    assert [e.conversation_id for batch in batches for e in batch.ephemerals] == [
        str(conversation.id)
    ]
