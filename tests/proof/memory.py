"""What hostile sockets cost a server process, and what twenty thousand visits leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from tests.chaos import hostile
from tests.chaos.cycles import Crowd, census_of
from tests.chaos.hostile import MIB, memory_of
from tests.chaos.turn_kills import environment
from tests.proof.figures import Figure, Scale, proof
from tests.support.grounds import Ground
from tests.support.sites import Server, Site

CYCLES = 20_000
WARM_UP = 1_500
LANES = 10
MOST_HOSTILE_MIB = 20
MOST_LEFT_MIB = 2
NEIGHBOUR_SECONDS = 1.0
SLOW_SECONDS = 5.0
SERVERS = ("daphne", "uvicorn")
GONE = ("open sockets", "visitors held", "topics", "consumers", "readers")

HOSTILITIES: dict[str, Callable[[Server], Awaitable[object]]] = {
    "a reader that stops reading": hostile.stop_reading,
    "a writer that floods": hostile.flood,
    "a writer of one byte at a time": lambda s: hostile.send_slowly(s, seconds=SLOW_SECONDS),
}


@proof("memory", "One socket costs little whatever it does, and who has left leaves nothing.")
def memory(scale: Scale) -> Iterator[Figure]:
    with Ground() as ground:
        for kind in SERVERS:
            yield from _hostile(ground, kind)
        for kind in SERVERS:
            yield from _cycles(ground, kind, scale.of(CYCLES // len(SERVERS)))


def _site(ground: Ground, kind: str, what: str) -> Site:
    return ground.site(
        "sqlite" if what == "hostile" else "postgres-redis",
        **environment(ground.folder / f"{what}-{kind}", BOTS_DISPATCHER="embedded"),
        SCRIPTED_TOKENS="3",
        SCRIPTED_RATE="1000",
        RATE_LIMITS="3" if what == "hostile" else "1000",
    )


def _hostile(ground: Ground, kind: str) -> Iterator[Figure]:
    """Each against a server of its own, after it has served somebody well."""
    for what, attack in HOSTILITIES.items():
        site = _site(ground, kind, "hostile")
        server = site.start(server=kind)
        asyncio.run(hostile.neighbour_round_trip(server))
        before = memory_of(server)

        async def both(
            server: Server = server, attack: Callable[[Server], Awaitable[object]] = attack
        ) -> float:
            assault = asyncio.ensure_future(attack(server))
            waits = [0.0]
            while not assault.done():
                waits.append(await hostile.neighbour_round_trip(server))
                await asyncio.sleep(0.1)
            await assault
            return max(waits)

        longest = asyncio.run(both())
        grown = (memory_of(server) - before) / MIB
        site.close()
        yield Figure.at_most(f"{what} costs, {kind}", grown, MOST_HOSTILE_MIB, "MiB")
        yield Figure.at_most(f"its neighbour waits, {kind}", longest, NEIGHBOUR_SECONDS, "s")


def _cycles(ground: Ground, kind: str, count: int) -> Iterator[Figure]:
    site = _site(ground, kind, "cycles")
    server = site.start(server=kind)

    async def run() -> tuple[int, int]:
        crowd = Crowd(server)
        await crowd.gather()
        await crowd.come_and_go(min(WARM_UP, count), lanes=LANES)
        await asyncio.to_thread(census_of, site, server)
        before = memory_of(server)
        await crowd.come_and_go(count, lanes=LANES)
        await asyncio.to_thread(census_of, site, server)
        after = memory_of(server)
        await crowd.leave()
        return before, after

    before, after = asyncio.run(run())
    left = census_of(site, server)
    site.close()
    yield Figure(f"visits that came and went, {kind}", count)
    yield Figure(f"resident after warming up, {kind}", before / MIB, "MiB")
    grown = (after - before) / MIB
    yield Figure.at_most(f"grown by them, {kind}", grown, MOST_LEFT_MIB, "MiB")
    for name in GONE:
        yield Figure.exactly(f"{name} left, {kind}", left[name])
    yield Figure(
        f"tasks, threads, files, {kind}", f"{left['tasks']}, {left['threads']}, {left['files']}"
    )
