"""One task per process that keeps every running turn's claim alive and its text stored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from bots.actions.leases import Beat, renew
from bots.conf import bots_settings
from bots.running import speaking
from inbox.database import in_thread
from inbox.outages import Outage
from inbox.realtime.batches import Batch, Change, Control
from inbox.realtime.hub import get_hub

if TYPE_CHECKING:
    from bots.running.run import Run

logger = logging.getLogger("frontdesk.turns")

CHECKPOINT_SECONDS = 1.0
"""How much of a streaming answer is lost at most when its worker dies."""


class Keeper:
    """Beats for all runs of one event loop, in one transaction each time."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._task: asyncio.Task[None] | None = None
        self._outage = Outage(logger, "the database for leases")

    def add(self, run: Run) -> None:
        """Keep this run's claim until it is removed."""
        self._runs[run.conversation_id] = run
        speaking.begin(str(run.turn.key))
        get_hub().watchers.add(self)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._beat())

    def remove(self, run: Run) -> None:
        """The run is over."""
        speaking.end(str(run.turn.key))
        if self._runs.get(run.conversation_id) is run:
            del self._runs[run.conversation_id]
        if not self._runs:
            get_hub().watchers.discard(self)
            if self._task is not None:
                self._task.cancel()
                # A run that begins before the cancelled task wakes up must start another one.
                self._task = None

    def on_change(self, change: Change) -> None:
        """Stop at once what a take-over or the visitor has just ended, wherever that was."""
        run = self._runs.get(change.conversation_id)
        if run is not None and run.is_ended_by(change):
            run.stop()

    def on_control(self, control: Control) -> None:
        """Be quiet where another process is about to end a turn; say so behind the last word."""
        if control.kind != "hush":
            return
        for run in self._runs.values():
            if str(run.turn.key) == control.key:
                run.hush()
                get_hub().publish(Batch(controls=[Control(kind="hushed", key=control.key)]))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(min(CHECKPOINT_SECONDS, bots_settings.LEASE_SECONDS / 3))
            runs = list(self._runs.values())
            beats = {run: beat for run in runs if (beat := run.beat()) is not None}
            if beats:
                with contextlib.suppress(Exception):
                    await self._renew(beats)

    async def _renew(self, beats: dict[Run, Beat]) -> None:
        since = time.monotonic()
        try:
            # Not among the threads of work: turns that wait there would lose their leases.
            renewed = await in_thread(renew, list(beats.values()))
        except Exception as error:
            # Without a renewal each lease runs out and its run asks before it says more.
            self._outage.away(error)
            raise
        self._outage.back()
        for run, beat in beats.items():
            if beat.claim in renewed.kept:
                run.kept(beat, since)
            elif beat.claim in renewed.lost:
                run.stop()


_keepers: dict[asyncio.AbstractEventLoop, Keeper] = {}


def keeper() -> Keeper:
    """The keeper of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _keepers:
        for closed in [known for known in _keepers if known.is_closed()]:
            del _keepers[closed]
        _keepers[loop] = Keeper()
    return _keepers[loop]
