"""Row: how many answers can stream at once on one core before words come late."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from benchmarks.client import Peer, connect
from benchmarks.product import Product, product
from benchmarks.rows import Gate, Run, row
from benchmarks.servers import serving
from benchmarks.streaming import FASTAPI, ROOM, quiet
from benchmarks.streams import (
    RATE,
    Streams,
    start_product,
    start_reference,
    stop_product,
    talking_visitors,
)
from benchmarks.tutorial import tutorial
from benchmarks.windows import window

LATE_MS = 100
"""The 99th percentile of the added delay at which a core is full."""
MISSING = 0.9
"""Less than this share of the words that are due also means that it is full."""
STEP = 1.25
"""Each step has so many times the streams of the last one."""


class Subject:
    """A server whose streams grow in number until words come late."""

    def __init__(self, name: str, pids: Sequence[int], first: int) -> None:
        self.name, self.pids, self.count = name, pids, first
        self.peers: list[Peer] = []

    async def open(self, count: int) -> None:
        """Have so many sockets."""
        raise NotImplementedError

    def load(self) -> Streams:
        """A stream on each of them."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Get ready for the next step."""
        await quiet(self.pids)

    async def hang_up(self) -> None:
        """Leave, and wait until nothing is left of it: the next subject needs the core."""
        for peer in self.peers:
            peer.close()
        await quiet(self.pids)


class ProductSubject(Subject):
    """Its answers are stopped after each step, so its sockets stay."""

    def __init__(self, site: Product, name: str, first: int) -> None:
        super().__init__(name, site.pids(), first)
        self.site = site

    async def open(self, count: int) -> None:
        _, more = await talking_visitors(self.site, count - len(self.peers))
        self.peers += more
        await quiet(self.pids)

    def load(self) -> Streams:
        return Streams(self.peers, start_product, stop=stop_product)


class ReferenceSubject(Subject):
    """Its sockets are hung up after each step."""

    def __init__(self, url: str, name: str, pids: Sequence[int], first: int) -> None:
        super().__init__(name, pids, first)
        self.url = url

    async def open(self, count: int) -> None:
        self.peers = [await connect(self.url.format(number)) for number in range(count)]
        for peer in self.peers:
            await peer.expect(b'{"type"')

    def load(self) -> Streams:
        return Streams(self.peers, start_reference)

    async def settle(self) -> None:
        await self.hang_up()


async def capacity(run: Run, subject: Subject) -> int:
    """The most streams whose words were in time."""
    good, count = 0, subject.count
    while True:
        await subject.open(count)
        streams = subject.load()
        try:
            sample = await window(subject.name, streams, subject.pids, run.seconds)
        except TimeoutError:
            # So full that not every answer has begun within a minute.
            await subject.hang_up()
            return good
        run.add(subject.name, replace(sample, extra={**sample.extra, "streams": count}))
        await subject.settle()
        in_time = sample.extra["p99 ms"] <= LATE_MS
        if not in_time or sample.work < MISSING * count * RATE * sample.wall:
            return good
        good, count = count, round(count * STEP)


@row("streams-per-core", "Answers of 50 tokens/s at once until the p99 is over 100 ms late")
async def streams_per_core(run: Run) -> None:
    found: dict[str, int] = {}
    async with AsyncExitStack() as stack:
        plain = stack.enter_context(tutorial())
        memory = stack.enter_context(serving(*FASTAPI))
        subjects: list[Subject] = [
            ReferenceSubject(f"{plain.ws_urls[0]}/ws/chat/{{}}/", "tutorial", plain.pids(), 20),
            ReferenceSubject(f"{memory.ws_url}/ws/chat/{{}}", "fastapi", [memory.pid], 250),
        ]
        for server, first in (("daphne", 250), ("uvicorn", 500)):
            site = stack.enter_context(product(server=server, **ROOM))
            subjects.append(ProductSubject(site, server, first))
        for subject in subjects:
            found[subject.name] = await capacity(run, subject)
            run.note(f"streams on one core, {subject.name}", found[subject.name])
    for subject, reference, floor, aim in (
        ("uvicorn", "tutorial", 20, 32),
        ("uvicorn", "fastapi", 2, 3),
        ("daphne", "tutorial", 8, 11),
    ):
        gate = Gate(f"streams, product on {subject} / {reference}", floor, aim, True)
        run.value(gate, found[subject] / max(found[reference], 1))
