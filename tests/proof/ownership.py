"""Take-over races: within one process at chosen points, and across processes at every frame."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.test import override_settings

from inbox.realtime.hub import Hub
from inbox.realtime.live import live_answers
from inbox.realtime.publish import attach_hub
from inbox.testing import make_operator
from tests.chaos import takeover, takeover_races
from tests.proof.figures import Figure, Scale, proof
from tests.support.grounds import Ground
from tests.support.processes import wait_until
from tests.support.turns import make_bot

RACES = 10_000
IN_ONE_PROCESS = 4_000
LANES = 24


@proof("ownership", "After a take-over no word of the bot follows, however the two race.")
def ownership(scale: Scale) -> Iterator[Figure]:
    yield from _across_processes(scale.of(RACES - IN_ONE_PROCESS))
    yield from _in_one_process(scale.of(IN_ONE_PROCESS))


def _across_processes(count: int) -> Iterator[Figure]:
    """Two servers and two workers; visitor and operator meet one server half the time."""
    with Ground() as ground:
        site = ground.site(
            "postgres-redis",
            BOTS_BACKEND="scripted",
            BOTS_DISPATCHER="worker",
            BOTS_FLUSH_MS="0",
            LOG_LEVEL="WARNING",
        )
        servers = [site.serve(), site.serve()]
        workers = [site.work(), site.work()]
        urls = [server.wait_ready().url for server in servers]
        for worker in workers:
            wait_until(lambda worker=worker: "Working." in worker.output(), what="the worker")
        token = site.manage("frontdesk", "token", "operator2").split()[-1]

        async def run() -> takeover_races.Races:
            place = takeover_races.Field(urls, urls, token, random.Random(1))
            return await takeover_races.race_many(place, count, lanes=LANES)

        races = asyncio.run(run())
    outcomes = ", ".join(f"{name} {n}" for name, n in sorted(races.outcomes.items()))
    yield Figure("races across processes", races.points.total(), f"({outcomes})")
    yield Figure.exactly("late words of the bot", races.late)
    yield Figure.exactly("shown otherwise than stored, or with a hole", len(races.wrongs))
    for wrong in races.wrongs[:10]:
        yield Figure("one of them", wrong[:200])


def _in_one_process(count: int) -> Iterator[Figure]:
    """Half of them with every word on its own, half with words gathered for 5 ms."""
    call_command("migrate", verbosity=0)
    halves = {0: range(count // 2), 5: range(count // 2, count)}
    for flush_ms, numbers in halves.items():
        with override_settings(**takeover.SETTINGS, BOTS_FLUSH_MS=flush_ms):
            races = asyncio.run(_races(numbers))
        how = f"flush {flush_ms} ms"
        cut = f"({races.outcomes['cancelled']} cut short)"
        yield Figure(f"races in one process, {how}", races.outcomes.total(), cut)
        yield Figure.exactly(f"late words to visitor or operator, {how}", races.late)
        yield Figure.exactly(f"shown otherwise than stored, {how}", len(races.wrongs))


async def _races(numbers: range) -> takeover.Races:
    hub = Hub(asyncio.get_running_loop())
    attach_hub(hub)
    try:
        await sync_to_async(make_bot)()
        olga = await sync_to_async(make_operator)()
        return await takeover.race(hub, olga, numbers)
    finally:
        await hub.close()
        attach_hub(None)
        live_answers._answers.clear()
