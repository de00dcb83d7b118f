"""ORM work from async code, and what to do when the database is busy or away."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, connection

from inbox.errors import TryAgainError
from inbox.outages import DATABASE_ERRORS, Outage, is_away

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("frontdesk.database")
_outage = Outage(logger, "the database for whole transactions")

THREADS = 4
"""Database threads for single queries of async code; batches have threads of their own."""

WORK_THREADS = 2
"""Database threads for work that comes behind a message. Every thread that computes takes its share
of the interpreter from the one that stores messages, so these are few."""

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="frontdesk-db")
_work_pool = ThreadPoolExecutor(WORK_THREADS, thread_name_prefix="frontdesk-work")


def heal_connection() -> None:
    """Drop this thread's connection if the server went away under it.

    Threads of ours live as long as the process and never see Django's ``request_finished``;
    without this every query after a database restart would fail for ever.
    """
    if connection.in_atomic_block:
        return
    if connection.connection is not None and connection.errors_occurred:
        if connection.is_usable():
            connection.errors_occurred = False
        else:
            connection.close()


def in_fresh_connection(function: Callable[P, R]) -> Callable[P, R]:
    """Run ``function`` on a connection that is known to be whole before and after."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        heal_connection()
        try:
            return function(*args, **kwargs)
        finally:
            heal_connection()

    return wrapper


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call synchronous ORM code from the event loop; errors come back as they are."""
    return await _in_pool(_pool, function, *args, **kwargs)


async def in_work_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for what a runner does, such as bots' turns: people who write, read or arrive
    never wait for a thread behind it."""
    return await _in_pool(_work_pool, function, *args, **kwargs)


async def _in_pool(
    pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    context = contextvars.copy_context()
    call = functools.partial(context.run, in_fresh_connection(function), *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(pool, call)


def retrying(function: Callable[P, R], *, budget_seconds: float = 10.0) -> Callable[P, R]:
    """Repeat a whole transaction that lost against a lock, a deadlock or a restart.

    ``function`` must own its transaction and be safe to repeat: posting is, because a commit
    whose outcome is unknown is found again by ``dedupe_key``.

    Raises:
        TryAgainError: when the budget is used up; nothing of this call is known to be stored.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        deadline = time.monotonic() + budget_seconds
        delay = 0.02
        while True:
            try:
                result = function(*args, **kwargs)
            except IntegrityError:
                # Two processes raced for one unique key; the next look finds the winner's row.
                if time.monotonic() > deadline:
                    raise TryAgainError from None
            except (*DATABASE_ERRORS, DatabaseError) as error:
                if is_away(error):
                    _outage.away(error)
                else:
                    kind = type(error).__name__
                    logger.warning("database trouble, trying again: %s", kind)
                connection.errors_occurred = True
                heal_connection()
                if time.monotonic() + delay > deadline:
                    raise TryAgainError from error
            else:
                _outage.back()
                return result
            time.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 -- jitter, no secret
            delay = min(delay * 2, 1.0)

    return wrapper
