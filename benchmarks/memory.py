"""Row: what an open socket keeps in memory while nothing happens on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from benchmarks.client import Peer, connect
from benchmarks.cpu import cpu_seconds, own_cpu_seconds, tree
from benchmarks.product import Product, product
from benchmarks.rows import Gate, Run, Sample, row
from benchmarks.servers import serving
from benchmarks.streaming import quiet
from benchmarks.tutorial import tutorial
from inbox.serving.limits import raise_file_limit

SOCKETS = 800
WARM_UP = 100
"""Sockets that are opened before, so that caches and pools have filled."""

Opening = Callable[[], Awaitable[Peer]]
"""Opens one socket; whatever has to be asked for over HTTP was asked for before."""


def resident_kib(pids: Sequence[int]) -> float:
    """Resident memory of processes and everything below them."""
    return sum(_resident_kib(member) for pid in pids for member in tree(pid))


def _resident_kib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


async def grown(subject: str, openings: Sequence[Opening], pids: Sequence[int]) -> Sample:
    """How much resident memory grows while sockets are opened."""
    peers = [await opening() for opening in openings[:WARM_UP]]
    await quiet(pids)
    before, cpu, own = resident_kib(pids), cpu_seconds(pids), own_cpu_seconds()
    started = asyncio.get_running_loop().time()
    peers += [await opening() for opening in openings[WARM_UP:]]
    await quiet(pids)
    extra = {"KiB per socket": (resident_kib(pids) - before) / SOCKETS}
    wall = asyncio.get_running_loop().time() - started
    spent, own = cpu_seconds(pids) - cpu, own_cpu_seconds() - own
    for peer in peers:
        peer.close()
    return Sample(subject, SOCKETS, spent, wall, own, extra)


async def on_product(site: Product) -> list[Opening]:
    """Sockets of authenticated visitors that can resume."""
    sessions = await site.sessions(WARM_UP + SOCKETS)
    await quiet(site.pids())
    return [partial(site.visitor, session, since=0) for session in sessions]


def plain(url: str) -> list[Opening]:
    """Sockets that anybody may open."""
    return [partial(connect, url.format(number)) for number in range(WARM_UP + SOCKETS)]


@row("memory", "An idle socket, authenticated and resumable")
async def memory(run: Run) -> None:
    raise_file_limit()
    for _ in range(run.rounds):
        async with AsyncExitStack() as stack:
            for server in ("uvicorn", "daphne"):
                site = stack.enter_context(product(server=server))
                run.add(server, await grown(server, await on_product(site), site.pids()))
            bare = stack.enter_context(serving("-m", "benchmarks.references.echo", "{port}"))
            run.add("websockets", await grown("websockets", plain(bare.ws_url), [bare.pid]))
            for layer in ("redis", "pubsub"):
                chat = stack.enter_context(tutorial(layer=layer))
                url = f"{chat.ws_urls[0]}/ws/chat/{{}}/"
                run.add(layer, await grown(layer, plain(url), chat.pids()))
    gate = Gate("memory, product / bare websockets, on uvicorn", 2, 1.5, False)
    _ratio(run, gate, "uvicorn", "websockets")
    gate = Gate("memory, product / tutorial on channels_redis, on Daphne", 0.75, 0.6, False)
    _ratio(run, gate, "daphne", "redis")


def _ratio(run: Run, gate: Gate, subject: str, reference: str) -> None:
    pairs = zip(run.samples[subject], run.samples[reference], strict=True)
    name = "KiB per socket"
    run.value(gate, [one.extra[name] / other.extra[name] for one, other in pairs])
