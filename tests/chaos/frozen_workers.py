"""A worker that stands still past its lease, thaws, and must not say another word."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from tests.chaos.turn_kills import WORDS, shown
from tests.chatwidget.wire import Socket, VisitorClient
from tests.support.processes import Process, wait_until
from tests.support.sites import Site

QUESTION = "[[rate 8]] [[tokens 24]]"
BOTS_FRAMES = {"response_start", "sources", "text_delta", "response_end"}
LISTEN_SECONDS = 3


@dataclass
class Thaw:
    """What came of some answers whose worker was frozen in the middle."""

    answers: int = 0
    late: int = 0
    """Frames of the bot behind an answer's end."""
    wrongs: list[str] = field(default_factory=list)


async def start_worker(site: Site) -> Process:
    """`frontdesk worker`, ready."""
    worker = site.work()
    await asyncio.to_thread(wait_until, lambda: "Working." in worker.output(), what="the worker")
    return worker


async def freeze_and_thaw(site: Site, urls: Sequence[str], count: int) -> Thaw:
    """So many answers stream from one worker; it freezes, another one ends them, it thaws."""
    thaw = Thaw()
    first = await start_worker(site)
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(VisitorClient(urls[n % len(urls)]).connect())
            for n in range(count)
        ]
        await asyncio.gather(*(_begin(socket) for socket in sockets))
        os.kill(first.child.pid, signal.SIGSTOP)
        second = await start_worker(site)
        await asyncio.gather(*(_end(socket, thaw) for socket in sockets))
        marks = [len(socket.frames) for socket in sockets]
        os.kill(first.child.pid, signal.SIGCONT)
        await asyncio.gather(*(socket.drain(LISTEN_SECONDS) for socket in sockets))
        for socket, mark in zip(sockets, marks, strict=True):
            thaw.late += sum(frame["type"] in BOTS_FRAMES for frame in socket.frames[mark:])
    first.kill()
    second.kill()
    return thaw


async def _begin(socket: Socket) -> None:
    await socket.say(QUESTION)
    for _ in range(3):
        await socket.expect("text_delta", 30)


async def _end(socket: Socket, thaw: Thaw) -> None:
    thaw.answers += 1
    try:
        end = await socket.expect("response_end", 45)
        await socket.seen("message", role="assistant")
    except AssertionError as missing:
        thaw.wrongs.append(str(missing)[:200])
        return
    answers = [f for f in socket.durable if f.get("role") == "assistant"]
    texts = {end["full_content"], shown(socket.frames), *(f["content"] for f in answers)}
    if texts != {WORDS} or len(answers) != 1:
        thaw.wrongs.append(f"{len(answers)} answers: {texts}")
