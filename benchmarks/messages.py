"""The load of the write path: visitors who write, an operator who must receive every word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from benchmarks.client import Peer
from benchmarks.product import message, new_client_id
from benchmarks.windows import percentile

DRAIN_SECONDS = 30.0
WORDS = "Hello, my lamp arrived with a broken shade; what can I do about it?"


class Conversations:
    """A closed loop: each visitor writes again when the last message was acknowledged.

    Work counts when the operator has received it. `answer` is how the frame begins that tells
    the visitor that the message arrived, `shown` how the one begins that shows it to the operator.
    """

    def __init__(
        self,
        visitors: Sequence[Peer],
        operators: Sequence[Peer],
        *,
        answer: bytes = b'{"type":"ack"',
        shown: bytes = b'{"type":"message"',
    ) -> None:
        self.visitors, self.operators = visitors, operators
        self.answer, self.shown = answer, shown
        self.done = 0.0
        self._sent = 0
        self._running = False
        self._sent_at: dict[Peer, float] = {}
        self._delays: list[float] = []
        for peer in visitors:
            peer.on_frame = self._to_visitor
        for peer in operators:
            peer.on_frame = self._to_operator

    async def begin(self) -> None:
        """Everybody writes the first message."""
        self._running = True
        for peer in self.visitors:
            self._write(peer)

    async def end(self) -> None:
        """Nobody writes any more; whatever was sent must have been acknowledged and shown once."""
        self._running = False
        deadline = time.monotonic() + DRAIN_SECONDS
        while (self.done < self._sent or self._sent_at) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self.done != self._sent or self._sent_at:
            raise RuntimeError(
                f"{self._sent} messages sent, {self.done:.0f} shown to the operator, "
                f"{len(self._sent_at)} not acknowledged"
            )

    def extra(self) -> dict[str, float]:
        """How long an acknowledgement took, in ms."""
        delays, self._delays = self._delays, []
        return {"p50 ms": percentile(delays, 50) * 1e3, "p99 ms": percentile(delays, 99) * 1e3}

    def _write(self, peer: Peer) -> None:
        self._sent += 1
        self._sent_at[peer] = time.monotonic()
        peer.send(message(new_client_id(), WORDS))

    def _to_visitor(self, peer: Peer, text: bytes) -> None:
        if text.startswith(self.answer):
            self._delays.append(time.monotonic() - self._sent_at.pop(peer))
            if self._running:
                self._write(peer)
        elif text.startswith(b'{"type":"error"'):
            raise RuntimeError(text.decode())

    def _to_operator(self, peer: Peer, text: bytes) -> None:
        if text.startswith(self.shown):
            self.done += 1
