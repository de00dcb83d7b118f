"""How much a visitor, an address or a socket may do: exact sliding windows in memory.

Each process counts for itself; with several behind a balancer a client may get that many times
more, which still bounds a flood. Subjects are forgotten when their window has passed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from chatwidget.conf import chatwidget_settings


# Compared by identity: a message looks several rules up, and fields would be hashed each time.
@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """At most ``limit`` hits in any ``seconds``; subjects of two rules are counted apart."""

    name: str
    limit: int
    seconds: float


MESSAGES = Rule("messages per visitor", 30, 10)
RESENDS = Rule("resends per visitor", 300, 10)
ADDRESS_MESSAGES = Rule("messages per address", 300, 10)
GUESTS = Rule("new guests per address", 60, 60)
SESSIONS = Rule("sessions per visitor", 120, 60)
FRAMES = Rule("HTTP requests per visitor", 100, 10)
QUESTIONS = Rule("questions per address", 30, 10)

PRUNE_SECONDS = 60.0


class Limiter:
    """Sliding windows over hits; a refused hit is not counted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hits: dict[tuple[Rule, str], deque[float]] = {}
        self._next_prune = clock() + PRUNE_SECONDS

    def __len__(self) -> int:
        return len(self._hits)

    def hit(self, *checks: tuple[Rule, str]) -> float | None:
        """Count one hit under every rule, or none: None, or seconds until all would let it pass."""
        factor = chatwidget_settings.RATE_FACTOR
        with self._lock:
            now = self._clock()
            self._prune(now)
            wait = max(self._wait(check, now, factor) for check in checks)
            if wait:
                return wait
            for check in checks:
                hits = self._hits.get(check)
                if hits is None:
                    hits = self._hits[check] = deque()
                hits.append(now)
            return None

    def refund(self, *checks: tuple[Rule, str]) -> None:
        """Take the latest hit back, as for a resend that turned out to be stored already."""
        with self._lock:
            for key in checks:
                if self._hits.get(key):
                    self._hits[key].pop()

    def _wait(self, check: tuple[Rule, str], now: float, factor: float) -> float:
        rule, hits = check[0], self._hits.get(check)
        if hits is None:
            return 0.0
        while hits and hits[0] <= now - rule.seconds:
            hits.popleft()
        limit = max(1, int(rule.limit * factor))
        return hits[-limit] + rule.seconds - now if len(hits) >= limit else 0.0

    def _prune(self, now: float) -> None:
        if now < self._next_prune:
            return
        self._next_prune = now + PRUNE_SECONDS
        for key in [key for key, hits in self._hits.items() if self._is_over(key[0], hits, now)]:
            del self._hits[key]

    @staticmethod
    def _is_over(rule: Rule, hits: deque[float], now: float) -> bool:
        return not hits or hits[-1] <= now - rule.seconds


limiter = Limiter()
"""The one of this process."""
