"""The scripted backend: the answer that the question orders."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from itertools import pairwise

import pytest

from bots.backends.base import Ask, Source, ToolCall
from bots.backends.scripted import ScriptedBackend
from bots.testing import collect

BACKEND = ScriptedBackend()


@pytest.fixture(autouse=True)
def _fast(settings):
    settings.BOTS_SCRIPTED_TOKENS, settings.BOTS_SCRIPTED_RATE = 3, 0


async def test_words_are_numbered():
    got = await collect(BACKEND, "Anything")
    assert got.text == "token1 token2 token3"
    assert got.deltas == 3
    assert got.finished.reason == "stop"
    assert got.finished.usage.output_tokens == 3


async def test_words_come_at_the_rate_of_the_setting(settings):
    settings.BOTS_SCRIPTED_TOKENS, settings.BOTS_SCRIPTED_RATE = 10, 50
    started = time.monotonic()
    await collect(BACKEND, "Go")
    assert 0.19 < time.monotonic() - started < 0.5


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("[[say Hello  you]]", "Hello  you"),
        ("[[say One.]] [[say  Two.]] words", "One.Two."),
        ("[[tokens 2]]", "token1 token2"),
        ("[[tokens many]]", "token1 token2 token3"),
        ("[[rate 1000]][[say Hi]]", "Hi"),
        ("[[dance]][[say Hi]]", "Hi"),
        ("[[stall 0]]", "token1 token2 token3"),
    ],
)
async def test_question_orders_the_words(question, text):
    assert (await collect(BACKEND, question)).text == text


async def test_words_of_the_clock_tell_when_they_were_due():
    started = time.monotonic() * 1e4
    words = (await collect(BACKEND, "[[rate 100]] [[clock 3]]")).text.split()
    waits = [(int(word) - started) % 10**6 for word in words]
    assert len(words) == 3
    # Tenths of a millisecond: 10 ms for the first, 10 ms between two.
    assert 90 <= waits[0] < 5000
    assert [round(later - earlier, -1) for earlier, later in pairwise(waits)] == [100, 100]


async def test_sources_are_named():
    got = await collect(BACKEND, "[[source /returns/ Our returns]][[source /x]]")
    assert got.sources == [
        Source(url="/returns/", title="Our returns", snippet=""),
        Source(url="/x", title="/x", snippet=""),
    ]


@pytest.mark.parametrize(
    ("question", "code", "retryable"),
    [
        ("[[fail]]", "backend_unavailable", True),
        ("[[say Half]][[fail answer_cut]]", "answer_cut", True),
        ("[[fail! backend_quota]]", "backend_quota", False),
    ],
)
async def test_question_orders_a_failure(question, code, retryable):
    error = (await collect(BACKEND, question)).error
    assert (error.code, error.retryable) == (code, retryable)


@pytest.mark.parametrize(("verb", "reason"), [("length", "length"), ("filter", "content_filter")])
async def test_question_orders_a_cut_end(verb, reason):
    assert (await collect(BACKEND, f"[[{verb}]]")).finished.reason == reason


async def test_hand_off_ends_the_answer():
    got = await collect(BACKEND, Ask(question="[[handoff refund]] My money!", language="de"))
    assert (got.hand_off.reason, got.hand_off.question) == ("refund", "My money!")
    assert got.hand_off.language == "de"
    assert got.finished is None


async def test_stall_is_silent_until_it_is_left():
    async with aclosing(BACKEND.stream(Ask(question="[[say Hi]][[stall]]"))) as events:
        assert (await anext(events)).text == "Hi"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.1)


async def test_tools_are_called_and_their_results_told():
    question = '[[say Wait. ]][[tool a {"n": 1}]][[tool b]][[say  Bye.]]'
    first = await collect(BACKEND, question)
    assert first.text == "Wait."
    assert first.calls == [
        ToolCall(call_id="call_1", name="a", arguments='{"n": 1}'),
        ToolCall(call_id="call_2", name="b", arguments="{}"),
    ]
    assert first.finished.reason == "tool_calls"
    results = tuple(zip(first.calls, ("one", " two"), strict=True))
    second = await collect(BACKEND, Ask(question=question, tool_results=results))
    assert second.text == "one twoBye."


async def test_second_round_of_tools_has_other_ids():
    question = "[[tool a]][[say  then ]][[tool b]]"
    first = await collect(BACKEND, question)
    second = await collect(BACKEND, Ask(question=question, tool_results=((first.calls[0], ""),)))
    assert [call.call_id for call in first.calls + second.calls] == ["call_1", "call_2"]
    assert second.text == "(no result)then"
