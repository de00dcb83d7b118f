"""Running a coroutine at once, as far as it goes without waiting.

A task costs more than writing a small frame to a socket with room, and nearly every frame finds
room. (From Python 3.12 on asyncio has tasks that begin so; we also run on 3.11.)
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


def run_eagerly(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a coroutine up to its first wait, on the running event loop.

    Returns:
        None when it ended without waiting, else what is left of it, to be awaited in a task.
    """
    try:
        waits_for = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waits_for)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    try:
        yield waits_for
    except BaseException:
        coroutine.close()
        raise
    yield from coroutine.__await__()
