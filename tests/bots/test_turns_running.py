"""Turns at work: what visitors read, what is stored, what a failure does."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.db.models.functions import Now

from bots.actions.leases import Renewed, renew
from bots.backends.base import Delta, Finished, HandOff, Source, Sources, Usage
from bots.errors import BackendError
from bots.models import Turn, TurnStatus
from inbox.actions.answering import stop_answer
from inbox.models import Attachment, Conversation, Handoff, Message
from inbox.testing import make_message, make_note, make_operator, make_visitor, transcript
from tests.support.turns import SteppedBackend, answer_all, claim_one, say, watch

pytestmark = pytest.mark.django_db(transaction=True)

run_sync = sync_to_async


async def test_an_answer_is_streamed_and_stored_once(hub, robbie):
    SteppedBackend.play(
        [
            Sources([Source(url="/a", title="A", snippet="s")]),
            Delta("Thirty "),
            Delta("days."),
            Finished("stop", Usage(input_tokens=3, output_tokens=2), "r1"),
        ]
    )
    vera = await run_sync(make_visitor)()
    posted = await run_sync(say)(vera, "How long can I return it?")
    screen = await watch(hub, posted.conversation_id)
    await answer_all()
    await screen.until(lambda s: s.of("response_end") and s.of("message")[1:])
    assert screen.text == "Thirty days."
    others = {"message", "conversation", "typing"}
    kinds = [f["type"] for f in screen.frames if f["type"] not in others]
    assert kinds == ["response_start", "sources", "text_delta", "text_delta", "response_end"]
    (end,) = screen.of("response_end")
    answer = screen.of("message")[-1]
    assert (end["outcome"], end["full_content"]) == ("done", "Thirty days.")
    assert answer["id"] == screen.of("response_start")[0]["message_id"]
    assert answer["sources"] == [{"url": "/a", "title": "A", "snippet": "s"}]
    assert answer["author"]["name"] == "Robbie"
    turn = await Turn.objects.aget()
    assert (turn.status, turn.input_tokens, turn.output_tokens) == (TurnStatus.DONE, 3, 2)
    assert turn.response_id == "r1"
    assert turn.checkpoint == ""
    assert turn.first_token_ms is not None
    conversation = await Conversation.objects.aget()
    assert await run_sync(transcript)(conversation) == [
        ("user", "How long can I return it?"),
        ("assistant", "Thirty days."),
    ]


async def begin(hub, content: str = "Hello"):
    """Vera writes and watches."""
    vera = await run_sync(make_visitor)()
    posted = await run_sync(say)(vera, content)
    return vera, posted, await watch(hub, posted.conversation_id)


async def told(posted) -> list[tuple[str, str]]:
    conversation = await Conversation.objects.aget(pk=posted.conversation_id)
    return await run_sync(transcript)(conversation)


async def bots_words(posted) -> list[str]:
    return [text for role, text in await told(posted) if role == "assistant"]


@pytest.fixture
def no_waiting(monkeypatch):
    """Retries follow at once."""
    monkeypatch.setattr("bots.running.decisions.FIRST_DELAY_SECONDS", 0)


@pytest.mark.usefixtures("no_waiting", "robbie")
async def test_a_retry_replaces_what_the_first_attempt_said(hub):
    SteppedBackend.play(
        [Delta("Half an ans"), BackendError("answer_cut", retryable=True)],
        [Delta("The whole answer."), Finished("stop")],
    )
    _, posted, screen = await begin(hub)
    await answer_all()
    assert [f["revision"] for f in screen.of("response_start")] == [1, 2]
    assert [f["offset"] for f in screen.of("text_delta")] == [0, 0]
    assert screen.text == "The whole answer."
    assert len(screen.of("response_end")) == 1
    assert await bots_words(posted) == ["The whole answer."]
    turn = await Turn.objects.aget()
    assert (turn.status, turn.revision, turn.attempt) == (TurnStatus.DONE, 2, 2)
    assert [f["code"] for f in turn.trace["failures"]] == ["answer_cut"]


@pytest.mark.usefixtures("no_waiting", "robbie")
async def test_a_bot_that_fails_three_times_says_so_and_a_person_is_asked(hub):
    SteppedBackend.play([Delta("Ha"), BackendError("backend_unavailable", retryable=True)])
    _, posted, screen = await begin(hub)
    await answer_all()
    assert len(SteppedBackend.asked) == 3
    (words,) = await bots_words(posted)
    assert words.startswith("I am sorry")
    (end,) = screen.of("response_end")
    assert (end["outcome"], end["full_content"]) == ("failed", words)
    conversation = await Conversation.objects.aget()
    assert conversation.handled_by == "queue"
    assert (await Handoff.objects.aget()).reason == "failure"
    turn = await Turn.objects.aget()
    assert (turn.status, turn.error_code) == (TurnStatus.FAILED, "backend_unavailable")
    assert len(turn.trace["failures"]) == 3
    durable = [frame["type"] for frame in screen.frames if "seq" in frame]
    assert durable[-3:] == ["message", "conversation", "message"]


@pytest.mark.usefixtures("robbie")
async def test_what_cannot_pass_is_not_tried_again(hub):
    SteppedBackend.play([BackendError("backend_unauthorized")])
    await begin(hub)
    await answer_all()
    assert len(SteppedBackend.asked) == 1


async def test_a_bot_may_be_told_never_to_hand_off_after_failures(hub, robbie):
    robbie.hand_off_after_failures = 0
    await robbie.asave()
    SteppedBackend.play([BackendError("backend_unauthorized")])
    _, posted, _ = await begin(hub)
    await answer_all()
    (words,) = await bots_words(posted)
    assert "try again" in words
    assert (await Conversation.objects.aget()).handled_by == "bot"


async def test_a_bot_may_fail_once_before_a_person_is_asked(hub, robbie):
    robbie.hand_off_after_failures = 2
    await robbie.asave()
    SteppedBackend.play([BackendError("backend_unauthorized")])
    vera, _, _ = await begin(hub)
    await answer_all()
    assert (await Conversation.objects.aget()).handled_by == "bot"
    await run_sync(say)(vera, "And now?")
    await answer_all()
    assert (await Conversation.objects.aget()).handled_by == "queue"


@pytest.mark.usefixtures("robbie")
async def test_the_apology_is_in_the_visitors_language(hub):
    SteppedBackend.play([BackendError("backend_unauthorized")])
    vera = await run_sync(make_visitor)(language="de")
    posted = await run_sync(say)(vera, "Hallo")
    await answer_all()
    (words,) = await bots_words(posted)
    assert words.startswith("Es tut mir leid")


@pytest.mark.usefixtures("no_waiting", "robbie")
@pytest.mark.parametrize(
    "answer",
    [[], [Delta("  "), Finished("stop")], [Delta("words without an end")]],
    ids=["silence", "blank", "cut"],
)
async def test_an_empty_or_cut_answer_is_never_shown_as_one(hub, answer):
    SteppedBackend.play(answer)
    _, posted, _ = await begin(hub)
    await answer_all()
    (words,) = await bots_words(posted)
    assert words.startswith("I am sorry")
    assert len(SteppedBackend.asked) == 3


@pytest.mark.usefixtures("robbie")
@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_was_cut_by_a_limit_carries_a_mark(hub, reason):
    SteppedBackend.play([Delta("Once upon a"), Finished(reason)])
    _, posted, screen = await begin(hub)
    await answer_all()
    assert await bots_words(posted) == ["Once upon a …"]
    assert screen.text == "Once upon a …"
    assert (await Turn.objects.aget()).trace["finish"] == reason


@pytest.mark.usefixtures("robbie")
async def test_whatever_a_backend_raises_ends_as_a_failed_answer(hub):
    SteppedBackend.play([ZeroDivisionError("a bug of a host's own backend")])
    _, posted, _ = await begin(hub)
    await answer_all()
    assert len(await bots_words(posted)) == 1
    assert (await Turn.objects.aget()).error_code == "backend_unavailable"


async def test_a_bot_whose_backend_is_gone_fails_politely(hub, robbie, settings):
    _, posted, _ = await begin(hub)
    settings.BOTS_BACKEND = "nonsense"
    await answer_all()
    assert len(await bots_words(posted)) == 1
    assert (await Turn.objects.aget()).error_code == "unknown_backend"


@pytest.mark.usefixtures("robbie")
async def test_the_bot_hands_over_with_what_it_said(hub):
    SteppedBackend.play(
        [
            Delta("Let me get somebody."),
            HandOff(reason="angry", summary="A lamp is broken.", question="Who pays?"),
        ]
    )
    _, posted, screen = await begin(hub)
    await answer_all()
    (end,) = screen.of("response_end")
    assert (end["outcome"], end["full_content"]) == ("handed_over", "Let me get somebody.")
    assert await bots_words(posted) == ["Let me get somebody."]
    packet = await Handoff.objects.aget()
    assert (packet.reason, packet.summary) == ("tool", "A lamp is broken.")
    assert packet.question == "Who pays?"
    assert (await Turn.objects.aget()).status == TurnStatus.HANDED_OVER
    roles = [role for role, _ in await told(posted)]
    assert roles == ["user", "assistant", "system"]


@pytest.mark.usefixtures("robbie")
async def test_a_hand_over_without_a_word_shows_no_empty_bubble(hub):
    SteppedBackend.play([HandOff(reason="asked", question="Hello\x00\ud800")])
    _, posted, screen = await begin(hub)
    await answer_all()
    assert await bots_words(posted) == []
    assert screen.of("response_end")[0]["full_content"] == ""
    assert (await Conversation.objects.aget()).handled_by == "queue"


@pytest.mark.usefixtures("robbie")
async def test_a_message_during_the_answer_is_answered_afterwards(hub):
    vera, posted, _ = await begin(hub, "one")

    async def say_more():
        await run_sync(say)(vera, "two")
        await run_sync(say)(vera, "three")

    SteppedBackend.play(
        [Delta("First."), say_more, Finished("stop")], [Delta("Second."), Finished("stop")]
    )
    await answer_all()
    assert await bots_words(posted) == ["First.", "Second."]
    first, second = SteppedBackend.asked
    assert (first.question, first.history) == ("one", ())
    assert second.question == "two\nthree"
    assert [(turn.role, turn.content) for turn in second.history] == [
        ("user", "one"),
        ("assistant", "First."),
    ]


@pytest.mark.usefixtures("robbie")
async def test_private_notes_and_system_lines_never_reach_a_model(hub):
    vera, _, _ = await begin(hub, "one")
    conversation = await Conversation.objects.aget()
    olga = await run_sync(make_operator)()
    await run_sync(make_note)(conversation, "SECRET note", olga)
    await run_sync(make_message)(conversation, "A line", role="system")
    await run_sync(say)(vera, "two")
    await answer_all()
    assert "SECRET" not in repr(SteppedBackend.asked)
    assert "A line" not in repr(SteppedBackend.asked)


async def test_the_ask_holds_what_the_bot_is_set_to(hub, robbie, settings):
    settings.BOTS_SITE_NAME = "Lamps"
    robbie.model, robbie.temperature, robbie.max_output_tokens = "m", 0.5, 77
    robbie.instructions, robbie.history_messages = "Be short.", 1
    await robbie.asave()
    vera = await run_sync(make_visitor)(language="de", page_url="/x", page_title="X")
    for word in ["one", "two"]:
        await run_sync(say)(vera, word)
        await answer_all()
    ask = SteppedBackend.asked[-1]
    assert (ask.model, ask.temperature, ask.max_output_tokens) == ("m", 0.5, 77)
    assert (ask.instructions, ask.language, ask.site_name) == ("Be short.", "de", "Lamps")
    assert (ask.page_url, ask.page_title, ask.bot_name) == ("/x", "X", "Robbie")
    assert [turn.content for turn in ask.history] == ["Hi"]
    assert (ask.store, ask.previous_response_id) == (False, None)


@pytest.mark.usefixtures("no_waiting")
async def test_the_provider_may_remember_until_it_forgets(hub, robbie):
    robbie.use_previous_response_id = True
    await robbie.asave()
    SteppedBackend.play(
        [Delta("One."), Finished("stop", None, "r1")],
        [BackendError("previous_response_unknown", retryable=True)],
        [Delta("Two."), Finished("stop", None, "r2")],
    )
    vera, _, _ = await begin(hub, "one")
    await answer_all()
    await run_sync(say)(vera, "two")
    await answer_all()
    asked = SteppedBackend.asked
    assert [ask.previous_response_id for ask in asked] == [None, "r1", None]
    assert all(ask.store for ask in asked)


async def test_the_chain_breaks_where_a_person_spoke(hub, robbie):
    robbie.use_previous_response_id = True
    await robbie.asave()
    SteppedBackend.play([Delta("One."), Finished("stop", None, "r1")])
    vera, _, _ = await begin(hub, "one")
    await answer_all()
    conversation = await Conversation.objects.aget()
    await run_sync(make_message)(conversation, "Olga here", role="operator")
    await run_sync(say)(vera, "two")
    await answer_all()
    assert SteppedBackend.asked[-1].previous_response_id is None
    assert [turn.role for turn in SteppedBackend.asked[-1].history][-1] == "operator"


@pytest.mark.usefixtures("no_waiting", "robbie")
async def test_a_question_that_was_too_long_is_asked_again_shorter(hub):
    SteppedBackend.play(
        [BackendError("context_too_long", retryable=True, shorten=True)],
        [Delta("Fine."), Finished("stop")],
    )
    vera, posted, _ = await begin(hub, "one")
    conversation = await Conversation.objects.aget()
    for number in range(8):
        await run_sync(make_message)(conversation, f"old {number}", role="operator")
    await run_sync(say)(vera, "two")
    await answer_all()
    long, short = SteppedBackend.asked[:2]
    assert len(short.history) < len(long.history)
    assert await bots_words(posted) == ["Fine."]


async def test_a_budget_that_is_used_up_brings_in_a_person(hub, robbie):
    robbie.turns_per_visitor_day = 2
    await robbie.asave()
    vera, _, _ = await begin(hub, "one")
    await answer_all()
    await run_sync(say)(vera, "two")
    await answer_all()
    assert len(SteppedBackend.asked) == 2
    await run_sync(say)(vera, "three")
    await answer_all()
    assert len(SteppedBackend.asked) == 2
    assert (await Handoff.objects.aget()).reason == "limit"
    turn = await Turn.objects.order_by("-pk").afirst()
    assert (turn.status, turn.error_code) == (TurnStatus.HANDED_OVER, "limit_visitor")
    await begin(hub, "somebody else")
    await answer_all()
    assert len(SteppedBackend.asked) == 3


@pytest.mark.parametrize("budget", ["turns_per_day", "tokens_per_day"])
async def test_a_bots_own_budget_counts_everybody(hub, robbie, budget):
    SteppedBackend.play([Delta("Hi"), Finished("stop", Usage(input_tokens=5, output_tokens=5))])
    setattr(robbie, budget, 1)
    await robbie.asave()
    await begin(hub)
    await answer_all()
    await begin(hub)
    await answer_all()
    assert len(SteppedBackend.asked) == 1


@pytest.mark.usefixtures("robbie")
async def test_the_visitor_stops_the_answer_and_keeps_what_was_shown(hub):
    _, posted, screen = await begin(hub)

    async def stop():
        assert await run_sync(stop_answer)(conversation_id=posted.conversation_id)
        await asyncio.sleep(3600)

    SteppedBackend.play([Delta("One two"), stop])
    await answer_all()
    await screen.until(lambda s: s.of("response_end"))
    (end,) = screen.of("response_end")
    assert (end["outcome"], end["full_content"]) == ("cancelled", "One two")
    assert await bots_words(posted) == ["One two"]
    assert (await Conversation.objects.aget()).handled_by == "bot"


@pytest.mark.usefixtures("robbie")
async def test_stopping_before_the_first_word_ends_the_stream_too(hub):
    _, posted, screen = await begin(hub)

    async def stop():
        await run_sync(stop_answer)(conversation_id=posted.conversation_id)
        await asyncio.sleep(3600)

    SteppedBackend.play([stop])
    await answer_all()
    await screen.until(lambda s: s.of("response_end"))
    assert screen.of("response_end")[0]["full_content"] == ""
    assert await bots_words(posted) == []


@pytest.mark.usefixtures("robbie")
async def test_a_worker_that_wakes_up_late_says_nothing_more(hub, settings):
    """Its lease ran out by the clock: it asks before it speaks, and learns that it lost."""
    _, posted, screen = await begin(hub)
    run = await run_sync(claim_one)()

    async def sleep_through_the_lease():
        run.lease._good_until = 0.0
        await Turn.objects.aupdate(fence=run.turn.fence + 1)

    SteppedBackend.play([Delta("early"), sleep_through_the_lease, Delta(" late"), Finished("stop")])
    await run.run()
    assert screen.text == "early"
    assert await bots_words(posted) == []


@pytest.mark.usefixtures("robbie")
async def test_a_worker_that_was_slow_but_still_holds_its_claim_goes_on(hub):
    _, posted, _ = await begin(hub)
    run = await run_sync(claim_one)()

    async def oversleep():
        run.lease._good_until = 0.0

    SteppedBackend.play([Delta("early"), oversleep, Delta(" late"), Finished("stop")])
    await run.run()
    assert await bots_words(posted) == ["early late"]
    assert run.lease.is_good


@pytest.mark.usefixtures("robbie")
async def test_a_finish_without_the_claim_writes_nothing(hub):
    _, posted, screen = await begin(hub)

    async def lose():
        await Turn.objects.aupdate(fence=99)

    SteppedBackend.play([Delta("words"), lose, Finished("stop")])
    run = await run_sync(claim_one)()
    await run.run()
    assert await bots_words(posted) == []
    assert not screen.of("response_end")
    assert (await Turn.objects.aget()).status == TurnStatus.RUNNING


@pytest.mark.usefixtures("robbie")
async def test_the_keeper_stores_what_is_being_said_and_renews(hub, settings, monkeypatch):
    monkeypatch.setattr("bots.running.keeper.CHECKPOINT_SECONDS", 0.02)

    async def until_stored():
        while (await Turn.objects.aget()).checkpoint != "so far":
            pass

    SteppedBackend.play([Delta("so far"), until_stored, Delta(" so good"), Finished("stop")])
    _, posted, _ = await begin(hub)
    async with asyncio.timeout(10):
        await answer_all()
    assert await bots_words(posted) == ["so far so good"]


@pytest.mark.usefixtures("robbie")
async def test_the_keeper_stops_a_run_whose_claim_is_lost(hub, monkeypatch):
    monkeypatch.setattr("bots.running.keeper.CHECKPOINT_SECONDS", 0.02)

    async def lose():
        await Turn.objects.aupdate(fence=99)
        await asyncio.sleep(3600)

    SteppedBackend.play([Delta("words"), lose])
    await begin(hub)
    run = await run_sync(claim_one)()
    async with asyncio.timeout(10):
        await run.run()


@pytest.mark.usefixtures("robbie")
async def test_a_stopping_process_gives_its_turns_away(hub):
    _, posted, screen = await begin(hub)
    SteppedBackend.play([Delta("half"), lambda: asyncio.sleep(3600)])
    run = await run_sync(claim_one)()
    work = asyncio.create_task(run.run())
    await screen.until(lambda s: s.text == "half")
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    SteppedBackend.play([Delta("whole"), Finished("stop")])
    (second,) = await answer_all()
    assert second.turn.revision == 2
    assert screen.text == "whole"
    assert await bots_words(posted) == ["whole"]


@pytest.mark.usefixtures("robbie")
async def test_an_orphan_starts_over_and_replaces(hub):
    _, posted, screen = await begin(hub)
    first = await run_sync(claim_one)()
    await Turn.objects.aupdate(checkpoint="shown by the dead", lease_until=Now())
    SteppedBackend.play([Delta("anew"), Finished("stop")])
    await answer_all()
    assert await bots_words(posted) == ["anew"]
    assert screen.of("response_start")[0]["revision"] == first.turn.revision + 1


@pytest.mark.usefixtures("robbie")
async def test_a_turn_that_kills_its_workers_ends_as_failed(hub):
    _, posted, _ = await begin(hub)
    await Turn.objects.aupdate(attempt=5)
    await answer_all()
    assert SteppedBackend.asked == []
    assert (await Turn.objects.aget()).error_code == "worker_lost"
    assert len(await bots_words(posted)) == 1


@pytest.mark.usefixtures("robbie")
async def test_words_that_were_redacted_meanwhile_are_not_asked(hub):
    _, posted, _ = await begin(hub)
    await Message.objects.filter(role="user").aupdate(content="")
    await answer_all()
    assert SteppedBackend.asked == []
    assert (await Turn.objects.aget()).status == TurnStatus.CANCELLED
    assert await bots_words(posted) == []


@pytest.mark.usefixtures("robbie")
async def test_readers_who_saw_a_beginning_are_told_of_its_end_without_an_answer(hub):
    """Its worker died in mid-sentence, and meanwhile the question was redacted."""
    _, _, screen = await begin(hub)
    SteppedBackend.play([Delta("half"), lambda: asyncio.sleep(3600)])
    run = await run_sync(claim_one)()
    work = asyncio.create_task(run.run())
    await screen.until(lambda s: s.text == "half")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await Message.objects.filter(role="user").aupdate(content="")
    await answer_all()
    await screen.until(lambda s: s.of("response_end"))
    (end,) = screen.of("response_end")
    assert (end["outcome"], end["full_content"]) == ("cancelled", "")


@pytest.mark.usefixtures("robbie")
async def test_a_turn_of_a_conversation_that_went_elsewhere_is_dropped(hub):
    await begin(hub)
    await Conversation.objects.aupdate(ownership=50)
    await answer_all()
    assert SteppedBackend.asked == []
    assert (await Turn.objects.aget()).status == TurnStatus.CANCELLED


@pytest.mark.usefixtures("robbie")
async def test_a_file_without_words_is_asked_by_its_name(hub):
    _, posted, _ = await begin(hub)
    message = await Message.objects.aget(role="user")
    message.content = ""
    await message.asave()
    await Attachment.objects.acreate(
        message=message, name="lamp.jpg", size=1, content_type="image/jpeg"
    )
    await answer_all()
    assert SteppedBackend.asked[0].question == "[lamp.jpg]"
    assert await bots_words(posted) == ["Hi"]


@pytest.mark.usefixtures("robbie")
async def test_a_database_that_is_away_for_a_moment_ends_no_answer(hub, monkeypatch):
    monkeypatch.setattr("bots.running.keeper.CHECKPOINT_SECONDS", 0.01)
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def away(beats):
        loop.call_soon_threadsafe(tried.set)
        raise OperationalError

    monkeypatch.setattr("bots.running.keeper.renew", away)
    SteppedBackend.play([Delta("still "), tried.wait, Delta("here"), Finished("stop")])
    _, posted, _ = await begin(hub)
    await answer_all()
    assert await bots_words(posted) == ["still here"]


@pytest.mark.usefixtures("robbie")
async def test_a_claim_whose_row_is_held_right_now_is_asked_for_again(hub, monkeypatch):
    monkeypatch.setattr("bots.running.lease.PAUSE_SECONDS", 0)
    answers = [Renewed(frozenset(), frozenset())]
    monkeypatch.setattr(
        "bots.running.lease.renew", lambda beats: answers.pop() if answers else renew(beats)
    )
    _, posted, _ = await begin(hub)
    run = await run_sync(claim_one)()
    run.lease._good_until = 0.0
    await run.run()
    assert answers == []
    assert await bots_words(posted) == ["Hi"]


@pytest.mark.usefixtures("robbie")
async def test_an_attempt_without_end_ends_as_failed(hub, settings):
    settings.BOTS_TOTAL_SECONDS = 0.01
    SteppedBackend.play([Delta("on and on"), lambda: asyncio.sleep(3600)])
    _, posted, _ = await begin(hub)
    await answer_all()
    assert (await Turn.objects.aget()).error_code == "backend_timeout"
    (words,) = await bots_words(posted)
    assert words.startswith("I am sorry")


@pytest.mark.usefixtures("robbie")
@pytest.mark.parametrize("end", [Finished("stop"), BackendError("answer_refused")])
async def test_a_conversation_that_was_erased_meanwhile_ends_quietly(hub, end):
    async def erase():
        await Conversation.objects.all().adelete()

    SteppedBackend.play([Delta("words"), erase, end])
    await begin(hub)
    await answer_all()
    assert not await Message.objects.aexists()
    assert not await Turn.objects.aexists()
