"""Turns as jobs of procrastinate on PostgreSQL, enqueued in the message's own transaction."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import transaction

from bots.actions import leases
from bots.dispatchers.base import Dispatcher
from bots.models import Turn
from inbox.database import in_work_thread
from inbox.outages import WITHOUT_DATABASE, Outage
from inbox.process import role

logger = logging.getLogger("frontdesk.turns")
_outage = Outage(logger, "the database for jobs of procrastinate")

TASK = "frontdesk_bots.run_turn"
QUEUE = "frontdesk_turns"


class ProcrastinateDispatcher(Dispatcher):
    """Jobs name a turn; the turn's row decides, so a lost or doubled job is harmless."""

    grace = dt.timedelta(seconds=5)

    def claims_here(self) -> bool:
        """Workers sweep for what jobs left behind: orphans, and turns whose job was lost."""
        return role() == "worker"

    def enqueue(self, turns: Sequence[Turn]) -> None:
        """One job for each turn. The message matters more: without a job the sweep finds it."""
        if not turns:
            return
        try:
            with transaction.atomic():
                _engine().configure_task(TASK, queue=QUEUE).batch_defer(
                    *[{"turn_id": turn.pk} for turn in turns]
                )
        except Exception as error:
            # The engine wraps the database's errors in its own; the savepoint undoes them.
            logger.error("procrastinate took no job: %s", type(error).__name__)

    def wake(self) -> None:
        """The engine tells its workers itself."""


async def run_turn(turn_id: int) -> None:
    """The job: claim this turn and run it, then what has come behind it meanwhile."""
    try:
        await _run_turn(turn_id)
    except WITHOUT_DATABASE as error:
        # The row is found by the sweep; the engine would tell of it with a traceback.
        _outage.away(error)
    else:
        _outage.back()


async def _run_turn(turn_id: int) -> None:
    # Imported here: a turn at work needs most of the app, its dispatchers included.
    from bots.running.run import Run  # noqa: PLC0415

    since = time.monotonic()
    claimed = await in_work_thread(leases.claim, 1, turn_id=turn_id)
    while claimed:
        [turn] = claimed
        await Run(turn, since).run()
        since, claimed = time.monotonic(), []
        if turn.is_followed:
            conversation_id = turn.conversation_id
            claimed = await in_work_thread(leases.claim, 1, conversation_id=conversation_id)


def register() -> None:
    """Make the job known to the engine; called when the apps are ready."""
    if apps.is_installed("procrastinate.contrib.django"):
        _engine().task(name=TASK, queue=QUEUE)(run_turn)


def _engine() -> Any:
    # An extra: imported only where the site installed it.
    from procrastinate.contrib.django import app  # noqa: PLC0415

    return app
