"""Sockets that mean harm: one stops reading, one floods, one sends a frame byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
import uuid
from pathlib import Path
from typing import Any

import httpx2
import websockets

from tests.support.sites import Server

MIB = 1024 * 1024
MOST_GROWTH = 20 * MIB
MESSAGES = 60
REPLAYS = 60


def memory_of(server: Server) -> int:
    """Resident bytes of a server process."""
    pages = int(Path(f"/proc/{server.process.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def session(server: Server, token: str = "") -> dict[str, Any]:
    """A session of a new guest, or of the one with this token."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        body = {"widget": "demo", **({"token": token} if token else {})}
        answer = await http.post(f"{server.url}/chat/session", json=body)
        return dict(answer.json())


def opened(visit: dict[str, Any], **options: Any) -> Any:
    """A well-behaved socket."""
    protocols = ["chat.v1", f"ticket.{visit['ticket']}"]
    return websockets.connect(visit["ws_url"], subprotocols=protocols, **options)


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


async def stop_reading(server: Server) -> None:
    """Ask for a long history again and again, and read nothing of it."""
    visit = await session(server)
    async with opened(visit) as ws:
        await ws.recv()
        for _ in range(MESSAGES):
            await _write(ws, "x" * 4000)
        seen = 0
        async with asyncio.timeout(60):
            while seen < MESSAGES:
                seen += json.loads(await ws.recv())["type"] == "ack"
    _reader, writer = await _upgraded(server, await session(server, visit["token"]))
    frame = masked(json.dumps({"type": "resume", "since": 0}).encode())
    with contextlib.suppress(ConnectionError):  # it may be cut off before the last one
        for _ in range(REPLAYS):
            writer.write(frame)
            await writer.drain()
            await asyncio.sleep(0.03)
    writer.close()


async def flood(server: Server) -> tuple[set[str], int | None]:
    """Send as fast as the line takes it; the codes of the refusals, and of the close."""
    async with opened(await session(server)) as ws:
        codes = asyncio.create_task(_refusals(ws))
        with contextlib.suppress(websockets.ConnectionClosed):
            for number in range(100_000):
                await ws.send('{"type":"ping"}')
                if number % 100 == 0:
                    await asyncio.sleep(0)
        return await asyncio.wait_for(codes, 60), ws.close_code


async def send_slowly(server: Server, *, seconds: float) -> None:
    """A message whose frame comes one byte at a time and is never complete."""
    _reader, writer = await _upgraded(server, await session(server))
    body = {"type": "message", "client_id": uuid.uuid4().hex, "content": "x" * 40}
    frame = masked(json.dumps(body).encode()[:125])
    with contextlib.suppress(ConnectionError):
        for byte in frame[:-1]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds / len(frame))
    writer.close()


async def _write(ws: Any, text: str) -> None:
    frame = {"type": "message", "client_id": uuid.uuid4().hex, "content": text}
    await ws.send(json.dumps(frame))


async def _refusals(ws: Any) -> set[str]:
    codes: set[str] = set()
    with contextlib.suppress(websockets.ConnectionClosed):
        async for text in ws:
            codes.add(json.loads(text).get("code", ""))
    return codes


async def _upgraded(
    server: Server, visit: dict[str, Any]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket behind its handshake, with a small window and nobody who reads."""
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
