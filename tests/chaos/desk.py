"""An operator's page that keeps the contract, follows every conversation and leaves notes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2
import websockets

from tests.chaos.client import BROKEN, side_by_side
from tests.chaos.view import DURABLE, Frame, Took, View


@dataclass
class Desk:
    """One operator with a session cookie and an API token.

    Notes take a number in the operators' numbering and none in the visitor's, so every one
    of them tests that neither audience sees a hole.
    """

    urls: list[str]
    http: httpx2.AsyncClient
    cookie: str
    api_token: str
    dice: random.Random = field(default_factory=random.Random)
    views: dict[str, View] = field(default_factory=dict)
    notes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Written notes by `client_id`: conversation and text."""
    unsent: dict[str, tuple[str, str]] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    """What summaries told of each conversation."""
    connects: int = 0

    def __post_init__(self) -> None:
        self._wake = asyncio.Event()

    def leave_note(self, text: str) -> None:
        """Write a private note into some conversation that is known."""
        if self.views:
            client_id = uuid.UUID(int=self.dice.getrandbits(128)).hex
            note = (self.dice.choice(sorted(self.views)), text)
            self.notes[client_id] = self.unsent[client_id] = note
            self._wake.set()

    async def live(self) -> None:
        """Follow and write for ever; cancelled by the test."""
        await asyncio.gather(self._follow(), self._write())

    async def _follow(self) -> None:
        while True:
            base = self.dice.choice(self.urls)
            with contextlib.suppress(*BROKEN):
                async with websockets.connect(
                    f"{base.replace('http', 'ws', 1)}/ws/inbox/",
                    origin=base,  # type: ignore[arg-type]
                    additional_headers={"Cookie": self.cookie},
                    proxy=None,
                    compression=None,
                    open_timeout=5,
                    close_timeout=1,
                    ping_interval=5,
                    ping_timeout=5,
                ) as socket:
                    self.connects += 1
                    await side_by_side(self._read(socket))
            await asyncio.sleep(self.dice.uniform(0.05, 0.3))

    async def _read(self, socket: Any) -> None:
        followed: set[str] = set()
        async for text in socket:
            frame = json.loads(text)
            key = frame.get("conversation_id", "")
            if frame["type"] == "connected":
                for known in self.views:
                    followed.add(known)
                    await self._subscribe(socket, known)
            elif frame["type"] == "summary":
                self.heads[key] = max(self.heads.get(key, 0), frame["head"])
                if key not in followed:
                    followed.add(key)
                    self.views.setdefault(key, View())
                    await self._subscribe(socket, key)
            elif frame["type"] == "reset":
                self.views[key] = View()
                await self._subscribe(socket, key)
            elif frame["type"] == "error":
                return
            elif frame["type"] in DURABLE and self.views[key].take(frame) is Took.GAP:
                await self._subscribe(socket, key)

    async def _subscribe(self, socket: Any, key: str) -> None:
        frame = {"type": "subscribe", "conversation_id": key, "since": self.views[key].head}
        await socket.send(json.dumps(frame))

    async def _write(self) -> None:
        while True:
            self._wake.clear()
            for client_id, (key, text) in list(self.unsent.items()):
                with contextlib.suppress(*BROKEN):
                    body = {"client_id": client_id, "content": text, "kind": "note"}
                    answer = await self.call("POST", f"conversations/{key}/messages/", json=body)
                    if answer.is_success:
                        self.unsent.pop(client_id)
            if self.unsent:
                await asyncio.sleep(0.1)
            else:
                await self._wake.wait()

    async def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """A request to the REST API of some server."""
        url = f"{self.dice.choice(self.urls)}/api/v1/{path}"
        headers = {"Authorization": f"Token {self.api_token}"}
        return await self.http.request(method, url, headers=headers, **options)

    async def journal(self, key: str) -> list[Frame]:
        """A fresh fetch of a conversation in operators' numbering."""
        frames: list[Frame] = []
        since: str | None = "0"
        while since is not None:
            path = f"conversations/{key}/events/"
            page = (await self.call("GET", path, params={"since": since})).json()
            frames += page["results"]
            since = page["next"]
        return [{**frame, "conversation_id": key} for frame in frames]
