"""Row: what a message costs among open sockets that are idle, and before many operators' pages."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from benchmarks.client import Peer
from benchmarks.cpu import cpu_seconds
from benchmarks.desks import product_desk
from benchmarks.memory import resident_kib
from benchmarks.product import Product, product
from benchmarks.rows import Gate, Run, row
from benchmarks.streaming import quiet
from benchmarks.windows import window_of
from inbox.serving.limits import raise_file_limit

PAIRS = 50
IDLE = (0, 400, 1600)
"""Sockets that are open beside those that write."""
PAGES = (1, 4, 16)
"""Inbox pages that follow every conversation."""
BEATS_SECONDS = 40.0
"""Idle sockets are watched for so long: two heartbeats of each."""


@row("growth", "How a message's cost grows with open sockets and operators, uvicorn and SQLite")
async def growth(run: Run) -> None:
    raise_file_limit()
    async with AsyncExitStack() as stack:
        site = stack.enter_context(product(server="uvicorn"))
        await _among_idle_sockets(run, site)
    async with AsyncExitStack() as stack:
        site = stack.enter_context(product(server="uvicorn"))
        await _before_many_pages(run, site)
    cost = "CPU per message"
    gate = Gate(f"{cost}, {IDLE[-1]} idle sockets / none", 1.5, 1.2, False)
    run.ratio(gate, f"idle {IDLE[-1]}", "idle 0", per="cpu_per_work")
    gate = Gate(
        f"{cost}, {PAGES[-1]} pages of operators / one", PAGES[-1] / 2, PAGES[-1] / 4, False
    )
    run.ratio(gate, f"pages {PAGES[-1]}", "pages 1", per="cpu_per_work")
    for subject in run.samples:
        micros = 1e6 * run.median_of(subject, "cpu_per_work")
        rate = run.median_of(subject, "work_per_second")
        delay = run.median_of(subject, "p99 ms")
        run.note(subject, f"{micros:.0f} us a message, {rate:.0f} messages/s, p99 {delay:.0f} ms")


async def _among_idle_sockets(run: Run, site: Product) -> None:
    async with product_desk(site, PAIRS) as desk:
        idle: list[Peer] = []
        for count in IDLE:
            idle += await _opened(site, count - len(idle))
            for _ in range(run.rounds):
                name = f"idle {count}"
                run.add(name, await window_of(name, desk, site.pids, run.seconds)())
        await quiet(site.pids())
        spent = cpu_seconds(site.pids())
        await asyncio.sleep(BEATS_SECONDS)
        spent = cpu_seconds(site.pids()) - spent
        share = 100 * spent / BEATS_SECONDS / len(idle) * 1000
        run.note("a thousand idle sockets", f"{share:.2f} % of a core")
        run.note("resident with them", f"{resident_kib(site.pids()) / 1024:.0f} MiB")
        for peer in idle:
            peer.close()


async def _opened(site: Product, count: int) -> list[Peer]:
    return [await site.visitor(session) for session in await site.sessions(count)]


async def _before_many_pages(run: Run, site: Product) -> None:
    async with product_desk(site, PAIRS) as desk:
        operator = site.operator()
        mine = operator.get("conversations/", view="mine").json()["results"]
        followed = [conversation["id"] for conversation in mine]
        further: list[Peer] = []
        for count in PAGES:
            while len(further) < count - 1:
                page = await site.inbox(operator, followed)
                page.on_frame = lambda *_: None
                further.append(page)
            for _ in range(run.rounds):
                name = f"pages {count}"
                run.add(name, await window_of(name, desk, site.pids, run.seconds)())
        if further[-1].received < run.samples[name][-1].work:
            raise RuntimeError("the last page was not told of every message")
        for page in further:
            page.close()
