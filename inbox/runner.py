"""Runs what comes due on the event loop of a server or worker process.

The rows carry the truth: a runner claims with a lease, so two runners never do the same work,
and a runner that dies loses nothing. It is started by the first socket or request of a
process (Daphne has no lifespan) or by ``frontdesk worker``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import Any

from inbox.conf import inbox_settings
from inbox.database import in_work_thread
from inbox.outages import WITHOUT_DATABASE, Outage
from inbox.ports import WorkSource, work_sources
from inbox.process import role

logger = logging.getLogger("frontdesk.runner")

FAULT_SECONDS = 1.0
"""Pause after a claim that failed."""

STUCK_SECONDS = 30.0
"""A runner that completed no look for this long does its work no more."""

SWEEP_SECONDS = 2.0
"""How often due rows are looked for when nobody wakes the runner."""

_runner: Runner | None = None


class Runner:
    """One claiming loop for each work source."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.beats: dict[str, float] = {}
        """Work source → loop time of its last completed look; ``/readyz`` reads it."""
        self._wakes: dict[str, asyncio.Event] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._working: set[asyncio.Task[bool]] = set()
        self._stopping = False
        self._outages: dict[str, Outage] = {}

    def start(self) -> None:
        """Start a loop for every enabled source, once."""
        if self._loops:
            return
        for source in work_sources():
            if source.enabled():
                self._wakes[source.name] = asyncio.Event()
                self._loops.append(self.loop.create_task(self._run(source)))

    def is_stuck(self) -> bool:
        """Whether some source was not looked at for many sweeps; from any thread."""
        oldest = self.loop.time() - STUCK_SECONDS
        return any(beat < oldest for beat in self.beats.values())

    def wake(self, name: str | None = None) -> None:
        """Look now instead of at the next sweep; from any thread."""
        if self.loop.is_closed():
            return
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._set, name)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Claim nothing more, give running work a moment, then cancel it.

        Cancelled work is not lost: its lease runs out and another runner claims it.
        """
        self._stopping = True
        for task in self._loops:
            task.cancel()
        if self._working:
            await asyncio.wait(self._working, timeout=grace_seconds)
        for work in self._working:
            work.cancel()
        everything: list[asyncio.Task[Any]] = [*self._loops, *self._working]
        await asyncio.gather(*everything, return_exceptions=True)
        self._loops = []

    def _set(self, name: str | None) -> None:
        for key, event in self._wakes.items():
            if name is None or name == key:
                event.set()

    async def _run(self, source: WorkSource) -> None:
        wake = self._wakes[source.name]
        running: set[asyncio.Task[bool]] = set()
        while not self._stopping:
            wake.clear()
            room = source.concurrency - len(running)
            claimed = await self._claim(source, room) if room > 0 else []
            for item in claimed:
                task = self.loop.create_task(self._work(source, item))
                running.add(task)
                self._working.add(task)
                task.add_done_callback(partial(self._ended, source, running))
            self.beats[source.name] = self.loop.time()
            # Fewer than there was room for: that was all.
            if len(claimed) < room or len(running) >= source.concurrency:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP_SECONDS):
                        await wake.wait()

    async def _claim(self, source: WorkSource, limit: int) -> list[Any]:
        try:
            claimed = await in_work_thread(source.claim, limit)
        except WITHOUT_DATABASE as error:
            self._outage(source).away(error)
            await asyncio.sleep(FAULT_SECONDS)
            return []
        except Exception:
            logger.exception("claiming work of %s failed", source.name)
            await asyncio.sleep(FAULT_SECONDS)
            return []
        self._outage(source).back()
        return claimed

    def _outage(self, source: WorkSource) -> Outage:
        what = f"the database for work of {source.name}"
        return self._outages.setdefault(source.name, Outage(logger, what))

    def _ended(
        self, source: WorkSource, running: set[asyncio.Task[bool]], task: asyncio.Task[bool]
    ) -> None:
        """Look again if there was no room before, or if this made something else due."""
        was_full = len(running) >= source.concurrency
        running.discard(task)
        self._working.discard(task)
        if was_full or task.cancelled() or task.result():
            self._wakes[source.name].set()

    async def _work(self, source: WorkSource, item: Any) -> bool:
        """Run one item; False when the source says that nothing else came due by it."""
        try:
            return await source.run(item) is not False
        except asyncio.CancelledError:
            raise
        except WITHOUT_DATABASE as error:
            self._outage(source).away(error)
        except Exception:
            logger.exception("work of %s failed", source.name)
        return True


def ensure_runner() -> Runner | None:
    """The runner of the running loop, started on first use; None when switched off."""
    global _runner
    if role() == "server" and not inbox_settings.RUNNER:
        return None
    loop = asyncio.get_running_loop()
    if _runner is None or _runner.loop is not loop:
        _runner = Runner(loop)
        _runner.start()
    return _runner


def current_runner() -> Runner | None:
    """The runner of this process, if one was started."""
    return _runner


def wake(name: str | None = None) -> None:
    """Tell this process's runner that something came due; from any thread."""
    if _runner is not None:
        _runner.wake(name)
