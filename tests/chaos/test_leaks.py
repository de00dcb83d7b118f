"""Who has left leaves nothing behind: no task, no subscription, no connection, no group."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import pytest
import redis

from tests.chaos.cycles import Crowd, census_of
from tests.chaos.turn_kills import environment
from tests.support.processes import wait_until
from tests.support.sites import MakeSite, Server, Site

pytestmark = [pytest.mark.services]

CYCLES = 500
MUST_GO = ("open sockets", "visitors held", "topics", "consumers", "readers")
STEADY = ("tasks", "threads", "files", "watchers", "listeners")
SLACK = {"files": 4, "threads": 4, "tasks": 2}
"""Pools open a connection or a thread when they are first that busy, and keep it."""


def outside(site: Site) -> dict[str, int]:
    """Connections and groups as Redis and PostgreSQL see them."""
    with psycopg.connect(site.env["DATABASE_URL"]) as connection:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        row = connection.execute(sql).fetchone()
    with redis.Redis.from_url(site.env["REDIS_URL"]) as layer:
        groups = layer.pubsub_channels("*")
        return {
            "connections to PostgreSQL": row[0] if row else 0,
            "clients of Redis": len(layer.client_list()),
            "channels of Redis": len(groups),
        }


async def test_five_hundred_visitors_come_and_go_and_leave_nothing(make_site: MakeSite, tmp_path):
    site = make_site(
        "postgres-redis",
        **environment(tmp_path / "marks", BOTS_DISPATCHER="embedded", BOTS_CONCURRENCY="50"),
        SCRIPTED_TOKENS="3",
        SCRIPTED_RATE="1000",
        RATE_LIMITS="1000",
    )
    server = await asyncio.to_thread(site.start)
    crowd = Crowd(server)
    await crowd.gather()
    await crowd.come_and_go(50, lanes=10)
    before = await asyncio.to_thread(settled, site, server)
    served = await asyncio.to_thread(outside, site)
    await crowd.come_and_go(CYCLES, lanes=10)
    after = await asyncio.to_thread(settled, site, server)
    await crowd.leave()
    assert {name: after[name] for name in MUST_GO} == dict.fromkeys(MUST_GO, 0)
    grown = {name: after[name] - before[name] for name in STEADY}
    assert not {n: g for n, g in grown.items() if g > SLACK.get(n, 0)}, (before, after)
    again = await asyncio.to_thread(outside, site)
    assert all(again[name] <= count + 4 for name, count in served.items()), (served, again)


def settled(site: Site, server: Server) -> dict:
    """The census once the last goodbye has been worked off."""
    found: dict = {}

    def is_quiet() -> bool:
        found.update(census_of(site, server))
        return not any(found[name] for name in MUST_GO)

    with contextlib.suppress(TimeoutError):  # the assertion tells what is left
        wait_until(is_quiet, seconds=20)
    return found
