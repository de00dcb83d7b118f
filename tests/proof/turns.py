"""Workers killed at every point of a turn, frozen ones, and providers that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.chaos import frozen_workers, model_faults, turn_kills
from tests.chaos.points import TURN_POINTS
from tests.proof.figures import Figure, Scale, proof
from tests.support.grounds import Ground
from tests.support.sites import Site

REPEATS = 200
FAULT_REPEATS = 40
FROZEN = 200
AT_ONCE = 50
WORKERS = 6
LANES = {"worker": 14, "embedded": 14, "procrastinate": 5}
"""A worker of procrastinate has a turn by a job and one by the sweep at once, and dies with both.
With few lanes no turn dies of its neighbours so often that it counts as what kills its workers."""
FAULT_LANES = 14
POINTS = len(TURN_POINTS)


@proof("turns", "An answer ends exactly once and whole, whatever kills its worker or its model.")
def turns(scale: Scale) -> Iterator[Figure]:
    with Ground() as ground:
        for dispatcher in turn_kills.RUNNERS:
            yield from _killed(ground, dispatcher, scale)
        yield from _frozen(
            ground.site(
                "postgres-redis",
                **turn_kills.environment(ground.folder / "frozen", BOTS_CONCURRENCY="100"),
            ),
            scale,
        )
        for wire in ("chat", "responses"):
            yield from _failing(ground, wire, scale)


def _serve(site: Site, **env: str) -> list[str]:
    servers = [site.serve(**env), site.serve(**env)]
    return [server.wait_ready().url for server in servers]


def _killed(ground: Ground, dispatcher: str, scale: Scale) -> Iterator[Figure]:
    marks = ground.folder / f"marks-{dispatcher}"
    env = turn_kills.environment(marks, BOTS_DISPATCHER=dispatcher)
    site = ground.site("postgres-redis", **env)
    if dispatcher == "procrastinate":
        site.manage("migrate", "--verbosity", "0")
    urls = _serve(site, **turn_kills.NO_RUNNER)
    plans = turn_kills.every_point(scale.of(REPEATS))

    async def run() -> list[turn_kills.Fate]:
        await turn_kills.hatch(site, WORKERS)
        return await turn_kills.run(site, urls, plans, lanes=LANES[dispatcher])

    fates = asyncio.run(run())
    site.close()
    seconds = sorted(fate.seconds for fate in fates)
    yield Figure(f"killed in the middle of a turn, {dispatcher}", len(fates), f"({POINTS} points)")
    yield Figure.at_most(
        f"longest until it streamed again or had ended, {dispatcher}",
        seconds[-1],
        turn_kills.PROMISED_SECONDS,
        "s",
    )
    yield Figure(f"half of them within, {dispatcher}", seconds[len(seconds) // 2], "s")
    yield from _wrongs(f"answers lost, doubled, spliced or charged twice, {dispatcher}", fates)


def _wrongs(what: str, fates: list[turn_kills.Fate]) -> Iterator[Figure]:
    broken = [fate for fate in fates if fate.faults]
    yield Figure.exactly(what, len(broken))
    for fate in broken[:10]:
        yield Figure(fate.plan.point, "; ".join(fate.faults)[:200])


def _frozen(site: Site, scale: Scale) -> Iterator[Figure]:
    urls, left = _serve(site), scale.of(FROZEN, least=5)
    total = frozen_workers.Thaw()
    while left > 0:
        thaw = asyncio.run(frozen_workers.freeze_and_thaw(site, urls, min(left, AT_ONCE)))
        left -= AT_ONCE
        total.answers += thaw.answers
        total.late += thaw.late
        total.wrongs += thaw.wrongs
    site.close()
    yield Figure("answers whose worker froze past its lease", total.answers)
    yield Figure.exactly("frames of a thawed worker", total.late)
    yield Figure.exactly("of these answers lost, doubled or spliced", len(total.wrongs))


def _failing(ground: Ground, wire: str, scale: Scale) -> Iterator[Figure]:
    model = model_faults.FailingModelServer()
    model.start()
    faults = [
        model_faults.Fault(name, how_often)
        for _ in range(scale.of(FAULT_REPEATS // 4))
        for name in model_faults.NAMES
        for how_often in ("once", "always")
    ]
    site = ground.site(
        "postgres-redis",
        **turn_kills.environment(ground.folder / wire, BOTS_CONCURRENCY="100"),
        OPENAI_BASE_URL=model.base_url,
        OPENAI_API_KEY="sk-proof",
        BOTS_MODEL="proof",
        MODEL_PATIENCE=str(model_faults.PATIENCE_SECONDS),
    )
    site.env["BOTS_BACKEND"] = wire

    async def run(urls: list[str]) -> list[model_faults.Fault]:
        await frozen_workers.start_worker(site)
        return await model_faults.suffer(urls, faults, lanes=FAULT_LANES)

    over = asyncio.run(run(_serve(site)))
    site.close()
    model.stop()
    longest = max(fault.seconds for fault in over)
    broken = [fault for fault in over if fault.wrongs]
    yield Figure(f"model faults over {wire}", len(over))
    yield Figure.at_most(f"longest until the end over {wire}", longest, 30, "s")
    yield Figure.exactly(f"without exactly one right end over {wire}", len(broken))
    for fault in broken[:10]:
        yield Figure(f"{fault.how_often} {fault.name}", "; ".join(fault.wrongs)[:200])
