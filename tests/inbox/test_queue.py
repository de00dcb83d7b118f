"""The queue drains oldest first, to the least busy, and never overfills anybody."""

from __future__ import annotations

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inbox.actions.presence import set_available, set_capacity
from inbox.actions.transitions import close
from inbox.assignment import positions, queue
from inbox.assignment.positions import estimate, places_in_line, publish_positions, queue_positions
from inbox.assignment.queue import drain, drain_now
from inbox.models import Conversation
from inbox.testing import make_conversation, make_operator, make_team, transcript

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(minutes: int = 1, **fields) -> Conversation:
    return make_conversation(handled_by="queue", age=dt.timedelta(minutes=minutes), **fields)


def holder(conversation: Conversation):
    return Conversation.objects.select_related("operator").get(pk=conversation.pk).operator


def test_oldest_first():
    first, second, third = waiting(3), waiting(2), waiting(1)
    olga = make_operator("Olga", available=True, capacity=2)
    assert drain() == 2
    assert [holder(c) for c in (first, second, third)] == [olga, olga, None]
    assert transcript(first) == [("system", "Olga has joined.")]


def test_the_same_moment_is_ordered_by_id():
    moment = timezone.now()
    rows = [waiting(queued_at=moment) for _ in range(3)]
    make_operator("Olga", available=True, capacity=1)
    drain()
    assert holder(min(rows, key=lambda row: row.id)) is not None


def test_least_busy_first():
    busy = make_operator("Busy", available=True)
    free = make_operator("Free", available=True)
    make_conversation(operator=busy)
    conversation = waiting()
    drain()
    assert holder(conversation) == free


def test_the_longest_idle_of_equals():
    hours = dt.timedelta(hours=1)
    recent = make_operator("Recent", available=True)
    rested = make_operator("Rested", available=True)
    make_conversation(status="closed", last_operator=rested, age=2 * hours)
    make_conversation(status="closed", last_operator=recent, age=hours)
    conversation = waiting()
    drain()
    assert holder(conversation) == rested


def test_several_are_spread():
    operators = [make_operator(name, available=True) for name in ("A", "B", "C")]
    rows = [waiting(n) for n in range(6)]
    assert drain() == 6
    held = [holder(row) for row in rows]
    assert all(held.count(operator) == 2 for operator in operators)


@pytest.mark.parametrize(
    "absence",
    [
        {"available": False, "last_seen_at": timezone.now()},
        {"available": True, "last_seen_at": timezone.now() - dt.timedelta(seconds=61)},
        {"available": True, "capacity": 0},
        {"available": True, "permissions": ()},
    ],
    ids=["away", "gone", "full", "without access"],
)
def test_nobody_who_cannot_is_given_one(absence):
    make_operator("Oscar", **absence)
    conversation = waiting()
    assert drain() == 0
    assert holder(conversation) is None


def test_a_disabled_account_is_given_none():
    olga = make_operator("Olga", available=True)
    olga.user.is_active = False
    olga.user.save()
    waiting()
    assert drain() == 0


def test_a_team_s_conversation_waits_for_that_team():
    support, sales = make_team("Support"), make_team("Sales")
    make_operator("Sam", teams=[sales], available=True, view_all=True)
    conversation = waiting(team=support)
    assert drain() == 0
    olga = make_operator("Olga", teams=[support, sales], available=True)
    assert drain() == 1
    assert holder(conversation) == olga


def test_one_team_s_long_line_does_not_hold_up_another(monkeypatch):
    monkeypatch.setattr(queue, "PASS_SIZE", 2)
    support, sales = make_team("Support"), make_team("Sales")
    for minutes in range(10, 15):
        waiting(minutes, team=support)
    theirs = waiting(1, team=sales)
    oscar = make_operator("Oscar", teams=[support], available=True, permissions=())
    sam = make_operator("Sam", teams=[sales], available=True)
    assert drain() == 1
    assert holder(theirs) == sam
    assert oscar.conversations.count() == 0


def test_snoozed_and_closed_ones_do_not_count_as_load():
    olga = make_operator("Olga", available=True, capacity=1)
    make_conversation(operator=olga, status="snoozed")
    make_conversation(status="closed", last_operator=olga)
    conversation = waiting()
    drain()
    assert holder(conversation) == olga


def test_a_snoozed_one_is_not_given():
    make_operator("Olga", available=True)
    assert make_conversation(handled_by="queue", status="snoozed") and drain() == 0


def test_the_limit_is_kept():
    for minutes in range(5):
        waiting(minutes)
    make_operator("Olga", available=True, capacity=10)
    assert drain(limit=3) == 3


# --- what frees a place drains ------------------------------------------------------------------


def test_becoming_available_drains():
    olga = make_operator("Olga")
    conversation = waiting()
    set_available(operator=olga, available=True)
    assert holder(conversation) == olga


def test_more_capacity_drains():
    olga = make_operator("Olga", available=True, capacity=0)
    conversation = waiting()
    set_capacity(operator=olga, capacity=1)
    assert holder(conversation) == olga


def test_an_event_that_is_rolled_back_drains_nothing():
    olga = make_operator("Olga")
    conversation = waiting()
    with pytest.raises(RuntimeError), transaction.atomic():
        set_available(operator=olga, available=True)
        raise RuntimeError
    assert holder(conversation) is None


def test_trouble_while_draining_is_logged_and_harms_nobody_else(monkeypatch, caplog):
    def broken(**_):
        raise RuntimeError("out of order")

    monkeypatch.setattr(queue, "drain", broken)
    drain_now()
    assert "draining the queue failed" in caplog.text


