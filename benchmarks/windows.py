"""A window: a stretch of time in which a load runs and both sides' CPU is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from benchmarks.cpu import cpu_seconds, own_cpu_seconds
from benchmarks.rows import Sample, Window

SETTLE_SECONDS = 0.4
"""A load runs so long before the window opens."""


class Load(Protocol):
    """What clients ask of one subject."""

    @property
    def done(self) -> float:
        """How much work was finished since the beginning."""

    async def begin(self) -> None:
        """Start asking."""

    async def end(self) -> None:
        """Stop asking, wait for what is under way, and raise if something was lost."""

    def extra(self) -> dict[str, float]:
        """Figures since the last call, such as latencies in ms."""


async def window(subject: str, load: Load, pids: Sequence[int], seconds: float) -> Sample:
    """Run the load and count what happens in `seconds` of it."""
    await load.begin()
    await asyncio.sleep(SETTLE_SECONDS)
    load.extra()
    done, cpu, client, started = load.done, cpu_seconds(pids), own_cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    sample = Sample(
        subject,
        work=load.done - done,
        cpu=cpu_seconds(pids) - cpu,
        wall=time.monotonic() - started,
        client_cpu=own_cpu_seconds() - client,
        extra=load.extra(),
    )
    await load.end()
    return sample


def window_of(
    subject: str, load: Load, pids: Callable[[], Sequence[int]], seconds: float
) -> Window:
    """The same as a function for `Run.alternate`."""

    async def take() -> Sample:
        return await window(subject, load, pids(), seconds)

    return take


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
