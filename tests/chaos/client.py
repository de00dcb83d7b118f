"""A visitor's client that keeps the contract: outbox, resend, resume, for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx2
import websockets

from tests.chaos.view import DURABLE, Frame, Took, View

BROKEN = (
    *(OSError, TimeoutError, httpx2.HTTPError, json.JSONDecodeError),
    *(websockets.WebSocketException, KeyError),
)
"""What a client sees when its server, or the way to it, breaks; a refused session has no token."""

WINDOW = 8
"""Messages unacknowledged at once."""

HTTP_SECONDS = (0.5, 3.0)
"""How long a client without a socket goes on before it tries one again."""


def http_client() -> httpx2.AsyncClient:
    """One for all clients of a run: making one is what costs most of connecting."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    return httpx2.AsyncClient(timeout=5, trust_env=False, limits=limits)


@dataclass
class Visitor:
    """One visitor: what they wrote, what was acknowledged, what they were shown.

    Args:
        urls: servers to choose from at each connection.
        http: shared by all visitors.
        by_http: which part of its connections, 0 to 1, goes without a socket.
    """

    urls: list[str]
    http: httpx2.AsyncClient
    dice: random.Random = field(default_factory=random.Random)
    by_http: float = 0.0
    token: str = ""
    session_id: str = ""
    epoch: str = ""
    outbox: dict[str, str] = field(default_factory=dict)
    """Everything written, in the order of writing."""
    waiting: dict[str, str] = field(default_factory=dict)
    """What of it is not acknowledged."""
    acked: dict[str, int] = field(default_factory=dict)
    contradicted: list[str] = field(default_factory=list)
    """Messages acknowledged twice with different numbers."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Code and `client_id` of every refusal."""
    view: View = field(default_factory=View)
    connects: int = 0
    resets: int = 0
    told: Callable[[Frame], object] = lambda frame: None
    """Called with every frame of the socket."""

    def __post_init__(self) -> None:
        self._wake = asyncio.Event()

    def write(self, text: str) -> str:
        """Put a message into the outbox and return its `client_id`."""
        client_id = uuid.UUID(int=self.dice.getrandbits(128)).hex
        self.outbox[client_id] = self.waiting[client_id] = text
        self._wake.set()
        return client_id

    async def live(self) -> None:
        """Connect, send, read, and begin again whenever it breaks; cancelled by the test."""
        while True:
            with contextlib.suppress(*BROKEN):
                await self._connect_once()
            await asyncio.sleep(self.dice.uniform(0.05, 0.3))  # full jitter, short for the test

    async def begin(self) -> Frame:
        """Ask for a session and its ticket."""
        base = self.dice.choice(self.urls)
        body = {"widget": "demo", **({"token": self.token} if self.token else {})}
        session: Frame = (await self.http.post(f"{base}/chat/session", json=body)).json()
        self.token, self.session_id = session["token"], session["session_id"]
        self.epoch = session["epoch"]
        self.connects += 1
        return {**session, "base": base}

    async def _connect_once(self) -> None:
        session = await self.begin()
        if self.dice.random() < self.by_http:
            async with asyncio.timeout(self.dice.uniform(*HTTP_SECONDS)):
                await side_by_side(self._post(session["base"]), self._poll(session["base"]))
        url = f"{session['ws_url']}?epoch={session['epoch']}&since={self.view.head}"
        protocols = ["chat.v1", f"ticket.{session['ticket']}"]
        impatient = {"open_timeout": 5, "close_timeout": 1, "ping_interval": 5, "ping_timeout": 5}
        async with websockets.connect(
            url, subprotocols=protocols, proxy=None, compression=None, **impatient
        ) as socket:
            await side_by_side(self._send(socket), self._read(socket))

    async def _send(self, socket: Any) -> None:
        sent: set[str] = set()
        while True:
            self._wake.clear()
            for client_id, text in list(self.waiting.items())[:WINDOW]:
                if client_id not in sent:
                    sent.add(client_id)
                    frame = {"type": "message", "client_id": client_id, "content": text}
                    await socket.send(json.dumps(frame))
            await self._wake.wait()

    async def _read(self, socket: Any) -> None:
        async for text in socket:
            frame = json.loads(text)
            self.told(frame)
            kind = frame["type"]
            if kind == "ack":
                self._acknowledged(frame)
            elif kind == "error":
                self._refused(frame)
                return  # what is in flight behind it would overtake it: begin again
            elif kind == "reset":
                self._start_over()
                return
            elif kind in DURABLE and self.view.take(frame) is Took.GAP:
                await socket.send(json.dumps({"type": "resume", "since": self.view.head}))

    async def _post(self, base: str) -> None:
        while True:
            self._wake.clear()
            for client_id, text in list(self.waiting.items())[:1]:
                body = {"client_id": client_id, "content": text}
                answer = await self._call(base, "POST", "messages", json=body)
                if answer.is_success:
                    self._acknowledged(answer.json())
                else:
                    self._refused({"client_id": client_id, **answer.json()})
                    return
            if not self.waiting:
                await self._wake.wait()

    async def _poll(self, base: str) -> None:
        while True:
            place = {"since": self.view.head, "epoch": self.epoch}
            page = (await self._call(base, "GET", "events", params=place)).json()
            if "reset" in page:
                self._start_over()
                return
            for frame in page["events"]:
                self.view.take(frame)

    async def _call(self, base: str, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.request(method, f"{base}/chat/{path}", headers=headers, **options)

    def _acknowledged(self, frame: Frame) -> None:
        client_id = frame["client_id"]
        if self.acked.setdefault(client_id, frame["seq"]) != frame["seq"]:
            self.contradicted.append(client_id)
        self.waiting.pop(client_id, None)
        self._wake.set()

    def _refused(self, frame: Frame) -> None:
        """It stays in its place of the outbox, like everything that has no answer."""
        self.refused.append((frame["code"], frame.get("client_id", "")))

    def _start_over(self) -> None:
        self.resets += 1
        self.view = View()


async def side_by_side(*works: Coroutine[Any, Any, None]) -> None:
    """Run until the first of them ends; what it raises is raised, the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
