"""Workers die or freeze in the middle of an answer; visitors get one answer all the same."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.chaos.points import TURN_POINTS
from tests.chaos.turn_kills import WORDS, environment, every_point, hatch, run, shown
from tests.chatwidget.wire import Socket, VisitorClient
from tests.support.processes import Process, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.services]

ANSWER = "[[rate 12]] [[tokens 24]]"
BOTS_FRAMES = {"response_start", "sources", "text_delta", "response_end"}


@pytest.fixture
def site(make_site, tmp_path):
    return make_site("postgres-redis", **environment(tmp_path / "marks"))


async def worker_of(site) -> Process:
    worker = site.work()
    await asyncio.to_thread(wait_until, lambda: "Working." in worker.output(), what="the worker")
    return worker


async def assert_one_answer(socket: Socket) -> None:
    end = await socket.expect("response_end", 30)
    assert (end["outcome"], end["full_content"]) == ("done", WORDS)
    answer = await socket.seen("message", role="assistant")
    await socket.drain(1)
    assert shown(socket.frames) == WORDS
    assert [f["id"] for f in socket.durable if f.get("role") == "assistant"] == [answer["id"]]
    assert len([f for f in socket.frames if f["type"] == "response_end"]) == 1


async def test_whenever_its_worker_dies_an_answer_ends_once_and_whole(site):
    """A SIGKILL at each point of a turn's life, by the worker's own hand."""
    servers = [site.serve(), site.serve()]
    await hatch(site, 4)
    for server in servers:
        await asyncio.to_thread(server.wait_ready)
    plans = every_point(1)
    fates = await run(site, [server.url for server in servers], plans, lanes=len(plans))
    assert {fate.plan.point: fate.faults for fate in fates} == {p: [] for p in TURN_POINTS}


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
