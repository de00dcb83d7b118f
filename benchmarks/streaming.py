"""Row: two hundred answers stream at once and an operator watches all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

from benchmarks.cpu import cpu_seconds
from benchmarks.desks import fastapi_desk, tutorial_desk
from benchmarks.messages import Conversations
from benchmarks.product import Product, product
from benchmarks.rows import Gate, Run, Sample, Window, row
from benchmarks.servers import UVICORN, serving
from benchmarks.streams import (
    Streams,
    start_product,
    start_reference,
    stop_product,
    talking_visitors,
)
from benchmarks.tutorial import tutorial
from benchmarks.windows import percentile, window

STREAMS = 200
FLUSH_MS = 30
"""The product's default window, in which deltas wait for each other."""
EXTRA = 40
"""Answers that begin while the others stream: theirs is the first word that is timed."""
ROOM = {"BOTS_CONCURRENCY": "4000", "BOTS_FLUSH_MS": str(FLUSH_MS)}
FASTAPI_APP = "benchmarks.references.fastapi_memory:app"
FASTAPI = ("-m", "uvicorn", FASTAPI_APP, "--port", "{port}", *UVICORN)


async def quiet(pids: Sequence[int]) -> None:
    """Return when a server has worked off what was left of the last window."""
    async with asyncio.timeout(120):
        while True:
            before = cpu_seconds(pids)
            await asyncio.sleep(0.5)
            if cpu_seconds(pids) - before < 0.05:
                return


@contextlib.asynccontextmanager
async def product_streams(site: Product, count: int) -> AsyncIterator[Streams]:
    """The product's visitors and an operator who follows all their conversations."""
    sessions, peers = await talking_visitors(site, count)
    operator = await asyncio.to_thread(site.operator, "admin")
    inbox = await site.inbox(operator, [session.id for session in sessions])
    try:
        yield Streams(peers, start_product, stop=stop_product, watchers=[inbox])
    finally:
        for peer in (*peers, inbox):
            peer.close()


def product_window(subject: str, streams: Streams, site: Product, seconds: float) -> Window:
    """Windows on streams that are stopped after each of them."""

    async def take() -> Sample:
        await quiet(site.pids())
        return await window(subject, streams, site.pids(), seconds)

    return take


def reference_window(
    subject: str,
    desk: Callable[[], AbstractAsyncContextManager[Conversations]],
    pids: Sequence[int],
    seconds: float,
) -> Window:
    """Windows on new sockets each: a saturated reference would take minutes to end its answers."""

    async def take() -> Sample:
        async with desk() as place:
            streams = Streams(place.visitors, start_reference, watchers=place.operators)
            sample = await window(subject, streams, pids, seconds)
        await quiet(pids)
        return sample

    return take


async def first_words(streams: Streams, site: Product) -> list[float]:
    """How late the first word of an answer is, in ms, while the others stream."""
    others, late = streams.visitors[EXTRA:], streams.visitors[:EXTRA]
    await streams.begin(others)
    streams.first_delays()
    for peer in late:
        await streams.begin([peer])
    delays = streams.first_delays()
    await streams.end()
    await quiet(site.pids())
    return delays


@row("streaming", "200 answers of 50 tokens/s with an operator watching")
async def streaming(run: Run) -> None:
    async with AsyncExitStack() as stack:
        windows: dict[str, Window] = {}
        firsts: dict[str, list[float]] = {}
        products: list[tuple[str, Streams, Product]] = []
        for server in ("daphne", "uvicorn"):
            site = stack.enter_context(product(server=server, **ROOM))
            streams = await stack.enter_async_context(product_streams(site, STREAMS))
            products.append((server, streams, site))
            windows[server] = product_window(server, streams, site, run.seconds)
        plain = stack.enter_context(tutorial())
        desk = partial(tutorial_desk, *plain.ws_urls, visitors=STREAMS)
        windows["group_send"] = reference_window("group_send", desk, plain.pids(), run.seconds)
        memory = stack.enter_context(serving(*FASTAPI))
        desk = partial(fastapi_desk, memory.ws_url, STREAMS)
        windows["fastapi"] = reference_window("fastapi", desk, [memory.pid], run.seconds)
        await run.alternate(windows)
        for server, streams, site in products:
            firsts[server] = await first_words(streams, site)
    _judge(run, firsts)


def _judge(run: Run, firsts: dict[str, list[float]]) -> None:
    cost = "CPU per delta, product / "
    gate = Gate(f"{cost}group_send per delta, both on Daphne", 1 / 10, 1 / 13, False)
    run.ratio(gate, "daphne", "group_send", per="cpu_per_work")
    gate = Gate(f"{cost}FastAPI in memory, both on uvicorn", 0.9, 0.6, False)
    run.ratio(gate, "uvicorn", "fastapi", per="cpu_per_work")
    for server, floor, aim in (("uvicorn", 15, 5), ("daphne", 25, 10)):
        gate = Gate(f"added delay p99 in ms, {server}", FLUSH_MS + floor, FLUSH_MS + aim, False)
        run.value(gate, [sample.extra["p99 ms"] for sample in run.samples[server]])
        gate = Gate(f"first token p99 in ms, {server}", 10, 5, False)
        run.value(gate, percentile(firsts[server], 99))
