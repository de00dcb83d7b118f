"""The load of streaming: answers at a known rate, every word carrying when it was due."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from benchmarks.client import Peer
from benchmarks.product import Product, Session, message, new_client_id
from benchmarks.windows import percentile

RATE = 50
"""Tokens per second of every stream."""
CLOCK = 10**6
"""Words are tenths of a millisecond of the monotonic clock, modulo this."""
DRAIN_SECONDS = 60.0

Start = Callable[[Peer, int], None]
"""Ask on this socket for an answer of so many tokens."""


class Delta(msgspec.Struct):
    """The part of a `text_delta` that all subjects have."""

    content: str = ""


decode_delta = msgspec.json.Decoder(Delta).decode


class Streams:
    """Every visitor's answer streams; a delta counts when its visitor has received it.

    Args:
        visitors: sockets that ask.
        start: how one asks.
        stop: how one ends an answer early; without it answers have to run out.
        watched: frames of operators are received and thrown away.
    """

    def __init__(
        self,
        visitors: Sequence[Peer],
        start: Start,
        *,
        stop: Callable[[Peer], None] | None = None,
        watchers: Sequence[Peer] = (),
        tokens: int = 2000,
    ) -> None:
        self.visitors, self.tokens = visitors, tokens
        self.done = 0.0
        self.watched = 0
        self.streaming: set[Peer] = set()
        self._start, self._stop = start, stop
        self._delays: list[float] = []
        self._firsts: list[float] = []
        self._waiting: set[Peer] = set()
        self._began = asyncio.Event()
        self._ended = asyncio.Event()
        for peer in visitors:
            peer.on_frame = self._to_visitor
        for peer in watchers:
            peer.on_frame = self._to_watcher

    async def begin(self, visitors: Iterable[Peer] | None = None) -> None:
        """Let these stream, all without a list, and wait for everybody's first word."""
        asking = list(self.visitors if visitors is None else visitors)
        self._began.clear()
        self._ended.clear()
        self._waiting.update(asking)
        for peer in asking:
            self._start(peer, self.tokens)
        async with asyncio.timeout(DRAIN_SECONDS):
            await self._began.wait()

    async def end(self) -> None:
        """Stop every answer and wait for the ends."""
        if self._stop is None or not self.streaming:
            return
        for peer in tuple(self.streaming):
            self._stop(peer)
        async with asyncio.timeout(DRAIN_SECONDS):
            await self._ended.wait()

    def extra(self) -> dict[str, float]:
        """How late words were in ms, from when they were due until the client had them."""
        delays, self._delays = self._delays, []
        return {"p50 ms": percentile(delays, 50), "p99 ms": percentile(delays, 99)}

    def first_delays(self) -> list[float]:
        """The same of each answer's first word, since the last call."""
        delays, self._firsts = self._firsts, []
        return delays

    def _to_visitor(self, peer: Peer, text: bytes) -> None:
        kind = text[:24]
        if b"text_delta" in kind:
            now = int(time.monotonic() * 1e4)
            delays = [late_ms(now, int(word)) for word in decode_delta(text).content.split()]
            self.done += len(delays)
            self._delays += delays
            if peer in self._waiting:
                self._note_first(peer, delays[0])
        elif b"response_end" in kind:
            self.streaming.discard(peer)
            if not self.streaming:
                self._ended.set()

    def _note_first(self, peer: Peer, delay: float) -> None:
        self._firsts.append(delay)
        self.streaming.add(peer)
        self._waiting.discard(peer)
        if not self._waiting:
            self._began.set()

    def _to_watcher(self, peer: Peer, text: bytes) -> None:
        self.watched += 1


def late_ms(now: int, due: int) -> float:
    """How late a word is; a timer may ring a little before its time, which is not late at all."""
    late = (now - due) % CLOCK
    return late / 10 if late < CLOCK / 2 else 0.0


def start_reference(peer: Peer, tokens: int) -> None:
    """Both references stream when they are told to."""
    peer.send(json.dumps({"type": "stream", "tokens": tokens, "rate": RATE}).encode())


def start_product(peer: Peer, tokens: int) -> None:
    """The product's bot answers a message; the scripted one does as it says."""
    peer.send(message(new_client_id(), f"[[rate {RATE}]] [[clock {tokens}]]"))


def stop_product(peer: Peer) -> None:
    """The visitor stops the answer."""
    peer.send(b'{"type":"stop"}')


async def talking_visitors(site: Product, count: int) -> tuple[list[Session], list[Peer]]:
    """Visitors whose conversations have begun and whose bot is silent again."""
    sessions = await site.sessions(count)
    peers = [await site.visitor(session) for session in sessions]
    for peer in peers:
        peer.send(message(new_client_id(), "[[rate 0]] [[say hello]]"))
    for peer in peers:
        await peer.expect(b'{"type":"response_end"')
    return sessions, peers
