"""Streaming answers on their way to the readers."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from asgiref.sync import sync_to_async

from inbox.actions.answering import finish_answer
from inbox.actions.transitions import take
from inbox.realtime import publish as publishing
from inbox.realtime.live import live_answers
from inbox.realtime.streams import Stream
from inbox.testing import make_conversation, make_operator

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER_ID = uuid.UUID(int=1)

conversation_of = sync_to_async(make_conversation)


@pytest.fixture
def listen(listen):
    """Listen and wait until the reader has caught up."""

    async def caught_up(hub, conversation):
        ear, reader = listen(hub, conversation)
        while reader.pumping:
            await asyncio.sleep(0)
        return ear

    return caught_up


def begin(
    hub, conversation, *, revision=1, ownership=1, flush_seconds=0.0, message_id="m1"
) -> Stream:
    return Stream(
        hub,
        conversation_id=str(conversation.id),
        turn="t1",
        revision=revision,
        ownership=ownership,
        message_id=message_id,
        flush_seconds=flush_seconds,
    )


def text_of(ear) -> str:
    """What a client shows: replace at offset 0, append at its own length, ignore the rest."""
    text = ""
    for frame in ear.frames:
        if frame["type"] == "response_start":
            text = ""
        elif frame["type"] == "text_delta":
            if frame["offset"] == 0:
                text = frame["content"]
            elif frame["offset"] == len(text):
                text += frame["content"]
    return text


async def test_an_answer_streams_with_offsets_in_code_points(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation)
    stream.sources([{"url": "/a", "title": "A", "snippet": ""}])
    for part in ["Grüße ", "👋🏽 ", "end"]:
        stream.delta(part)
    stream.end("done", stream.text)
    kinds = [frame["type"] for frame in ear.frames]
    answer = ["response_start", "sources", *["text_delta"] * 3, "response_end"]
    assert kinds == ["typing", *answer, "typing"]
    assert [f["is_typing"] for f in ear.of("typing")] == [True, False]
    assert [f["offset"] for f in ear.of("text_delta")] == [0, 6, 9]
    assert text_of(ear) == "Grüße 👋🏽 end"
    assert ear.of("response_end")[0]["full_content"] == "Grüße 👋🏽 end"


async def test_the_first_token_does_not_wait_and_the_rest_is_gathered(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation, flush_seconds=0.02)
    stream.delta("first ")
    assert text_of(ear) == "first "
    for word in ["a ", "b ", "c"]:
        stream.delta(word)
    assert text_of(ear) == "first "
    await ear.until(lambda e: text_of(e) == "first a b c")
    assert len(ear.of("text_delta")) == 2


async def test_many_streams_wake_the_loop_together(hub, monkeypatch):
    """Each flushed by a timer of its own, an operator who watches got a write for each."""
    monkeypatch.setattr("inbox.realtime.wheel.TURN_SECONDS", 60.0)
    timers, flushed = [], []
    monkeypatch.setattr(hub.loop, "call_at", lambda when, *call: timers.append(call))
    for _ in range(50):
        hub.wheel.call_within(0.03, lambda: flushed.append(hub))
    turn = len(timers)
    monkeypatch.undo()
    assert turn <= 2, "at most two, on either side of a minute's end"
    for function, *arguments in timers:
        function(*arguments)
    assert len(flushed) == 50


async def test_a_stream_that_cannot_be_flushed_holds_up_no_other(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation, flush_seconds=0.02)
    stream.delta("first ")
    hub.wheel.call_within(0.02, lambda: 1 // 0)
    stream.delta("second")
    await ear.until(lambda e: text_of(e) == "first second")


async def test_nothing_is_said_after_a_stream_was_closed(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation, flush_seconds=0.02)
    stream.delta("first ")
    stream.delta("second")
    stream.close()
    other = asyncio.Event()
    hub.wheel.call_within(0.04, other.set)
    await other.wait()
    assert text_of(ear) == "first "


async def test_who_joins_mid_answer_gets_the_text_so_far_and_then_the_rest(hub, listen):
    conversation = await conversation_of()
    stream = begin(hub, conversation)
    stream.sources([{"url": "/a", "title": "A", "snippet": ""}])
    stream.delta("the beginning ")
    ear = await listen(hub, conversation)
    await ear.until(lambda e: e.of("text_delta"))
    stream.delta("the end")
    assert [f["type"] for f in ear.frames][:3] == ["typing", "response_start", "sources"]
    assert text_of(ear) == "the beginning the end"


async def test_a_slow_reader_loses_deltas_first_and_is_brought_up_to_date(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation)
    stream.delta("one ")
    ear.congested = True
    stream.delta("two ")
    ear.congested = False
    stream.delta("three")
    assert text_of(ear) == "one two three"
    assert ear.of("text_delta")[-1]["offset"] == 0


async def test_a_second_attempt_replaces_the_first(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    first = begin(hub, conversation)
    first.delta("half an ans")
    second = begin(hub, conversation, revision=2)
    second.delta("whole")
    first.delta("wer, late")
    assert text_of(ear) == "whole"
    assert [f["revision"] for f in ear.of("response_start")] == [1, 2]


async def test_nothing_of_an_older_owner_reaches_a_reader_after_the_takeover(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation, ownership=1)
    stream.delta("before ")
    hub.topics[str(conversation.id)].ownership = 2
    stream.delta("late")
    stream.sources([{"url": "/late", "title": "late", "snippet": ""}])
    stream.end("done", "before late")
    assert text_of(ear) == "before "
    assert not ear.of("sources")
    assert not ear.of("response_end")


async def test_a_frozen_answer_shows_no_further_word(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation)
    stream.delta("shown")
    frozen = live_answers.freeze(str(conversation.id))
    stream.delta(" and not this")
    assert frozen is not None
    assert frozen.text == "shown"
    assert text_of(ear) == "shown"


async def test_a_freeze_whose_transaction_failed_thaws(hub, listen, monkeypatch):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation)
    stream.delta("a ")
    live_answers.freeze(str(conversation.id))
    stream.delta("b ")
    monkeypatch.setattr("inbox.realtime.live.FREEZE_SECONDS", 0.0)
    stream.delta("c")
    stream.flush()
    stream.end("done", "a b c")
    assert ear.of("response_end")[0]["full_content"] == "a b c"


async def test_a_worker_that_wakes_up_behind_the_end_begins_nothing_anew(hub, listen):
    conversation = await conversation_of()
    ear = await listen(hub, conversation)
    stalled = begin(hub, conversation)
    stalled.delta("half ")
    finisher = begin(hub, conversation, revision=2)
    finisher.delta("whole")
    finisher.end("done", "whole")
    told = len(ear.frames)
    stalled.delta("late")
    assert ear.frames[told:] == []


async def test_a_stream_whose_ending_was_lost_ends_with_its_message(hub, listen, monkeypatch):
    """The worker died between commit and publishing: readers see no bubble that never ends."""
    conversation = await conversation_of(handled_by="bot")
    ear = await listen(hub, conversation)
    stream = begin(hub, conversation, message_id=str(ANSWER_ID))
    stream.delta("Hello")
    with monkeypatch.context() as lost:
        lost.setattr(publishing, "attached_hub", lambda: None)
        await sync_to_async(finish_answer)(
            conversation_id=conversation.id,
            ownership=conversation.ownership,
            turn_key="t1",
            message_id=ANSWER_ID,
            content="Hello you",
            author_name="Robbie",
        )
    await hub.poll.look()
    await ear.until(lambda e: e.seqs == [1])
    (end,) = ear.of("response_end")
    assert (end["outcome"], end["full_content"]) == ("done", "Hello you")
    assert ear.of("typing")[-1]["is_typing"] is False
    late, _ = (await listen(hub, conversation)), stream.delta(" again")
    assert not late.of("response_start")
    assert len(ear.of("response_start")) == 1


async def test_a_stream_that_a_lost_take_over_ended_before_its_first_word_ends(
    hub, listen, monkeypatch
):
    conversation = await conversation_of(handled_by="bot")
    ear = await listen(hub, conversation)
    begin(hub, conversation)
    olga = await sync_to_async(make_operator)()
    with monkeypatch.context() as lost:
        lost.setattr(publishing, "attached_hub", lambda: None)
        await sync_to_async(take)(conversation_id=conversation.id, operator=olga)
    await hub.poll.look()
    await ear.until(lambda e: e.seqs == [1, 2])
    types = [frame["type"] for frame in ear.frames]
    assert types == [
        "typing",
        "response_start",
        "response_end",
        "typing",
        "conversation",
        "message",
    ]
    assert ear.of("response_end")[0]["outcome"] == "cancelled"
