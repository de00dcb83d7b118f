"""The same answer, whoever runs the turns: the server, a worker, or procrastinate's workers."""

from __future__ import annotations

import asyncio

import pytest

from tests.chatwidget.wire import VisitorClient
from tests.support.processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.services]
ENV = {"BOTS_BACKEND": "scripted", "SCRIPTED_RATE": "1000"}


async def ask(url: str, question: str) -> tuple[dict, list[dict]]:
    """Vera asks over her socket; the end of the answer and all frames."""
    async with VisitorClient(url).connect() as socket:
        await socket.say(question)
        end = await socket.expect("response_end")
        await socket.seen("message", role="assistant")
        return end, socket.frames


def is_streamed(frames: list[dict], text: str) -> bool:
    deltas = "".join(frame["content"] for frame in frames if frame["type"] == "text_delta")
    return deltas == text


async def test_a_worker_of_its_own_streams_through_the_servers(make_site):
    site = make_site("postgres-redis", BOTS_DISPATCHER="worker", **ENV)
    server = await asyncio.to_thread(site.start)
    worker = site.work()
    await asyncio.to_thread(wait_until, lambda: "Working." in worker.output(), what="the worker")
    end, frames = await ask(server.url, "[[say Hello from afar]]")
    assert (end["outcome"], end["full_content"]) == ("done", "Hello from afar")
    assert is_streamed(frames, "Hello from afar")
    assert "Traceback" not in worker.output()


async def test_without_a_worker_nobody_answers_until_one_starts(make_site):
    site = make_site("postgres-redis", BOTS_DISPATCHER="worker", **ENV)
    server = await asyncio.to_thread(site.start)
    async with VisitorClient(server.url).connect() as socket:
        await socket.say("[[say Late]]")
        await socket.drain(3)
        assert not [frame for frame in socket.frames if frame["type"] == "response_start"]
        site.work()
        end = await socket.expect("response_end", 30)
    assert end["full_content"] == "Late"


async def test_procrastinate_runs_turns_with_the_engines_own_workers(make_site):
    site = make_site("postgres-redis", BOTS_DISPATCHER="procrastinate", **ENV)
    await asyncio.to_thread(site.manage, "migrate", "--verbosity", "0")
    server = await asyncio.to_thread(site.start)
    worker = site.work(LOG_LEVEL="DEBUG")
    await asyncio.to_thread(
        wait_until, lambda: "Starting worker" in worker.output(), what="the engine"
    )
    answers = [ask(server.url, f"[[rate 50]] [[say This is answer {n}]]") for n in range(10)]
    async with asyncio.timeout(20):
        ends = await asyncio.gather(*answers)
    assert [end["full_content"] for end, _ in ends] == [f"This is answer {n}" for n in range(10)]
    assert "Traceback" not in worker.output()
    jobs = site.manage(
        "shell",
        "-c",
        "from procrastinate.contrib.django.models import ProcrastinateJob as Job;"
        "print(Job.objects.exclude(status='succeeded').count(), Job.objects.count())",
    )
    assert jobs.split()[-2:] == ["0", "0"]
