"""Runs due work in a process of its own: turns, webhooks, sweeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Mapping
from typing import Any

from django.apps import apps

from inbox.commands.base import Subcommand, Write
from inbox.outages import Outage
from inbox.ports import close_connections
from inbox.process import become
from inbox.realtime.batches import Change, Control
from inbox.realtime.hub import get_hub
from inbox.runner import Runner, ensure_runner

logger = logging.getLogger("frontdesk.worker")

STOP_SECONDS = 10.0
"""How long running work may take once the process was told to stop; the rest is claimed anew."""


RESTART_SECONDS = 2.0
"""Pause before the engine is tried again."""


class Worker(Subcommand):
    """`frontdesk worker`; with procrastinate installed it runs that engine's workers too."""

    name = "worker"
    help = "Runs bot turns, webhooks and sweeps in a process of its own."

    def run(self, options: Mapping[str, Any], write: Write) -> int:
        become("worker")
        asyncio.run(work(write))
        return 0


async def work(write: Write) -> None:
    """Claim and run what comes due until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # The hub brings the bus with it: what a turn says here is read in the server processes.
    hub = get_hub()
    runner = ensure_runner()
    if runner is not None:
        hub.watchers.add(Waker(runner))
    engine = asyncio.create_task(run_engine()) if uses_procrastinate() else None
    write("Working.")
    await stopping.wait()
    if engine is not None:
        engine.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await engine
    if runner is not None:
        await runner.stop(STOP_SECONDS)
    await close_connections()


class Waker:
    """Looks for due work whenever something was committed anywhere: a visitor should not wait
    for the next sweep because the server and the worker are two processes."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def on_change(self, change: Change) -> None:
        """Turns and webhooks come with changes."""
        self._runner.wake()

    def on_control(self, control: Control) -> None:
        """Rights of sockets bring no work."""


def uses_procrastinate() -> bool:
    """Whether the site installed that engine."""
    return apps.is_installed("procrastinate.contrib.django")


async def run_engine() -> None:
    """Procrastinate's workers on this loop, for ever: a lost database ends only one attempt.

    Cancelling lets running jobs finish.
    """
    # An extra: imported only where the site installed it.
    from procrastinate.contrib.django import app  # noqa: PLC0415
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415

    outage = Outage(logger, "the database for procrastinate")
    while True:
        connector: Any = app.connector
        try:
            connected = app.with_connector(connector.get_worker_connector())
            async with connected.open_async():
                outage.back()
                await connected.run_worker_async(
                    install_signal_handlers=False, shutdown_graceful_timeout=STOP_SECONDS
                )
        except ConnectorException as error:
            outage.away(error)
        except Exception:
            logger.exception("procrastinate stopped; starting it again")
        await asyncio.sleep(RESTART_SECONDS)
