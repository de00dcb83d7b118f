"""One hostile socket costs little memory and no neighbour notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
import uuid
from pathlib import Path

import httpx2
import pytest
import websockets

from tests.support.sites import MakeSite, Server

MIB = 1024 * 1024
MOST_GROWTH = 20 * MIB


def memory_of(server: Server) -> int:
    """Resident bytes of a server process."""
    pages = int(Path(f"/proc/{server.process.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def session(server: Server) -> dict:
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{server.url}/chat/session", json={"widget": "demo"})
        return answer.json()


def opened(visit: dict, **options):
    protocols = ["chat.v1", f"ticket.{visit['ticket']}"]
    return websockets.connect(visit["ws_url"], subprotocols=protocols, **options)


async def write(ws, text: str) -> None:
    frame = {"type": "message", "client_id": uuid.uuid4().hex, "content": text}
    await ws.send(json.dumps(frame))


async def neighbour_round_trip(server: Server) -> float:
    """Seconds that a healthy visitor waits for an answer."""
    async with opened(await session(server)) as ws:
        await ws.recv()
        started = time.perf_counter()
        await ws.send('{"type":"ping"}')
        async for text in ws:
            if json.loads(text)["type"] == "pong":
                return time.perf_counter() - started
    raise AssertionError("the neighbour's socket was closed")


@pytest.fixture(params=["daphne", "uvicorn"])
async def server(request: pytest.FixtureRequest, make_site: MakeSite) -> Server:
    site = make_site("sqlite", BOTS_BACKEND="scripted", SCRIPTED_TOKENS="3", RATE_LIMITS="3")
    return await asyncio.to_thread(site.start, server=request.param)


async def test_a_reader_that_stops_reading_is_closed_and_costs_little(server: Server):
    visit = await session(server)
    async with opened(visit) as ws:
        await ws.recv()
        for _ in range(60):
            await write(ws, "x" * 4000)
        seen = 0
        async with asyncio.timeout(30):
            while seen < 60:
                seen += json.loads(await ws.recv())["type"] == "ack"
    before = memory_of(server)
    _reader, writer = await stalled(server, visit["token"])
    frame = masked(json.dumps({"type": "resume", "since": 0}).encode())
    with contextlib.suppress(ConnectionError):  # it may be cut off before the last one
        for _ in range(60):
            writer.write(frame)
            await writer.drain()
            await asyncio.sleep(0.03)
    assert await neighbour_round_trip(server) < 1
    grown = memory_of(server) - before
    writer.close()
    assert grown < MOST_GROWTH


async def stalled(server: Server, token: str):
    """A socket that upgrades and then reads nothing at all."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        body = {"widget": "demo", "token": token}
        visit = (await http.post(f"{server.url}/chat/session", json=body)).json()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    raw.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    path = visit["ws_url"].split(str(server.port), 1)[1]
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Protocol: chat.v1, ticket.{visit['ticket']}\r\n\r\n"
    )
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def masked(payload: bytes) -> bytes:
    """A client's text frame with the all-zero mask."""
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload)]) + b"\0\0\0\0" + payload


async def test_a_flood_is_refused_then_closed_with_4429(server: Server):
    before = memory_of(server)
    async with opened(await session(server)) as ws:
        codes = asyncio.create_task(refusals(ws))
        with contextlib.suppress(websockets.ConnectionClosed):
            for number in range(100_000):
                await ws.send('{"type":"ping"}')
                if number % 100 == 0:
                    await asyncio.sleep(0)
        assert "rate_limited" in await asyncio.wait_for(codes, 20)
        assert ws.close_code == 4429
    assert memory_of(server) - before < MOST_GROWTH
    assert await neighbour_round_trip(server) < 1


async def refusals(ws) -> set[str]:
    """Read until the end; the codes of all refusals."""
    codes: set[str] = set()
    with contextlib.suppress(websockets.ConnectionClosed):
        async for text in ws:
            codes.add(json.loads(text).get("code", ""))
    return codes
