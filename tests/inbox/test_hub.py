"""Delivery inside one process: order, gaps, audiences, take-overs."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from msgspec.structs import replace

from inbox.models import Conversation
from inbox.realtime import metrics
from inbox.realtime import publish as publishing
from inbox.realtime.batches import Batch
from inbox.realtime.publish import publish_ephemeral
from inbox.realtime.summaries import as_change
from inbox.testing import make_conversation, make_message, make_note, make_operator

pytestmark = pytest.mark.django_db(transaction=True)

conversation_of = sync_to_async(make_conversation)
say = sync_to_async(make_message)
note = sync_to_async(make_note)


async def caught_up(reader) -> None:
    """Its first look into the database is over: what comes now must find it in another way."""
    while reader.pumping:
        await asyncio.sleep(0)


async def test_a_reader_gets_what_was_written_before_and_after_it_came(hub, listen):
    conversation = await conversation_of()
    await say(conversation, "before")
    ear, _ = listen(hub, conversation)
    await ear.until(lambda e: e.seqs == [1])
    await say(conversation, "after")
    await ear.until(lambda e: e.seqs == [1, 2])
    assert [frame["content"] for frame in ear.frames] == ["before", "after"]


async def test_a_private_note_is_neither_a_hole_nor_a_hint_for_the_visitor(hub, listen):
    conversation = await conversation_of()
    operator = await sync_to_async(make_operator)()
    vera, _ = listen(hub, conversation)
    olga, _ = listen(hub, conversation, "operator")
    await say(conversation, "one")
    await note(conversation, "between us", operator)
    await say(conversation, "two")
    await vera.until(lambda e: len(e.frames) == 2)
    await olga.until(lambda e: len(e.frames) == 3)
    assert vera.seqs == [1, 2]
    assert olga.seqs == [1, 2, 3]
    assert "kind" not in vera.frames[0]
    assert [frame["kind"] for frame in olga.frames] == ["reply", "note", "reply"]
    assert {frame["conversation_id"] for frame in olga.frames} == {str(conversation.id)}


async def test_a_reader_that_misses_a_number_reads_the_database(hub, listen, monkeypatch):
    conversation = await conversation_of()
    ear, reader = listen(hub, conversation)
    await caught_up(reader)
    with monkeypatch.context() as lost:
        lost.setattr(publishing, "attached_hub", lambda: None)
        await say(conversation, "its hint is lost")
    await say(conversation, "this one arrives")
    await ear.until(lambda e: e.seqs == [1, 2])
    assert reader.cursor == 2


async def test_the_head_poll_finds_an_event_whose_only_hint_was_lost(hub, listen, monkeypatch):
    conversation = await conversation_of()
    ear, reader = listen(hub, conversation)
    await caught_up(reader)
    with monkeypatch.context() as lost:
        lost.setattr(publishing, "attached_hub", lambda: None)
        await say(conversation, "then silence")
    before = metrics.poll_catches._value.get()
    await hub.poll.look()
    await ear.until(lambda e: e.seqs == [1])
    assert metrics.poll_catches._value.get() == before + 1


async def test_a_batch_that_comes_twice_is_shown_once(hub, listen, monkeypatch):
    conversation = await conversation_of()
    ear, _ = listen(hub, conversation)
    seen: list[Batch] = []
    deliver = hub.deliver
    monkeypatch.setattr(hub, "deliver", lambda batch: (seen.append(batch), deliver(batch)))
    await say(conversation, "once")
    await ear.until(lambda e: e.seqs == [1])
    for batch in tuple(seen):
        deliver(batch)
    await say(conversation, "and then another")
    await ear.until(lambda e: e.seqs == [1, 2])


async def test_a_long_history_comes_in_pages_without_a_hole(hub, listen, monkeypatch):
    monkeypatch.setattr("inbox.realtime.records.PAGE_SIZE", 3)
    monkeypatch.setattr("inbox.realtime.hub.PAGE_SIZE", 3)
    conversation = await conversation_of()
    for number in range(10):
        await say(conversation, f"line {number}")
    ear, _ = listen(hub, conversation, since=2)
    await ear.until(lambda e: e.seqs == list(range(3, 11)))


async def test_typing_reaches_only_the_audience_it_is_for(hub, listen):
    conversation = await conversation_of()
    vera, _ = listen(hub, conversation)
    olga, _ = listen(hub, conversation, "operator")
    publish_ephemeral(
        conversation.id,
        {"type": "typing", "role": "user", "is_typing": True},
        audience="operator",
    )
    await olga.until(lambda e: e.of("typing"))
    assert not vera.frames


async def test_an_operator_is_told_a_read_mark_in_operators_numbers(hub, listen):
    conversation = await conversation_of()
    vera, _ = listen(hub, conversation)
    olga, _ = listen(hub, conversation, "operator")
    mark = {"type": "read", "role": "operator", "upto": 1}
    publish_ephemeral(conversation.id, mark, operator_frame={**mark, "upto": 2})
    await olga.until(lambda e: e.of("read"))
    await vera.until(lambda e: e.of("read"))
    assert [ear.of("read")[0]["upto"] for ear in (vera, olga)] == [1, 2]


async def test_an_ephemeral_frame_older_than_the_takeover_is_dropped(hub, listen):
    conversation = await conversation_of()
    ear, _ = listen(hub, conversation)
    hub.topics[str(conversation.id)].ownership = 5
    frame = {"type": "typing", "role": "assistant", "is_typing": True}
    publish_ephemeral(conversation.id, frame, ownership=4)
    publish_ephemeral(conversation.id, {**frame, "is_typing": False}, ownership=5)
    await ear.until(lambda e: e.of("typing"))
    assert [f["is_typing"] for f in ear.of("typing")] == [False]


async def test_a_reader_that_left_is_forgotten(hub, listen):
    conversation = await conversation_of()
    ear, reader = listen(hub, conversation)
    await say(conversation, "hello")
    await ear.until(lambda e: e.seqs == [1])
    hub.unsubscribe(reader)
    assert not hub.topics
    await say(conversation, "unheard")
    head = await sync_to_async(lambda: Conversation.objects.get(id=conversation.id).head)()
    assert head == 2
    assert ear.seqs == [1]


async def test_one_look_at_a_time_is_made_for_a_reader(hub, listen):
    conversation = await conversation_of()
    _, reader = listen(hub, conversation)
    hub.pump(reader)
    hub.pump(reader)
    assert len(hub._tasks) == 1
    await caught_up(reader)


class Page:
    """An operator's list that remembers which conversations it was told of."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.heads: list[int] = []

    def on_change(self, change) -> None:
        self.told.append(change.conversation_id)
        self.heads.append(change.head)

    def on_control(self, control) -> None:
        raise AssertionError("nobody's rights changed")


async def test_a_list_is_not_told_an_older_state_after_a_newer_one(hub):
    conversation, page = await conversation_of(), Page()
    hub.watchers.add(page)
    stored = await sync_to_async(as_change)(conversation)
    older, newer = (replace(stored, head=head) for head in (2, 3))
    hub.deliver(Batch(changes=[newer]))
    hub.deliver(Batch(changes=[older]))
    hub.deliver(Batch(changes=[newer]))
    assert page.heads == [3, 3]


async def test_a_list_that_lost_a_hint_is_told_by_the_head_poll_once(hub, monkeypatch):
    conversation, page = await conversation_of(), Page()
    hub.watchers.add(page)
    with monkeypatch.context() as lost:
        lost.setattr(publishing, "attached_hub", lambda: None)
        await say(conversation, "nobody heard")
    await hub.poll.look()
    await hub.poll.look()
    assert page.told == [str(conversation.id)]
