"""Row: two thousand clients come back at once, and each goes on where it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import httpx2
import msgspec

from benchmarks.client import Peer, connect
from benchmarks.cpu import cpu_seconds, own_cpu_seconds
from benchmarks.product import Product, Session, product
from benchmarks.rows import Gate, Run, Sample, Window, row
from benchmarks.servers import ROOT
from benchmarks.streaming import quiet
from benchmarks.tutorial import tutorial
from benchmarks.windows import percentile
from inbox.serving.limits import raise_file_limit

CLIENTS = 2000
MESSAGES, MISSED = 20, 5
"""A conversation has so many messages, of which the client has not seen the last ones."""
STALL_SECONDS = 1.0
PATIENCE_SECONDS = 150


class Event(msgspec.Struct):
    """What tells one message from another: the product's number or the tutorial's id."""

    type: str
    seq: int = 0
    id: str | int = 0


decode_event = msgspec.json.Decoder(Event).decode


class Client:
    """One that comes back: where to, what it has to get, and what it got."""

    def __init__(self, expected: Sequence[int], open_socket: Callable[[Client], object]) -> None:
        self.expected = list(expected)
        self.open_socket = open_socket
        self.got: list[int] = []
        self.back = asyncio.Event()
        self.peer: Peer | None = None

    def on_frame(self, peer: Peer, text: bytes) -> None:
        if b"message" in text[:20]:
            event = decode_event(text)
            self.got.append(event.seq or int(event.id))
            if len(self.got) >= len(self.expected):
                self.back.set()

    async def come_back(self) -> float:
        """Connect and read; the moment at which nothing is missing."""
        self.got.clear()
        self.back.clear()
        self.peer = await self.open_socket(self)  # type: ignore[misc]
        await self.back.wait()
        return time.monotonic()


async def storm(subject: str, clients: Sequence[Client], pids: Sequence[int]) -> Sample:
    """Everybody at once; fails when a message is missing or comes twice."""
    await quiet(pids)
    cpu, own, started = cpu_seconds(pids), own_cpu_seconds(), time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        ends = await asyncio.gather(*(client.come_back() for client in clients))
    wall = time.monotonic() - started
    sample = Sample(
        subject,
        work=len(clients),
        cpu=cpu_seconds(pids) - cpu,
        wall=wall,
        client_cpu=own_cpu_seconds() - own,
        extra={
            "p99 ms": percentile([end - started for end in ends], 99) * 1e3,
            "all back s": wall,
        },
    )
    await asyncio.sleep(0.5)  # a message that comes twice may come late
    wrong = sum(client.got != client.expected for client in clients)
    for client in clients:
        if client.peer is not None:
            client.peer.close()
    if wrong:
        raise RuntimeError(f"{subject}: {wrong} clients missed messages or got some twice")
    return sample


async def stalled_storm(subject: str, clients: Sequence[Client], pids: Sequence[int]) -> Sample:
    """The same while the server stands still for a second."""
    loop = asyncio.get_running_loop()
    for pid in pids:
        loop.call_later(0.6, os.kill, pid, signal.SIGSTOP)
        loop.call_later(0.6 + STALL_SECONDS, os.kill, pid, signal.SIGCONT)
    return await storm(subject, clients, pids)


class Returning:
    """The product's visitors, who renew their tickets before every storm."""

    def __init__(self, site: Product) -> None:
        env = site.site.env
        command = [sys.executable, "-m", "benchmarks.history", str(CLIENTS), str(MESSAGES)]
        printed = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True)
        self.site = site
        self.tokens: list[str] = json.loads(printed.stdout)
        self.sessions_per_cpu: list[float] = []

    async def clients(self) -> list[Client]:
        """With fresh tickets; what these cost is noted beside."""
        before = cpu_seconds(self.site.pids())
        sessions = await self.site.sessions(tokens=self.tokens)
        self.sessions_per_cpu.append(len(sessions) / (cpu_seconds(self.site.pids()) - before))
        return [self._client(session) for session in sessions]

    def _client(self, session: Session) -> Client:
        since = MESSAGES - MISSED
        url = f"{session.ws_url}?epoch={session.epoch}&since={since}"
        protocols = ("chat.v1", f"ticket.{session.ticket}")

        async def open_socket(client: Client) -> Peer:
            return await connect(
                url, origin=self.site.url, protocols=protocols, on_frame=client.on_frame
            )

        return Client(range(since + 1, MESSAGES + 1), open_socket)

    def window(self, subject: str) -> Window:
        """A storm."""

        async def take() -> Sample:
            return await storm(subject, await self.clients(), self.site.pids())

        return take

    def statements(self) -> float:
        """How many SQL statements the server has executed."""
        text = httpx2.get(f"{self.site.url}/metrics", trust_env=False).text
        lines = [line for line in text.splitlines() if line.startswith("benchmark_statements_tot")]
        return float(lines[0].split()[1])


