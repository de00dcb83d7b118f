"""The product as its users run it: seeded, served by real processes, with everything on."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks.client import Peer, connect
from benchmarks.cpu import SERVER_CORE, pinned
from benchmarks.servers import postgres, redis, scratch, shared
from tests.support.contract import Operator
from tests.support.sites import Server, Site, seed_database, seed_folder

ENVIRONMENT = {
    # The limiter counts every message as ever; it only says no much later.
    "RATE_LIMITS": "100000",
    "BOTS_BACKEND": "scripted",
    "LOG_LEVEL": "WARNING",
}
AT_ONCE = 16
"""Requests that prepare a window."""


@dataclass(slots=True)
class Session:
    """What `POST session` told one visitor."""

    id: str
    token: str
    ticket: str
    ws_url: str
    epoch: str
    head: int


class Product:
    """A running site."""

    def __init__(self, site: Site, servers: Sequence[Server]) -> None:
        self.site = site
        self.servers = servers

    @property
    def url(self) -> str:
        return self.servers[0].url

    def pids(self) -> list[int]:
        """The processes whose CPU counts."""
        return [server.process.child.pid for server in self.servers]

    async def sessions(
        self, count: int = 0, *, tokens: Sequence[str] = (), server: int = 0
    ) -> list[Session]:
        """`count` new guests, or the visitors of `tokens` once more, with fresh tickets."""
        bodies = [{"widget": "demo", "token": token} for token in tokens]
        bodies += [{"widget": "demo"}] * (count - len(bodies))
        url, gate = self.servers[server].url, asyncio.Semaphore(AT_ONCE)
        async with httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:

            async def ask(body: dict[str, str]) -> Session:
                async with gate:
                    answer = await http.post("/chat/session", json=body, headers={"Origin": url})
                answer.raise_for_status()
                told = answer.json()
                names = ("token", "ticket", "ws_url", "epoch", "head")
                return Session(told["session_id"], *(told[name] for name in names))

            return await asyncio.gather(*map(ask, bodies))

    async def visitor(self, session: Session, *, since: int | None = None) -> Peer:
        """A visitor's socket that has been welcomed; its ticket is used up."""
        url = session.ws_url
        if since is not None:
            url = f"{url}?epoch={session.epoch}&since={since}"
        origin = "http://" + session.ws_url.split("/")[2]
        peer = await connect(url, origin=origin, protocols=("chat.v1", f"ticket.{session.ticket}"))
        await peer.expect(b'{"type":"connected"')
        return peer

    def operator(self, username: str = "operator", *, server: int = 0) -> Operator:
        """An operator signed in over HTTP; its calls block."""
        return Operator(self.servers[server], username)

    async def inbox(self, operator: Operator, conversation_ids: Sequence[str] = ()) -> Peer:
        """The operator's live socket, following these conversations from where they stand."""
        cookies = "; ".join(f"{name}={value}" for name, value in operator.http.cookies.items())
        base = operator.server
        peer = await connect(
            f"{base.ws_url}/ws/inbox/", origin=base.url, headers={"Cookie": cookies}
        )
        await peer.expect(b'{"type":"connected"')
        for conversation_id in conversation_ids:
            since = operator.conversation(conversation_id)["head"]
            frame = {"type": "subscribe", "conversation_id": conversation_id, "since": since}
            peer.send(json.dumps(frame).encode())
        # Frames are handled in order: after the answer every subscription stands.
        peer.send(b'{"type":"ping"}')
        await peer.expect(b'{"type":"pong"')
        return peer

    async def taken(self, operator: Operator, visitors: Sequence[tuple[Session, Peer]]) -> None:
        """Every visitor has written and the operator has taken the conversation over."""
        for number, (session, peer) in enumerate(visitors):
            peer.send(message(f"first-{number}-{session.id[:8]}", "I would like to talk"))
            await peer.expect(b'{"type":"ack"')
            answer = await asyncio.to_thread(operator.act, session.id, "take")
            if answer.status_code != 200:
                raise RuntimeError(f"take: {answer.status_code} {answer.text}")


def message(client_id: str, content: str) -> bytes:
    """A visitor's `message` frame."""
    return json.dumps({"type": "message", "client_id": client_id, "content": content}).encode()


@functools.cache
def _seeded_folder() -> Path:
    return seed_folder(shared.enter_context(scratch()))


@functools.cache
def _seeded_database() -> str:
    with postgres() as cluster:
        return seed_database(cluster, shared.enter_context(scratch()))


@contextlib.contextmanager
def product(
    *,
    server: str = "daphne",
    database: str = "sqlite",
    layer: str = "memory",
    processes: int = 1,
    **env: str,
) -> Iterator[Product]:
    """The reference project's site, seeded, on the servers' core.

    Args:
        server: daphne (`frontdesk serve`) or uvicorn.
        database: sqlite or postgres.
        layer: memory or redis.
        processes: server processes; all on one core, so that CPU compares.
        env: more of the reference project's environment.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch())
        settings = {**ENVIRONMENT, **env}
        if layer == "redis":
            settings["REDIS_URL"] = stack.enter_context(redis()).url
        if database == "postgres":
            cluster = stack.enter_context(postgres())
            name = cluster.create_database(template=_seeded_database())
            settings["DATABASE_URL"] = cluster.url(name)
        else:
            shutil.copytree(_seeded_folder(), folder, dirs_exist_ok=True)
        site = Site(folder, settings)
        stack.callback(site.close)
        with pinned(SERVER_CORE):
            servers = [site.serve(server=server) for _ in range(processes)]
        yield Product(site, [started.wait_ready() for started in servers])


_numbers = itertools.count(1)


def new_client_id() -> str:
    """Unique in this run."""
    return f"b-{next(_numbers)}"
