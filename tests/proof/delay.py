"""How long a message takes from one process to the readers of another, faults included."""

from __future__ import annotations

import asyncio
import gc
import math
import statistics
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from tests.chaos.tabs import Audience, Probe
from tests.proof.figures import Figure, Scale, proof
from tests.support.grounds import Ground
from tests.support.services import PostgresServer
from tests.support.sites import Server, Site

PER_SECOND = 50
P99_MS = 250
WITHOUT_LAYER_SECONDS = 3.0
HEALED_SECONDS = 10.0
FEW = 200
"""Sockets where the fault is what is measured, not the crowd."""

WARM_UP_SECONDS = 3
MEASURED_SECONDS = 60
OUTAGE_SECONDS = 10
RECOVERY_SECONDS = 15
LONGEST_WAIT_SECONDS = 20
BOT = {"BOTS_BACKEND": "scripted", "SCRIPTED_TOKENS": "3", "SCRIPTED_RATE": "1000"}
MANY = {"RATE_LIMITS": "1000"}
NO_LAYER = {"DJANGO_SETTINGS_MODULE": "tests.chaos.settings", "LAYER_LOSS": "1"}
Step = Callable[[], Awaitable[None]]


@dataclass
class Outage:
    """What was written while something was away, and what after it came back."""

    name: str
    during: list[Probe] = field(default_factory=list)
    after: list[Probe] = field(default_factory=list)
    back_at: float = 0.0


@proof("delay-500", "With 500 sockets a message reaches another process within 250 ms.")
def with_500(scale: Scale) -> Iterator[Figure]:
    yield from crowd(500, scale)


@proof("delay-2000", "With 2,000 sockets a message reaches another process within 250 ms.")
def with_2000(scale: Scale) -> Iterator[Figure]:
    yield from crowd(2000, scale)


def crowd(sockets: int, scale: Scale) -> Iterator[Figure]:
    with Ground() as ground:
        servers = started(ground.site("postgres-redis", **BOT, **MANY))
        seconds = scale.of(MEASURED_SECONDS, 5)
        lost_sockets, probes = asyncio.run(measured(servers, sockets, seconds))
    yield Figure.exactly("sockets open", sockets - lost_sockets, sockets)
    yield Figure("messages", len(probes))
    shown = [probe.shown_after for probe in probes]
    told = [probe.told_after for probe in probes]
    yield Figure("shown in another process, p50", milliseconds(statistics.median(shown)), "ms")
    yield Figure.at_most("shown in another process, p99", milliseconds(p99(shown)), P99_MS, "ms")
    yield Figure.at_most("told to an operator there, p99", milliseconds(p99(told)), P99_MS, "ms")
    acked = [math.inf if probe.acked is None else probe.acked - probe.sent for probe in probes]
    yield Figure("acknowledged, p99", milliseconds(p99(acked)), "ms")


