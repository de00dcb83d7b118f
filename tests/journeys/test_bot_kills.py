"""Workers die or freeze in the middle of an answer; visitors get one answer all the same."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.chatwidget.wire import Socket, VisitorClient
from tests.support.processes import Process, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.services]

LEASE_SECONDS = 3
ANSWER = "[[rate 12]] [[tokens 24]]"
WORDS = " ".join(f"token{number}" for number in range(1, 25))
BOTS_FRAMES = {"response_start", "sources", "text_delta", "response_end"}


@pytest.fixture
def site(make_site):
    return make_site(
        "postgres-redis",
        BOTS_BACKEND="scripted",
        BOTS_DISPATCHER="worker",
        BOTS_LEASE_SECONDS=str(LEASE_SECONDS),
        BOTS_FLUSH_MS="0",
    )


async def worker_of(site) -> Process:
    worker = site.work()
    await asyncio.to_thread(wait_until, lambda: "Working." in worker.output(), what="the worker")
    return worker


def shown(frames: list[dict]) -> str:
    """What a client shows: replaced by each attempt, appended to at its own length."""
    text, attempt = "", None
    for frame in frames:
        if frame["type"] == "response_start":
            text, attempt = "", (frame["turn"], frame["revision"])
        elif frame["type"] == "text_delta" and (frame["turn"], frame["revision"]) == attempt:
            if frame["offset"] == 0:
                text = frame["content"]
            elif frame["offset"] == len(text):
                text += frame["content"]
    return text


async def assert_one_answer(socket: Socket) -> None:
    end = await socket.expect("response_end", 30)
    assert (end["outcome"], end["full_content"]) == ("done", WORDS)
    answer = await socket.seen("message", role="assistant")
    await socket.drain(1)
    assert shown(socket.frames) == WORDS
    assert [f["id"] for f in socket.durable if f.get("role") == "assistant"] == [answer["id"]]
    assert len([f for f in socket.frames if f["type"] == "response_end"]) == 1


@pytest.mark.parametrize("words", [0, 1, 12, 23])
async def test_an_answer_whose_worker_is_killed_is_given_by_another(site, words):
    server = await asyncio.to_thread(site.start)
    first = await worker_of(site)
    async with VisitorClient(server.url).connect() as socket:
        await socket.say(ANSWER)
        await socket.expect("response_start")
        for _ in range(words):
            await socket.expect("text_delta")
        await asyncio.to_thread(first.kill)
        await worker_of(site)
        start = await socket.expect("response_start", 30)
        assert start["revision"] == 2
        await assert_one_answer(socket)


async def test_a_frozen_worker_that_thaws_says_nothing_more(site):
    server = await asyncio.to_thread(site.start)
    first = await worker_of(site)
    async with VisitorClient(server.url).connect() as socket:
        await socket.say(ANSWER)
        await socket.expect("response_start")
        for _ in range(3):
            await socket.expect("text_delta")
        os.kill(first.child.pid, signal.SIGSTOP)
        await worker_of(site)
        await assert_one_answer(socket)
        before = len(socket.frames)
        os.kill(first.child.pid, signal.SIGCONT)
        await socket.drain(4)
        late = [frame for frame in socket.frames[before:] if frame["type"] in BOTS_FRAMES]
        assert late == []
        # It is well: the next answer may be its own.
        await socket.say("[[say Still here]]")
        assert (await socket.expect("response_end"))["full_content"] == "Still here"


async def test_a_take_over_in_another_process_silences_the_worker(site):
    """The operator's server, the visitor's server and the worker are three processes."""
    visitors = await asyncio.to_thread(site.start)
    operators = await asyncio.to_thread(site.start)
    worker = await worker_of(site)
    token = (await asyncio.to_thread(site.manage, "frontdesk", "token", "operator2")).split()[-1]
    async with VisitorClient(visitors.url).connect() as socket:
        await socket.say("[[rate 200]] [[tokens 4000]]")
        await socket.expect("text_delta")
        conversation = socket.frames[0]["session_id"]
        olga = VisitorClient(operators.url)
        taken = await olga.request(
            "POST",
            f"/api/v1/conversations/{conversation}/take/",
            headers={"Authorization": f"Token {token}"},
            json={},
        )
        assert taken.status_code == 200, taken.text
        event = await socket.expect("conversation", handled_by="operator")
        await socket.drain(2)
        position = socket.frames.index(event)
        late = [
            frame
            for frame in socket.frames[position + 1 :]
            if frame["type"] in BOTS_FRAMES or frame.get("role") == "assistant"
        ]
        assert late == []
        (answer,) = [f for f in socket.durable if f.get("role") == "assistant"]
        assert answer["seq"] < event["seq"]
        end = await socket.seen("response_end")
        assert (end["outcome"], end["full_content"]) == ("cancelled", answer["content"])
        assert shown(socket.frames[:position]) == answer["content"]
    assert "Traceback" not in worker.output()
