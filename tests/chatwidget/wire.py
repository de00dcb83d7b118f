"""A visitor of a real server: HTTP by httpx2, the socket by ``websockets``. No shortcuts."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Origin, Subprotocol

DURABLE = {"message", "message_updated", "conversation"}
PATIENCE = 10.0


def new_id() -> str:
    return uuid.uuid4().hex


class Socket:
    """An open socket that remembers every frame and which of them a test has looked at."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self._position = 0

    async def send(self, type: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": type, **fields}))

    async def send_raw(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def receive(self, seconds: float = PATIENCE) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        self.frames.append(frame)
        return frame

    async def expect(self, type: str, seconds: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields; what comes before it is kept."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            while self._position < len(self.frames):
                frame = self.frames[self._position]
                self._position += 1
                if frame["type"] == type and fields.items() <= frame.items():
                    return frame
            try:
                await self.receive(deadline - loop.time())
            except TimeoutError:
                seen = [(frame["type"], frame.get("seq")) for frame in self.frames]
                raise AssertionError(f"no {type} {fields} among {seen}") from None

    async def seen(self, type: str, **fields: Any) -> dict[str, Any]:
        """Such a frame, also if it came before one that a test has looked at."""
        self._position = 0
        return await self.expect(type, **fields)

    async def sync(self) -> None:
        """Everything the server sent before now has been received."""
        await self.send("ping")
        await self.expect("pong")

    async def drain(self, seconds: float) -> None:
        """Take in what arrives in this time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.receive(seconds)
        except TimeoutError:
            return

    @property
    def durable(self) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in DURABLE]

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.durable]

    async def close_code(self, seconds: float = PATIENCE) -> int:
        """The code with which the server closes; frames before that are remembered."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self.frames.append(json.loads(await self.connection.recv()))
        except websockets.ConnectionClosed:
            return self.connection.close_code or 0

    async def say(self, content: str = "Hello", client_id: str = "") -> dict[str, Any]:
        """Send a message and return its ack."""
        client_id = client_id or new_id()
        await self.send("message", client_id=client_id, content=content)
        return await self.expect("ack", client_id=client_id)


class VisitorClient:
    """One browser: it keeps its token and asks one server."""

    def __init__(self, url: str, widget: str = "demo", origin: str | None = None) -> None:
        self.url = url
        self.widget = widget
        self.origin = origin
        self.token: str | None = None
        self.last: dict[str, Any] = {}

    def headers(self, *, bearer: bool = True) -> dict[str, str]:
        found = {"Origin": self.origin} if self.origin else {}
        if bearer and self.token:
            found["Authorization"] = f"Bearer {self.token}"
        return found

    async def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=self.url, timeout=40) as client:
            wanted = self.headers() if headers is None else headers
            return await client.request(method, path, headers=wanted, **options)

    async def session(self, **body: Any) -> dict[str, Any]:
        """Open the chat and keep what the server says."""
        response = await self.try_session(**body)
        assert response.status_code == 201, response.text
        self.last = response.json()
        self.token = self.last["token"]
        return self.last

    async def try_session(self, **body: Any) -> httpx2.Response:
        wanted = {"widget": self.widget, "token": self.token, **body}
        return await self.request(
            "POST", "/chat/session", json=wanted, headers=self.headers(bearer=False)
        )

    @asynccontextmanager
    async def dial(
        self,
        *,
        ticket: str | None = None,
        url: str | None = None,
        query: str = "",
        origin: str | None = None,
        protocols: list[str] | None = None,
    ) -> AsyncIterator[Socket]:
        """A socket with exactly this ticket, address and page."""
        if protocols is None:
            protocols = ["chat.v1", f"ticket.{self.last['ticket'] if ticket is None else ticket}"]
        async with websockets.connect(
            (url or self.last["ws_url"]) + query,
            subprotocols=[Subprotocol(word) for word in protocols],
            origin=Origin(origin or self.origin) if origin or self.origin else None,
            max_size=None,
            close_timeout=2,
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def connect(self, query: str = "", **body: Any) -> AsyncIterator[Socket]:
        """A fresh ticket, a socket, and its ``connected`` frame received."""
        await self.session(**body)
        async with self.dial(query=query) as socket:
            await socket.expect("connected")
            yield socket

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        return await self.request("POST", path, json=body)

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.request("GET", path, params=query)

    async def events(self, **query: Any) -> dict[str, Any]:
        response = await self.get("/chat/events", **query)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found
