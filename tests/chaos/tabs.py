"""Visitors with two tabs on two servers: when was a message written, stored, shown, told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websockets

from tests.chaos.client import Visitor, http_client
from tests.support.contract import Operator
from tests.support.sites import Server

OPENING_AT_ONCE = 20
PATIENCE = {"open_timeout": 60, "ping_interval": None, "proxy": None, "compression": None}


@dataclass
class Probe:
    """One message and when what happened to it, in seconds of the loop's clock."""

    conversation_id: str
    sent: float
    acked: float | None = None
    seq: int = 0
    shown: float | None = None
    """In the visitor's other tab, which is on the other server."""
    told: float | None = None
    """In the list of an operator on the other server."""

    @property
    def shown_after(self) -> float:
        """Seconds; infinite if it never came."""
        return float("inf") if self.shown is None else self.shown - self.sent

    @property
    def told_after(self) -> float:
        return float("inf") if self.told is None else self.told - self.sent


@dataclass
class Tabs:
    """One visitor: writes in one tab, reads in the other."""

    visitor: Visitor
    home: int
    """Number of the server that the writing tab is connected to."""
    writer: Any = None


@dataclass
class Audience:
    """Everybody who is connected during a measurement.

    `sockets` counts the visitors' tabs; on each server an operator's list is open besides.
    """

    servers: list[Server]
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    tabs: list[Tabs] = field(default_factory=list)
    probes: dict[str, Probe] = field(default_factory=dict)
    lost_sockets: int = 0
    _summaries: dict[tuple[int, str], list[tuple[float, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self, sockets: int) -> None:
        """Connect everybody, some at once."""
        for number, server in enumerate(self.servers):
            await self._open_list(number, server)
        gate = asyncio.Semaphore(OPENING_AT_ONCE)
        async with http_client() as http, asyncio.TaskGroup() as group:
            http.timeout = 60

            async def arrive(number: int) -> None:
                async with gate:
                    home = number % len(self.servers)
                    tabs = Tabs(Visitor([self.servers[home].url], http), home)
                    tabs.writer = await self._connect(tabs.visitor, tabs.home)
                    tabs.visitor.urls = [self.servers[home - 1].url]
                    await self._connect(tabs.visitor, None)
                    self.tabs.append(tabs)

            for number in range(sockets // 2):
                group.create_task(arrive(number))

    async def _connect(self, visitor: Visitor, home: int | None) -> Any:
        session = await visitor.begin()
        protocols = ["chat.v1", f"ticket.{session['ticket']}"]
        socket = await websockets.connect(session["ws_url"], subprotocols=protocols, **PATIENCE)
        self._read(socket, self._in_writer if home is not None else self._in_reader)
        return socket

    async def _open_list(self, number: int, server: Server) -> None:
        olga = await asyncio.to_thread(Operator, server, "operator2")
        cookie = "; ".join(f"{name}={value}" for name, value in olga.http.cookies.items())
        olga.http.close()
        socket = await websockets.connect(
            f"{server.ws_url}/ws/inbox/",
            origin=server.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            **PATIENCE,
        )
        self._read(socket, lambda frame, now: self._in_list(number, frame, now))

    def _read(self, socket: Any, take: Callable[[dict[str, Any], float], None]) -> None:
        async def read() -> None:
            loop = asyncio.get_running_loop()
            try:
                async for text in socket:
                    take(json.loads(text), loop.time())
            except websockets.ConnectionClosed:
                pass
            self.lost_sockets += 1

        self._tasks.append(asyncio.create_task(read()))

    def _in_writer(self, frame: dict[str, Any], now: float) -> None:
        if frame["type"] == "ack" and (probe := self.probes.get(frame["client_id"])):
            probe.acked, probe.seq = now, frame["seq"]

    def _in_reader(self, frame: dict[str, Any], now: float) -> None:
        if frame["type"] == "message" and (probe := self.probes.get(frame.get("client_id", ""))):
            probe.shown = probe.shown or now

    def _in_list(self, number: int, frame: dict[str, Any], now: float) -> None:
        if frame["type"] == "summary":
            self._summaries[number, frame["conversation_id"]].append((now, frame["head"]))

    async def talk(self, seconds: float, per_second: float) -> list[Probe]:
        """Write at an even pace; the probes may still be on their way."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        probes: list[Probe] = []
        for number in range(round(seconds * per_second)):
            await asyncio.sleep(max(0, began + number / per_second - loop.time()))
            probes.append(await self._write(self.dice.choice(self.tabs)))
        return probes

    async def _write(self, tabs: Tabs) -> Probe:
        client_id = tabs.visitor.write("How long does this take?")
        probe = Probe(tabs.visitor.session_id, asyncio.get_running_loop().time())
        self.probes[client_id] = probe
        frame = {"type": "message", "client_id": client_id, "content": "How long does this take?"}
        await tabs.writer.send(json.dumps(frame))
        return probe

    async def settle(self, probes: list[Probe], seconds: float) -> None:
        """Wait until all of them arrived everywhere, at most so long."""
        homes = {tabs.visitor.session_id: tabs.home for tabs in self.tabs}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all(self._arrived(probe, homes) for probe in probes):
                    await asyncio.sleep(0.05)

    def _arrived(self, probe: Probe, homes: dict[str, int]) -> bool:
        if probe.told is None and probe.acked is not None:
            other = (homes[probe.conversation_id] - 1) % len(self.servers)
            told = self._summaries[other, probe.conversation_id]
            probe.told = next((at for at, head in told if head >= probe.seq), None)
        return probe.shown is not None and probe.told is not None

    async def close(self) -> None:
        """Cut every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
