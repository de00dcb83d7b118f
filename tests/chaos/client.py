"""A visitor's client that keeps the contract: outbox, resend, resume, for ever."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2
import websockets

BROKEN = (OSError, httpx2.HTTPError, websockets.WebSocketException, TimeoutError, KeyError)
WINDOW = 8
"""Messages unacknowledged at once."""


@dataclass
class Visitor:
    """One visitor: what they wrote, what was acknowledged, what they were shown."""

    urls: list[str]
    token: str = ""
    session_id: str = ""
    outbox: list[tuple[str, str]] = field(default_factory=list)
    acked: dict[str, int] = field(default_factory=dict)
    shown: dict[int, dict[str, Any]] = field(default_factory=dict)
    doubled: list[int] = field(default_factory=list)
    head: int = 0
    connects: int = 0

    def write(self, text: str) -> None:
        """Put a message into the outbox."""
        self.outbox.append((uuid.uuid4().hex, text))

    @property
    def everything_acked(self) -> bool:
        return all(client_id in self.acked for client_id, _ in self.outbox)

    async def live(self) -> None:
        """Connect, send, read, and begin again whenever it breaks; cancelled by the test."""
        while True:
            try:
                await self._connect_once()
            except BROKEN:
                await asyncio.sleep(random.uniform(0.05, 0.3))  # full jitter, short for the test

    async def _connect_once(self) -> None:
        base = random.choice(self.urls)
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
            body = {"widget": "demo", **({"token": self.token} if self.token else {})}
            answer = await http.post(f"{base}/chat/session", json=body)
            session = answer.json()
        self.token, self.session_id = session["token"], session["session_id"]
        self.connects += 1
        url = f"{session['ws_url']}?epoch={session['epoch']}&since={self.head}"
        protocols = ["chat.v1", f"ticket.{session['ticket']}"]
        async with websockets.connect(url, subprotocols=protocols, open_timeout=5) as socket:
            sender = asyncio.create_task(self._send(socket))
            try:
                async for text in socket:
                    await self._take(json.loads(text), socket)
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, socket: Any) -> None:
        sent: set[str] = set()
        while True:
            waiting = [(c, t) for c, t in self.outbox if c not in self.acked]
            for client_id, text in waiting[:WINDOW]:
                if client_id not in sent:
                    sent.add(client_id)
                    frame = {"type": "message", "client_id": client_id, "content": text}
                    await socket.send(json.dumps(frame))
            await asyncio.sleep(0.005)

    async def _take(self, frame: dict[str, Any], socket: Any) -> None:
        kind = frame["type"]
        if kind == "ack":
            self.acked[frame["client_id"]] = frame["seq"]
        elif kind == "error" and frame.get("retryable"):
            # The rest of the connection would be out of order: begin again.
            await socket.close()
        elif "seq" in frame and kind in ("message", "message_updated", "conversation"):
            await self._durable(frame, socket)

    async def _durable(self, frame: dict[str, Any], socket: Any) -> None:
        seq = frame["seq"]
        if seq <= self.head:
            if self.shown[seq].get("id") != frame.get("id"):
                self.doubled.append(seq)
            return
        if seq != self.head + 1:
            await socket.send(json.dumps({"type": "resume", "since": self.head}))
            return
        self.head = seq
        self.shown[seq] = frame

    @property
    def own_words(self) -> list[str]:
        """What this visitor is shown of their own messages, in order."""
        frames = [self.shown[seq] for seq in sorted(self.shown)]
        return [f["content"] for f in frames if f["type"] == "message" and f["role"] == "user"]
