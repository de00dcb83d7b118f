"""Messages while everything breaks, on each stack: nothing lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from tests.chaos.rig import Rig
from tests.chaos.storm import Outcome, Plan, storm
from tests.proof.figures import Figure, Scale, proof
from tests.support.grounds import Ground

MESSAGES = 100_000
KILLS = 200
REDIS_FAULTS = 100
POSTGRES_RESTARTS = 50
SEED = 20_261_121
BOT = {"BOTS_BACKEND": "scripted", "SCRIPTED_TOKENS": "3", "SCRIPTED_RATE": "1000"}
LOSSY = {"DJANGO_SETTINGS_MODULE": "tests.chaos.settings", "LAYER_LOSS": "0.3"}
PROMISE = "Nothing is lost, doubled or out of order while everything breaks"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs: on SQLite everything in one process, else two servers."""

    server: str = "daphne"
    layer: str = "pubsub"
    workers: int = 0
    dispatcher: str = "embedded"


@proof("chaos-sqlite", f"{PROMISE}: SQLite, one process.")
def sqlite(scale: Scale) -> Iterator[Figure]:
    with Ground() as ground:
        rig = Rig(ground.site("sqlite", **BOT), resets=True, dice=random.Random(SEED))
        plan = Plan(messages=scale.of(MESSAGES, 200), kills=scale.of(KILLS), seed=SEED)
        yield from run(rig, plan)


@proof("chaos-postgres", f"{PROMISE}: PostgreSQL and Redis, two servers.")
def postgres(scale: Scale) -> Iterator[Figure]:
    yield from on_services(Stack(), scale)


@proof("chaos-uvicorn", f"{PROMISE}: the same on uvicorn with the core layer.")
def uvicorn(scale: Scale) -> Iterator[Figure]:
    yield from on_services(Stack(server="uvicorn", layer="core"), scale)


@proof("chaos-procrastinate", f"{PROMISE}: two servers, two procrastinate workers.")
def procrastinate(scale: Scale) -> Iterator[Figure]:
    yield from on_services(Stack(workers=2, dispatcher="procrastinate"), scale)


def on_services(stack: Stack, scale: Scale) -> Iterator[Figure]:
    """A stack with PostgreSQL and Redis, every kind of fault."""
    choice = {"CHANNEL_LAYER": stack.layer, "BOTS_DISPATCHER": stack.dispatcher}
    with Ground() as ground:
        site = ground.site("postgres-redis", **BOT, **LOSSY, **choice)
        if stack.dispatcher == "procrastinate":
            site.manage("migrate", "--verbosity", "0")
        rig = Rig(
            site,
            redis=ground.redis,
            postgres=ground.postgres,
            server=stack.server,
            server_count=2,
            worker_count=stack.workers,
            resets=True,
            database_resets=True,
            dice=random.Random(SEED),
        )
        plan = Plan(
            messages=scale.of(MESSAGES, 200),
            kills=scale.of(KILLS),
            redis_faults=scale.of(REDIS_FAULTS),
            postgres_restarts=scale.of(POSTGRES_RESTARTS),
            seed=SEED,
        )
        yield from run(rig, plan)


def run(rig: Rig, plan: Plan) -> Iterator[Figure]:
    outcome = asyncio.run(whole(rig, plan))
    for line in outcome.evidence:
        print(line, file=sys.stderr)
    yield from figures(rig, plan, outcome)


async def whole(rig: Rig, plan: Plan) -> Outcome:
    try:
        await rig.start()
        return await storm(rig, plan)
    finally:
        await rig.close()


def figures(rig: Rig, plan: Plan, outcome: Outcome) -> Iterator[Figure]:
    """The promises first, then what was done to the site."""
    for what, count in asdict(outcome.verdict).items():
        yield Figure.exactly(what.replace("_", " "), count)
    yield Figure.exactly("messages stored", outcome.stored, plan.messages)
    yield Figure.exactly("conversations that wait for the bot for ever", outcome.unanswered)
    yield Figure.exactly("resets told", outcome.resets)
    yield Figure.at_most("caught up after the last fault", outcome.catch_up_seconds, 30, "s")
    yield Figure("answers of the bot", outcome.answered)
    for what, count in sorted(rig.done.items()):
        yield Figure(what, count)
    yield Figure("connections made by visitors", outcome.connects)
    yield Figure("refusals", outcome.refusals)
    yield Figure("tracebacks in the logs", rig.tracebacks())
    yield Figure("seconds of the run", round(outcome.seconds), "s")
