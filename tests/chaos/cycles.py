"""Visitors who come and go, thousands of times."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import httpx2
import websockets

from tests.chaos.census import path_of
from tests.support.processes import wait_until
from tests.support.sites import Server, Site

VISITORS = 50
BROKEN_OFF = 5
"""Every so manieth visitor leaves without a word of goodbye."""


class Crowd:
    """Visitors with a conversation each, who keep their tokens."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx2.AsyncClient(timeout=30, trust_env=False)
        self.tokens: list[str] = []

    async def gather(self) -> None:
        """Everybody comes once and writes."""
        for number in range(VISITORS):
            session = await self._session("")
            self.tokens.append(session["token"])
            await self._visit(session, number, writes=True)

    async def come_and_go(self, count: int, *, lanes: int) -> None:
        """So many connects and disconnects, `lanes` at once."""
        left = iter(range(count))

        async def lane() -> None:
            for number in left:
                session = await self._session(self.tokens[number % VISITORS])
                await self._visit(session, number, writes=False)

        await asyncio.gather(*(lane() for _ in range(lanes)))

    async def leave(self) -> None:
        """Close what HTTP kept open."""
        await self.http.aclose()

    async def _session(self, token: str) -> dict[str, Any]:
        body = {"widget": "demo", **({"token": token} if token else {})}
        answer = await self.http.post(f"{self.server.url}/chat/session", json=body)
        session: dict[str, Any] = answer.json()
        return session

    @staticmethod
    async def _visit(session: dict[str, Any], number: int, *, writes: bool) -> None:
        protocols = ["chat.v1", f"ticket.{session['ticket']}"]
        async with websockets.connect(session["ws_url"], subprotocols=protocols) as socket:
            assert json.loads(await socket.recv())["type"] == "connected"
            if writes:
                frame = {"type": "message", "client_id": uuid.uuid4().hex, "content": "Hello"}
                await socket.send(json.dumps(frame))
                while json.loads(await socket.recv())["type"] != "response_end":
                    pass
            if number % BROKEN_OFF == 0:
                socket.transport.abort()


def census_of(site: Site, server: Server) -> dict[str, Any]:
    """What a server process holds now."""
    pid = server.process.child.pid
    path = path_of(Path(site.env["FAULTS_DIR"]), pid)
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    wait_until(path.exists, what="the census")
    found: dict[str, Any] = json.loads(path.read_text())
    return found
