"""Sliding-window limits in this process's memory; exact ``retry_after``, no thread, no timer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable

from inbox.conf import inbox_settings
from inbox.errors import rate_limited

SWEEP_EVERY = 5000
"""Hits after which keys that fell silent are forgotten."""


class Window:
    """At most ``limit`` hits in any ``seconds``, for one key.

    ``scaled=False`` leaves ``INBOX_RATE_FACTOR`` out: strikes are no rate limit.
    """

    __slots__ = ("_hits", "limit", "scaled", "seconds")

    def __init__(self, limit: int, seconds: float, *, scaled: bool = True) -> None:
        self.limit = limit
        self.seconds = seconds
        self.scaled = scaled
        # An empty deque takes 760 bytes, and most sockets never need any of their windows.
        self._hits: deque[float] | None = None

    def wait(self, now: float | None = None) -> float:
        """Take a hit and return 0, or return the seconds until one would be free."""
        now = time.monotonic() if now is None else now
        if self._hits is None:
            self._hits = deque()
        hits = self._hits
        while hits and hits[0] <= now - self.seconds:
            hits.popleft()
        if len(hits) >= self.limit * (inbox_settings.RATE_FACTOR if self.scaled else 1):
            return hits[0] + self.seconds - now
        hits.append(now)
        return 0.0

    @property
    def last_hit(self) -> float:
        """Monotonic time of the newest hit; 0 without any."""
        return self._hits[-1] if self._hits else 0.0


class KeyedLimit:
    """The same limit for many keys: visitors, addresses."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._windows: dict[Hashable, Window] = {}
        self._hits = 0

    def hit(self, key: Hashable) -> None:
        """Count one; raises ``rate_limited`` with ``retry_after`` when it is too much."""
        self._sweep()
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(self.limit, self.seconds)
        wait = window.wait()
        if wait > 0:
            raise rate_limited(wait)

    def _sweep(self) -> None:
        self._hits += 1
        if self._hits < SWEEP_EVERY:
            return
        self._hits = 0
        oldest = time.monotonic() - self.seconds
        self._windows = {k: w for k, w in self._windows.items() if w.last_hit > oldest}
