"""Nothing lost, doubled or reordered while servers are killed under load."""

from __future__ import annotations

import asyncio
import contextlib
import random

import httpx2
import pytest

from tests.chaos.client import Visitor
from tests.support.sites import MakeSite, Site

VISITORS = 20
MESSAGES = 1_000
KILLS = 4
PAUSE_SECONDS = (0.6, 1.2)
PATIENCE_SECONDS = 90


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgres-redis", marks=pytest.mark.services)]
)
async def test_a_thousand_messages_survive_four_kills(make_site: MakeSite, kind: str):
    site = make_site(kind, BOTS_BACKEND="scripted", SCRIPTED_TOKENS="3", SCRIPTED_RATE="1000")
    for _ in range(1 if kind == "sqlite" else 2):
        site.serve()
    for server in site.servers:
        await asyncio.to_thread(server.wait_ready)
    visitors = [Visitor([server.url for server in site.servers]) for _ in range(VISITORS)]
    lives = [asyncio.create_task(visitor.live()) for visitor in visitors]
    try:
        await asyncio.gather(write_all(visitors), kill_servers(site))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await caught_up(site, visitors)
    finally:
        for life in lives:
            life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*lives, return_exceptions=True)
    for visitor in visitors:
        assert_nothing_lost(visitor)
    assert sum(visitor.connects for visitor in visitors) > VISITORS


async def write_all(visitors: list[Visitor]) -> None:
    """Spread the messages over the time of the kills."""
    for number in range(MESSAGES):
        visitors[number % len(visitors)].write(f"message {number}")
        await asyncio.sleep(0.004)


async def kill_servers(site: Site) -> None:
    """SIGKILL one server after another; each comes back on its port."""
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(*PAUSE_SECONDS))
        index = random.randrange(len(site.servers))
        victim = site.servers[index]
        await asyncio.to_thread(victim.kill)
        site.servers.remove(victim)
        site.serve(port=victim.port)
        await asyncio.to_thread(site.servers[-1].wait_ready)


async def caught_up(site: Site, visitors: list[Visitor]) -> None:
    """Wait until everything is acknowledged and everybody has read to the head."""
    for visitor in visitors:
        # The stored head of another process can only be asked for, not awaited.
        while not (visitor.everything_acked and await head_of(site, visitor) == visitor.head):
            await asyncio.sleep(0.1)


async def head_of(site: Site, visitor: Visitor) -> int:
    """The stored head of the visitor's conversation; -1 while nobody answers."""
    url = f"{site.servers[0].url}/chat/conversations"
    headers = {"Authorization": f"Bearer {visitor.token}"}
    try:
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
            answer = await http.get(url, headers=headers)
            return int(answer.json()["results"][0]["head"])
    except (httpx2.HTTPError, KeyError, IndexError):
        return -1


def assert_nothing_lost(visitor: Visitor) -> None:
    written = [text for _, text in visitor.outbox]
    assert visitor.own_words == written
    assert not visitor.doubled
    assert sorted(visitor.shown) == list(range(1, visitor.head + 1))
    for client_id, _ in visitor.outbox:
        frame = visitor.shown[visitor.acked[client_id]]
        assert frame["client_id"] == client_id
