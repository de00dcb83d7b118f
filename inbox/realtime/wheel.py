"""One timer for what many streams have to send soon.

Streams that flush in the same turn share a wake-up of the loop, and an operator who watches them
all gets their frames in one write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

logger = logging.getLogger("frontdesk.wheel")

TURN_SECONDS = 0.005
"""Something is called up to this much earlier than it asked, never later because of the wheel."""


class Wheel:
    """Calls of one event loop, gathered into turns."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[int, list[Callable[[], None]]] = {}

    def call_within(self, seconds: float, function: Callable[[], None]) -> None:
        """Call ``function`` at most ``seconds`` from now; it cannot be called off."""
        turn = int((self._loop.time() + seconds) / TURN_SECONDS)
        calls = self._due.get(turn)
        if calls is None:
            calls = self._due[turn] = []
            self._loop.call_at(turn * TURN_SECONDS, self._run, turn)
        calls.append(function)

    def _run(self, turn: int) -> None:
        for function in self._due.pop(turn):
            try:
                function()
            except Exception:
                logger.exception("a stream could not be flushed")
