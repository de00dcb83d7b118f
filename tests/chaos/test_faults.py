"""Nothing lost, doubled or reordered while everything around the servers breaks."""

from __future__ import annotations

import pytest

from tests.chaos.rig import Rig
from tests.chaos.storm import Plan, storm
from tests.chaos.verdict import Verdict
from tests.support.services import PostgresServer, RedisServer
from tests.support.sites import MakeSite

pytestmark = [pytest.mark.services, pytest.mark.slow]
ENV = {
    "BOTS_BACKEND": "scripted",
    "SCRIPTED_TOKENS": "3",
    "SCRIPTED_RATE": "1000",
    "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
    "LAYER_LOSS": "0.3",
}


async def test_messages_survive_redis_lost_hints_and_broken_connections(
    make_site: MakeSite, redis_server: RedisServer
):
    rig = Rig(make_site("postgres-redis", **ENV), redis=redis_server, server_count=2, resets=True)
    try:
        await rig.start()
        outcome = await storm(rig, Plan(messages=600, redis_faults=4))
    finally:
        await rig.close()
    assert outcome.verdict == Verdict(), outcome.evidence
    assert outcome.stored == 600
    assert rig.done["connections broken"] > 5


async def test_messages_survive_a_restart_of_the_database(
    make_site: MakeSite, postgres_server: PostgresServer
):
    rig = Rig(make_site("postgres-redis", **ENV), postgres=postgres_server, server_count=2)
    try:
        await rig.start()
        outcome = await storm(rig, Plan(messages=600, postgres_restarts=1))
    finally:
        await rig.close()
    assert outcome.verdict == Verdict(), outcome.evidence
    assert outcome.stored == 600
    assert outcome.unanswered == 0


async def test_everything_arrives_with_every_hint_lost(make_site: MakeSite):
    rig = Rig(make_site("postgres-redis", **{**ENV, "LAYER_LOSS": "1"}), server_count=2)
    await rig.start()
    outcome = await storm(rig, Plan(messages=100, visitors=10, patience_seconds=30))
    assert outcome.verdict == Verdict(), outcome.evidence
    assert (outcome.stored, outcome.unanswered) == (100, 0)