# --- races --------------------------------------------------------------------------------------


def run_together(*calls) -> list:
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def work(index, call):
        try:
            barrier.wait()
            results[index] = call()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_drains_at_the_same_moment_never_overfill_anybody():
    operators = [make_operator(name, available=True, capacity=3) for name in ("A", "B")]
    rows = [waiting(n) for n in range(12)]
    given = run_together(*[drain] * 4)
    assert sum(given) == 6
    for operator in operators:
        assert Conversation.objects.assigned_to(operator.pk).count() == 3
    assert [holder(row) is not None for row in reversed(rows)] == [True] * 6 + [False] * 6
    for row in rows:
        assert len(transcript(row)) <= 1


def test_closing_at_the_same_moment_fills_every_place_once():
    olga = make_operator("Olga", available=True, capacity=3)
    held = [make_conversation(operator=olga) for _ in range(3)]
    rows = [waiting(n) for n in range(5)]
    run_together(*[lambda row=row: close(conversation_id=row.id, operator=olga) for row in held])
    assert Conversation.objects.assigned_to(olga.pk).count() == 3
    assert sum(holder(row) is not None for row in rows) == 3


def test_an_operator_who_fills_up_meanwhile_is_passed_over(monkeypatch):
    """Two processes read the same free place; the second finds it taken under the lock."""
    olga = make_operator("Olga", available=True, capacity=1)
    paul = make_operator("Paul", available=True, capacity=1)
    make_conversation(status="closed", last_operator=paul)
    conversation = waiting()
    load = queue.Desk.load

    def stale(now):
        desk = load(now)
        if not Conversation.objects.assigned_to(olga.pk).exists():
            make_conversation(operator=olga)
        return desk

    monkeypatch.setattr(queue.Desk, "load", stale)
    drain()
    assert holder(conversation) == paul


def test_a_conversation_that_left_the_line_meanwhile_is_left_alone(monkeypatch):
    make_operator("Olga", available=True)
    conversation = waiting()
    give = queue._give

    def closed_first(operator_id, conversation_id):
        close(conversation_id=conversation_id)
        return give(operator_id, conversation_id)

    monkeypatch.setattr(queue, "_give", closed_first)
    assert drain() == 0
    assert Conversation.objects.get(pk=conversation.pk).status == "closed"


# --- positions ----------------------------------------------------------------------------------


def line(*teams) -> list[tuple[uuid.UUID, int | None]]:
    return [(uuid.UUID(int=index), team) for index, team in enumerate(teams)]


@pytest.mark.parametrize(
    ("teams", "places"),
    [
        ([], []),
        ([None, None, None], [1, 2, 3]),
        ([1, 2, 1, 2], [1, 1, 2, 2]),
        ([1, None, 2, None], [1, 2, 2, 4]),
    ],
)
def test_places_among_those_who_wait_for_the_same_people(teams, places):
    assert list(places_in_line(line(*teams)).values()) == places


@pytest.mark.parametrize(
    ("place", "durations", "slots", "seconds"),
    [
        (1, [300, 300, 300], 5, 60),
        (4, [300, 300, 300], 5, 240),
        (1, [10, 10, 10], 5, 10),
        (2, [60, 600, 6000], 2, 600),
        (1, [300, 300], 5, None),
        (1, [300, 300, 300], 0, None),
    ],
)
def test_estimate(place, durations, slots, seconds):
    assert estimate(place, durations, slots) == seconds


def test_positions_of_those_who_wait():
    first, second = waiting(2), waiting(1)
    other = make_conversation(handled_by="bot")
    assert queue_positions([second.id, other.id]) == {second.id: (2, None)}
    assert queue_positions() == {first.id: (1, None), second.id: (2, None)}
    assert queue_positions([]) == {}


def test_an_estimate_comes_from_what_recent_conversations_took():
    olga = make_operator("Olga", available=True, capacity=2)
    for _ in range(3):
        make_conversation(
            status="closed",
            last_operator=olga,
            age=dt.timedelta(minutes=10),
            closed_at=timezone.now(),
        )
    conversation = waiting()
    assert queue_positions([conversation.id]) == {conversation.id: (1, 300)}


@pytest.fixture
def told(monkeypatch):
    batches = []
    monkeypatch.setattr(positions, "publish", batches.append)
    monkeypatch.setattr(positions, "_told", {})
    return batches


def frames(batches) -> list[tuple[str, dict]]:
    return [(e.conversation_id, e.frame) for batch in batches for e in batch.ephemerals]


def test_those_who_wait_are_told_once_and_again_when_it_changes(told):
    first, second = waiting(2), waiting(1)
    publish_positions()
    publish_positions()
    assert frames(told) == [
        (str(first.id), {"type": "queue", "position": 1}),
        (str(second.id), {"type": "queue", "position": 2}),
    ]
    assert all(e.audience == "visitor" for batch in told for e in batch.ephemerals)
    told.clear()
    close(conversation_id=first.id)
    assert frames(told) == [(str(second.id), {"type": "queue", "position": 1})]


def test_a_position_is_repeated_after_a_while(told, monkeypatch):
    waiting()
    publish_positions()
    monkeypatch.setattr(positions, "REPEAT_SECONDS", -1.0)
    publish_positions()
    assert len(told) == 2


def test_a_frame_carries_the_estimate_if_there_is_one():
    assert positions.queue_frame((3, 120)) == {
        "type": "queue",
        "position": 3,
        "estimate_seconds": 120,
    }
