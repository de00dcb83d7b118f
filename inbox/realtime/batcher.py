"""Natural batching: the next batch is what arrived while the last one was at work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from inbox.database import in_fresh_connection
from inbox.errors import InboxError, TryAgainError
from inbox.outages import Outage, is_away

Item = TypeVar("Item")
Result = TypeVar("Result")

logger = logging.getLogger("frontdesk.batcher")

LONGEST_PAUSE_SECONDS = 0.01
"""Between two batches, however long the first one took."""


class Batcher(Generic[Item, Result]):
    """Collects items of one event loop and hands them to a function in one thread.

    An idle batcher runs an item at once, a busy one fills its next batch.

    Args:
        name: for the thread's name and the log.
        function: called in the thread with 1..limit items; returns one result or exception
            for each, in order.
        limit: most items of one batch.
        gather: part of a batch's own time that passes before the next one, if it had company.
            Whoever was just answered and answers in turn then joins those who wait.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[list[Item]], Sequence[Result | Exception]],
        limit: int = 500,
        gather: float = 0.0,
    ) -> None:
        self.name = name
        self.limit = limit
        self._gather = gather
        self._function = in_fresh_connection(function)
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running = False
        self._started = 0.0
        self._outage = Outage(logger, f"the database for {name}")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"frontdesk-{name}")

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Queue an item; the future ends with its result or raises its exception."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if not self._running:
            self._start_next()
        return future

    @property
    def idle(self) -> bool:
        """Whether nothing is at work or waiting."""
        return not self._running and not self._waiting

    def _start_next(self) -> None:
        batch, self._waiting = self._waiting[: self.limit], self._waiting[self.limit :]
        self._running = bool(batch)
        if not batch:
            return
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        items = [item for item, _ in batch]
        done = loop.run_in_executor(self._thread, self._function, items)
        done.add_done_callback(lambda result: self._finish(batch, result))

    def _finish(
        self,
        batch: list[tuple[Item, asyncio.Future[Result]]],
        done: asyncio.Future[Sequence[Result | Exception]],
    ) -> None:
        results = self._results(done, len(batch))
        for (_, future), result in zip(batch, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._go_on(len(batch))

    def _go_on(self, size: int) -> None:
        loop = asyncio.get_running_loop()
        pause = min(self._gather * (loop.time() - self._started), LONGEST_PAUSE_SECONDS)
        if size > 1 and pause > 0 and len(self._waiting) < self.limit:
            loop.call_later(pause, self._start_next)
        else:
            self._start_next()

    def _results(
        self, done: asyncio.Future[Sequence[Result | Exception]], count: int
    ) -> Sequence[Result | Exception]:
        if done.cancelled():
            return [TryAgainError()] * count
        error = done.exception()
        if error is None:
            self._outage.back()
            return done.result()
        if is_away(error):
            self._outage.away(error)
        elif not isinstance(error, InboxError):
            logger.error("batch of %s %s failed", count, self.name, exc_info=error)
        known = error if isinstance(error, InboxError) else TryAgainError()
        return [known] * count
