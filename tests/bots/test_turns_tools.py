"""Tools within a turn: at most once, results kept, bounded."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db.models.functions import Now

from bots.backends.base import (
    Delta,
    Finished,
    Passage,
    Source,
    ToolCall,
    ToolCallRequested,
)
from bots.errors import BackendError
from bots.models import ToolCall as ToolCallRow
from bots.models import ToolCallStatus, Turn, TurnStatus
from bots.tools import tool
from inbox.models import Conversation, Handoff, Message
from inbox.testing import make_visitor
from tests.support.turns import SteppedBackend, answer_all, claim_one, say, watch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("robbie", "tools")]

run_sync = sync_to_async
made: list[str] = []


@tool
def stock(lamp: str) -> str:
    """How many there are."""
    made.append(f"stock {lamp}")
    return f"{lamp}: 7"


@tool(side_effect=True)
def order(lamp: str) -> str:
    """Order one."""
    made.append(f"order {lamp}")
    return "ordered"


@pytest.fixture
def tools(settings):
    settings.BOTS_TOOLS = [f"{__name__}.stock", f"{__name__}.order"]
    made.clear()


def call_of(call_id: str, name: str, arguments: str) -> ToolCall:
    return ToolCall(call_id=call_id, name=name, arguments=arguments)


def wants(*names: str, first: int = 1):
    """Events of a response that asks for tools."""
    calls = [
        ToolCallRequested(call_of(f"c{number}", name, '{"lamp": "Orbit"}'))
        for number, name in enumerate(names, first)
    ]
    return [*calls, Finished("tool_calls")]


async def begin(hub):
    vera = await run_sync(make_visitor)()
    posted = await run_sync(say)(vera, "Do you have the Orbit?")
    return await watch(hub, posted.conversation_id)


async def answer_text() -> str:
    return (await Message.objects.aget(role="assistant")).content


async def test_a_tool_is_called_and_its_result_goes_back_to_the_model(hub):
    SteppedBackend.play(
        [Delta("Let me look. "), *wants("stock")], [Delta("Seven."), Finished("stop")]
    )
    screen = await begin(hub)
    await answer_all()
    assert await answer_text() == screen.text == "Let me look. Seven."
    first, second = SteppedBackend.asked
    assert {spec.name for spec in first.tools} == {"hand_off", "stock", "order"}
    assert second.tool_results == ((call_of("c1", "stock", '{"lamp": "Orbit"}'), "Orbit: 7"),)
    assert second.text_so_far == "Let me look. "
    row = await ToolCallRow.objects.aget()
    assert (row.status, row.result, row.code, row.round) == ("done", "Orbit: 7", "ok", 1)
    assert row.began_at
    assert row.finished_at


async def test_a_bot_may_be_given_only_some_tools(hub, robbie):
    robbie.tools = ["stock"]
    await robbie.asave()
    await begin(hub)
    await answer_all()
    assert {spec.name for spec in SteppedBackend.asked[0].tools} == {"hand_off", "stock"}


async def test_a_tool_that_does_not_exist_is_told_to_the_model(hub):
    SteppedBackend.play(wants("nonsense"), [Delta("Sorry."), Finished("stop")])
    await begin(hub)
    await answer_all()
    row = await ToolCallRow.objects.aget()
    assert (row.status, row.code) == (ToolCallStatus.FAILED, "unknown_tool")
    assert "no such tool" in SteppedBackend.asked[1].tool_results[0][1]


async def test_a_failed_attempt_goes_on_from_stored_results(hub, monkeypatch):
    monkeypatch.setattr("bots.running.decisions.FIRST_DELAY_SECONDS", 0)
    SteppedBackend.play(
        [Delta("Moment. "), *wants("order")],
        [Delta("Ord"), BackendError("answer_cut", retryable=True)],
        [Delta("Ordered."), Finished("stop")],
    )
    screen = await begin(hub)
    await answer_all()
    assert made == ["order Orbit"]
    last = SteppedBackend.asked[-1]
    assert last.text_so_far == "Moment. "
    assert [text for _, text in last.tool_results] == ["ordered"]
    assert await answer_text() == screen.text == "Moment. Ordered."
    assert [f["revision"] for f in screen.of("response_start")] == [1, 2]


async def test_a_worker_that_dies_after_a_tool_is_followed_by_one_that_goes_on(hub):
    asked_again = asyncio.Event()

    async def hang():
        asked_again.set()
        await asyncio.sleep(3600)

    SteppedBackend.play([Delta("Moment. "), *wants("order")], [hang])
    screen = await begin(hub)
    run = await run_sync(claim_one)()
    work = asyncio.create_task(run.run())
    await asked_again.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    SteppedBackend.play([Delta("Ordered."), Finished("stop")])
    await answer_all()
    assert made == ["order Orbit"]
    assert SteppedBackend.asked[0].text_so_far == "Moment. "
    assert await answer_text() == screen.text == "Moment. Ordered."


async def call_left_behind(status: str, *, side_effect: bool) -> None:
    turn = await Turn.objects.aget()
    await ToolCallRow.objects.acreate(
        turn=turn,
        round=1,
        position=0,
        call_id="c1",
        name="order" if side_effect else "stock",
        arguments='{"lamp": "Orbit"}',
        side_effect=side_effect,
        status=status,
    )
    await Turn.objects.aupdate(status=TurnStatus.RUNNING, attempt=1, fence=1, lease_until=Now())


async def test_a_change_that_may_have_happened_is_not_made_twice(hub):
    await begin(hub)
    await call_left_behind(ToolCallStatus.RUNNING, side_effect=True)
    await answer_all()
    assert made == []
    assert SteppedBackend.asked == []
    turn = await Turn.objects.aget()
    assert (turn.status, turn.error_code) == (TurnStatus.FAILED, "tool_interrupted")
    assert (await Message.objects.aget(role="assistant")).outcome == "failed"


@pytest.mark.parametrize(
    ("status", "side_effect"),
    [
        (ToolCallStatus.REQUESTED, True),
        (ToolCallStatus.REQUESTED, False),
        (ToolCallStatus.RUNNING, False),
    ],
)
async def test_a_call_that_never_changed_anything_is_made_by_the_next_worker(
    hub, status, side_effect
):
    await begin(hub)
    await call_left_behind(status, side_effect=side_effect)
    await answer_all()
    assert len(made) == 1
    assert len(SteppedBackend.asked[0].tool_results) == 1
    assert (await ToolCallRow.objects.aget()).status == ToolCallStatus.DONE


async def test_a_call_is_not_begun_without_the_claim(hub):
    async def lose():
        await Turn.objects.aupdate(fence=99)

    SteppedBackend.play([lose, *wants("order")])
    await begin(hub)
    run = await run_sync(claim_one)()
    await run.run()
    assert made == []
    assert not await ToolCallRow.objects.aexists()


async def test_what_a_worker_without_claim_learned_is_kept_but_not_told(hub, settings):
    @tool(side_effect=True)
    async def slow() -> str:
        """Loses the claim while it works."""
        made.append("slow")
        await Turn.objects.aupdate(fence=99)
        return "done"

    globals()["slow"] = slow
    settings.BOTS_TOOLS = [f"{__name__}.slow"]
    call = call_of("c1", "slow", "{}")
    SteppedBackend.play([ToolCallRequested(call), Finished("tool_calls")])
    await begin(hub)
    run = await run_sync(claim_one)()
    await run.run()
    assert len(SteppedBackend.asked) == 1
    assert (await ToolCallRow.objects.aget()).result == "done"


async def test_the_bot_hands_over_by_tool(hub):
    arguments = '{"reason": "r", "summary": "Wants a refund.", "question": "How much?"}'
    SteppedBackend.play(
        [ToolCallRequested(call_of("c1", "hand_off", arguments)), Finished("tool_calls")]
    )
    screen = await begin(hub)
    await answer_all()
    assert len(SteppedBackend.asked) == 1
    packet = await Handoff.objects.aget()
    assert (packet.summary, packet.question) == ("Wants a refund.", "How much?")
    assert screen.of("response_end")[0]["outcome"] == "handed_over"
    assert (await Conversation.objects.aget()).handled_by == "queue"


async def test_a_model_that_only_ever_wants_tools_is_stopped(hub, settings):
    settings.BOTS_TOOL_ROUNDS = 2
    SteppedBackend.play(
        *[wants("stock", first=number) for number in range(1, 9)],
    )
    await begin(hub)
    await answer_all()
    assert len(made) == 2
    assert SteppedBackend.asked[-1].tools == ()
    assert (await Turn.objects.aget()).error_code == "answer_unreadable"


async def test_a_hundred_calls_at_once_are_not_all_made(hub):
    SteppedBackend.play(wants(*["stock"] * 30), [Delta("ok"), Finished("stop")])
    await begin(hub)
    await answer_all()
    assert len(made) == 8
    assert len(SteppedBackend.asked[1].tool_results) == 30


async def test_the_model_may_look_things_up_and_names_what_it_found(hub, monkeypatch):
    found = Passage(source=Source(url="/a", title="A", snippet=""), text="Thirty days.", score=1)
    more = Passage(source=Source(url="/b", title="B", snippet=""), text="Free.", score=1)
    monkeypatch.setattr(SteppedBackend, "uses_knowledge", True)
    monkeypatch.setattr(
        "bots.running.brief.retrieve",
        lambda query, *rest, **names: (more,) if query == "costs" else (found,),
    )
    call = call_of("c1", "search_knowledge", '{"query": "costs"}')
    SteppedBackend.play(
        [ToolCallRequested(call), Finished("tool_calls")],
        [Delta("Thirty [1], free [2]."), Finished("stop")],
    )
    screen = await begin(hub)
    await answer_all()
    answer = await Message.objects.aget(role="assistant")
    assert [source["url"] for source in answer.sources] == ["/a", "/b"]
    assert "[2] B" in SteppedBackend.asked[1].tool_results[0][1]
    kinds = [f["type"] for f in screen.frames]
    assert kinds.index("sources") < kinds.index("text_delta")


async def test_passages_are_named_before_the_first_word(hub, monkeypatch):
    found = Passage(source=Source(url="/a", title="A", snippet="s"), text="x", score=0.51234)
    monkeypatch.setattr(SteppedBackend, "uses_knowledge", True)
    monkeypatch.setattr("bots.running.brief.retrieve", lambda *rest, **names: (found,))
    screen = await begin(hub)
    await answer_all()
    assert screen.of("sources")[0]["sources"] == [{"url": "/a", "title": "A", "snippet": "s"}]
    turn = await Turn.objects.aget()
    assert turn.trace["passages"] == [{"url": "/a", "title": "A", "score": 0.512}]
