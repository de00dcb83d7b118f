"""Threads for synchronous tools: bounded, and never in the way of a stopping process."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections

from bots.conf import bots_settings
from bots.errors import ToolError

Result = TypeVar("Result")

_running = 0
_lock = threading.Lock()


async def in_thread(call: Callable[[], Result]) -> Result:
    """Run in a thread of its own; cancelling stops the waiting, not the thread.

    A daemon thread rather than a pool's: Python waits for a pool at exit, and a tool that hangs
    would hang the graceful stop of the server with it.

    Raises:
        ToolError: BOTS_TOOL_THREADS are at work already, most likely hanging.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    _enter()
    thread = threading.Thread(
        target=contextvars.copy_context().run,
        args=(_work, call, loop, future),
        name="frontdesk-tool",
        daemon=True,
    )
    try:
        thread.start()
    except RuntimeError:
        _leave()
        raise
    return await future


def _work(
    call: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]
) -> None:
    settle, outcome = future.set_result, None
    try:
        outcome = call()
    except BaseException as exc:  # Whatever it is belongs to the one who waits.
        settle, outcome = future.set_exception, exc
    finally:
        # The thread ends here, and nobody else would close what it opened.
        connections.close_all()
        _leave()
    with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        loop.call_soon_threadsafe(_settle, future, settle, outcome)


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    if not future.done():
        settle(outcome)


def _enter() -> None:
    global _running
    with _lock:
        if _running >= bots_settings.TOOL_THREADS:
            raise ToolError("Too many tools are at work; try again later.")
        _running += 1


def _leave() -> None:
    global _running
    with _lock:
        _running -= 1