@proof("delay-lost", "With every hint lost a message arrives within 3 s.")
def with_every_hint_lost(scale: Scale) -> Iterator[Figure]:
    with Ground() as ground:
        servers = started(ground.site("postgres-redis", **BOT, **MANY, **NO_LAYER))
        _, probes = asyncio.run(measured(servers, FEW, scale.of(MEASURED_SECONDS // 2, 5)))
    yield from late(probes, "every hint lost")


@proof(
    "delay-faults", "Redis away costs at most 3 s; 10 s after anything came back all is as before."
)
def with_faults(scale: Scale) -> Iterator[Figure]:
    with Ground() as ground:
        servers = started(ground.site("postgres-redis", **BOT, **MANY))
        redis = ground.redis
        faults = [
            ("Redis stopped", plain(redis.freeze), plain(redis.thaw)),
            ("Redis killed", plain(redis.kill), plain(redis.start)),
            ("PostgreSQL crashed", *crash_of(ground.postgres)),
        ]
        seconds = scale.of(OUTAGE_SECONDS, 4)
        outages = asyncio.run(outages_of(servers, faults, seconds))
    for outage in outages:
        if outage.during:
            yield from late(outage.during, outage.name)
        yield from healed(outage)


def started(site: Site) -> list[Server]:
    """Two server processes, ready."""
    servers = [site.serve(), site.serve()]
    return [server.wait_ready() for server in servers]


def plain(step: Callable[[], None]) -> Step:
    async def steps() -> None:
        step()

    return steps


def crash_of(postgres: PostgresServer) -> tuple[Step, Step]:
    async def breaks() -> None:
        await asyncio.to_thread(postgres.crash)

    async def heals() -> None:
        postgres.launch()
        await asyncio.to_thread(postgres.wait_ready)

    return breaks, heals


async def measured(servers: list[Server], sockets: int, seconds: float) -> tuple[int, list[Probe]]:
    """Messages at an even pace among so many sockets: how many of these broke, and the probes."""
    audience = await seated(servers, sockets)
    try:
        probes = await audience.talk(seconds, PER_SECOND)
        await audience.settle(probes, LONGEST_WAIT_SECONDS)
        return audience.lost_sockets, probes
    finally:
        await audience.close()


async def seated(servers: list[Server], sockets: int) -> Audience:
    """Everybody connected, and the caches of a quiet start warm."""
    audience = Audience(servers)
    await audience.open(sockets)
    await audience.settle(await audience.talk(WARM_UP_SECONDS, PER_SECOND), LONGEST_WAIT_SECONDS)
    gc.collect()
    gc.freeze()  # a collection of the clients' own would count as the servers' delay
    return audience


async def outages_of(
    servers: list[Server], faults: list[tuple[str, Step, Step]], seconds: float
) -> list[Outage]:
    """One fault after another among the same sockets. While the database is away nothing can
    be stored, so that outage has no messages of its own."""
    audience = await seated(servers, FEW)
    outages = []
    try:
        for name, breaks, heals in faults:
            outage = Outage(name)
            await breaks()
            if "PostgreSQL" not in name:
                outage.during = await audience.talk(seconds, PER_SECOND)
                await audience.settle(outage.during, LONGEST_WAIT_SECONDS)
            await heals()
            outage.back_at = asyncio.get_running_loop().time()
            outage.after = await audience.talk(RECOVERY_SECONDS, PER_SECOND)
            await audience.settle(outage.after, LONGEST_WAIT_SECONDS)
            outages.append(outage)
        return outages
    finally:
        await audience.close()


def late(probes: list[Probe], name: str) -> Iterator[Figure]:
    """How long messages took without the layer."""
    shown = [probe.shown_after for probe in probes]
    told = [probe.told_after for probe in probes]
    yield Figure(f"{name}: messages", len(probes))
    yield Figure(f"{name}: shown, p50", round(statistics.median(shown), 2), "s")
    for what, delays in (("shown", shown), ("told to an operator", told)):
        longest = round(max(delays), 2)
        yield Figure.at_most(f"{name}: {what}, longest", longest, WITHOUT_LAYER_SECONDS, "s")


def healed(outage: Outage) -> Iterator[Figure]:
    """When the last slow message after the fault was written, and how quick they are then."""
    whole = outage.back_at + HEALED_SECONDS
    delays = [probe.shown_after for probe in outage.after if probe.sent >= whole]
    slow = [probe.sent for probe in outage.after if probe.shown_after * 1000 > P99_MS]
    ending = max(slow, default=outage.back_at) - outage.back_at
    missing = sum(math.isinf(probe.shown_after) for probe in outage.after)
    yield Figure.exactly(f"{outage.name}: never shown afterwards", missing)
    what = f"{outage.name}: shown, p99, from {HEALED_SECONDS:.0f} s after it"
    yield Figure.at_most(what, milliseconds(p99(delays)), P99_MS, "ms")
    yield Figure.at_most(
        f"{outage.name}: as before again after", round(ending, 2), HEALED_SECONDS, "s"
    )


def p99(values: list[float]) -> float:
    """The value that 99 of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
