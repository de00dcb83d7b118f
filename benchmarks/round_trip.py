"""Row: one frame there and one back, decoded, validated and counted by the limiter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from benchmarks.client import Peer, connect
from benchmarks.product import product
from benchmarks.rows import Gate, Run, Window, row
from benchmarks.servers import serving
from benchmarks.tutorial import tutorial
from benchmarks.windows import percentile, window_of

SOCKETS = 50
PING = b'{"type":"ping"}'


class RoundTrips:
    """Each socket asks again as soon as it was answered."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.peers = peers
        self.done = 0.0
        self._running = False
        self._asked: dict[Peer, float] = {}
        self._delays: list[float] = []
        for peer in peers:
            peer.on_frame = self._answered

    async def begin(self) -> None:
        """Everybody asks."""
        self._running = True
        for peer in self.peers:
            self._ask(peer)

    async def end(self) -> None:
        """Wait for the answers that are under way."""
        self._running = False
        async with asyncio.timeout(10):
            while self._asked:
                await asyncio.sleep(0.01)

    def extra(self) -> dict[str, float]:
        """How long an answer took."""
        delays, self._delays = self._delays, []
        return {"p50 ms": percentile(delays, 50) * 1e3, "p99 ms": percentile(delays, 99) * 1e3}

    def _ask(self, peer: Peer) -> None:
        self._asked[peer] = time.monotonic()
        peer.send(PING)

    def _answered(self, peer: Peer, text: bytes) -> None:
        if peer not in self._asked:
            return  # a heartbeat
        self._delays.append(time.monotonic() - self._asked.pop(peer))
        self.done += 1
        if self._running:
            self._ask(peer)


@row("round-trip", "A validated frame there and back")
async def round_trip(run: Run) -> None:
    async with AsyncExitStack() as stack:
        windows: dict[str, Window] = {}
        for server in ("daphne", "uvicorn"):
            site = stack.enter_context(product(server=server))
            peers = [await site.visitor(session) for session in await site.sessions(SOCKETS)]
            windows[server] = window_of(server, RoundTrips(peers), site.pids, run.seconds)
        plain = stack.enter_context(tutorial())
        peers = [await connect(f"{plain.ws_urls[0]}/ws/chat/{n}/") for n in range(SOCKETS)]
        for peer in peers:
            await peer.expect(b'{"type": "connected"')
        windows["tutorial"] = window_of("tutorial", RoundTrips(peers), plain.pids, run.seconds)
        bare = stack.enter_context(serving("-m", "benchmarks.references.echo", "{port}"))
        peers = [await connect(bare.ws_url) for _ in range(SOCKETS)]
        windows["websockets"] = window_of(
            "websockets", RoundTrips(peers), lambda: [bare.pid], run.seconds
        )
        await run.alternate(windows)
    cost = "CPU per round trip, product / "
    gate = Gate(f"{cost}bare websockets, on uvicorn", 1.4, 1.0, False)
    run.ratio(gate, "uvicorn", "websockets", per="cpu_per_work")
    gate = Gate(f"{cost}AsyncJsonWebsocketConsumer, on Daphne", 0.5, 0.35, False)
    run.ratio(gate, "daphne", "tutorial", per="cpu_per_work")
