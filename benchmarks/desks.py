"""Visitors and an operator, connected and ready to talk, on the product or on a reference."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

from benchmarks.client import Peer, connect
from benchmarks.messages import Conversations
from benchmarks.product import Product


@contextlib.asynccontextmanager
async def product_desk(site: Product, visitors: int) -> AsyncIterator[Conversations]:
    """Visitors with sessions, tickets and sockets; one operator who has taken them all over and
    follows them on the inbox socket. With several processes all visitors are on the first and
    the operator is on the last, so that every message crosses."""
    sessions = await site.sessions(visitors)
    peers = [await site.visitor(session) for session in sessions]
    operator = site.operator(server=-1)
    await site.taken(operator, list(zip(sessions, peers, strict=True)))
    inbox = await site.inbox(operator, [session.id for session in sessions])
    try:
        yield Conversations(peers, [inbox])
    finally:
        for peer in (*peers, inbox):
            peer.close()


@contextlib.asynccontextmanager
async def tutorial_desk(
    *ws_urls: str, visitors: int, operator_path: str = "/ws/inbox/"
) -> AsyncIterator[Conversations]:
    """The same on a plain Channels server: both sides are told the message by the group."""
    shown = b'{"type": "message"'
    async with _plain_desk(ws_urls, visitors, operator_path) as (peers, inbox):
        yield Conversations(peers, [inbox], answer=shown, shown=shown)


@contextlib.asynccontextmanager
async def fastapi_desk(ws_url: str, visitors: int) -> AsyncIterator[Conversations]:
    """The same on a FastAPI server: a visitor knows by the typing sign that it has gone on."""
    answer = b'{"type":"typing","status":false'
    async with _plain_desk([ws_url], visitors, "/ws/inbox") as (peers, inbox):
        yield Conversations(peers, [inbox], answer=answer)


@contextlib.asynccontextmanager
async def _plain_desk(
    ws_urls: tuple[str, ...] | list[str], visitors: int, operator_path: str
) -> AsyncIterator[tuple[list[Peer], Peer]]:
    names = [f"visitor-{number}" for number in range(visitors)]
    tail = "/" if operator_path.endswith("/") else ""
    peers = [await connect(f"{ws_urls[0]}/ws/chat/{name}{tail}") for name in names]
    for peer in peers:
        await peer.expect(b'{"type"')
    inbox = await connect(f"{ws_urls[-1]}{operator_path}")
    for name in names:
        inbox.send(json.dumps({"type": "subscribe", "conversation_id": name}).encode())
    inbox.send(b'{"type":"ping"}')
    while b"pong" not in await inbox.expect(b'{"type"'):
        pass
    try:
        yield peers, inbox
    finally:
        for peer in (*peers, inbox):
            peer.close()