def tutorial_clients(url: str, past: dict[str, int]) -> list[Client]:
    """Conversations of the tutorial and the last id that was seen in each."""

    def client(name: str, since: int) -> Client:
        async def open_socket(client: Client) -> Peer:
            return await connect(f"{url}/ws/chat/{name}/?since={since}", on_frame=client.on_frame)

        return Client(range(since + 1, since + MISSED + 1), open_socket)

    return [client(name, since) for name, since in past.items()]


@row("reconnect", "2,000 clients come back at once, each after its last message")
async def reconnect(run: Run) -> None:
    raise_file_limit()
    await _cost(run, "sqlite", "memory", "memory", 1 / 4, 1 / 5)
    await _cost(run, "postgres", "redis", "redis", 1 / 8, 1 / 10)
    await _stall(run)
    await _statements(run)


async def _cost(
    run: Run, database: str, layer: str, plain_layer: str, floor: float, aim: float
) -> None:
    ours, theirs = f"product {database}", f"tutorial {database}"
    async with AsyncExitStack() as stack:
        returning = Returning(stack.enter_context(product(database=database, layer=layer)))
        plain = stack.enter_context(tutorial(database=database, layer=plain_layer))
        past = json.loads(plain.run("history", str(CLIENTS), str(MESSAGES), str(MISSED)))
        clients = tutorial_clients(plain.ws_urls[0], past)

        async def plain_storm() -> Sample:
            return await storm(theirs, clients, plain.pids())

        await run.alternate({ours: returning.window(ours), theirs: plain_storm})
        rates = ", ".join(f"{rate:.0f}" for rate in returning.sessions_per_cpu)
        run.note(f"sessions renewed per CPU second, {database}", rates)
    gate = Gate(f"CPU per client, product / tutorial, {database}, Daphne", floor, aim, False)
    run.ratio(gate, ours, theirs, per="cpu_per_work")


async def _stall(run: Run) -> None:
    async with AsyncExitStack() as stack:
        returning = Returning(stack.enter_context(product()))
        for _ in range(run.rounds):
            clients = await returning.clients()
            run.add("stalled", await stalled_storm("stalled", clients, returning.site.pids()))
    gate = Gate("seconds until all are back, the server stalled for 1 s, Daphne", 5, 3, False)
    run.value(gate, [sample.wall for sample in run.samples["stalled"]])


async def _statements(run: Run) -> None:
    async with AsyncExitStack() as stack:
        env = {"DJANGO_SETTINGS_MODULE": "benchmarks.counting.settings"}
        returning = Returning(stack.enter_context(product(**env)))
        shares = []
        for _ in range(run.rounds):
            clients = await returning.clients()
            await quiet(returning.site.pids())
            before = returning.statements()
            await storm("counted", clients, returning.site.pids())
            shares.append((returning.statements() - before) / CLIENTS)
    run.value(Gate("SQL statements per client", 0.05, 0.02, False), shares)
