"""One line when something that everybody needs goes away, and one when it is back.

A loop asks again and again while it is away, and every asking fails. Its first failure is told
with its kind, the rest are counted.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import InterfaceError, OperationalError

from inbox.errors import TryAgainError

DATABASE_ERRORS = (OperationalError, InterfaceError)
WITHOUT_DATABASE = (*DATABASE_ERRORS, TryAgainError)
"""What work behind a message ends with then: a transaction that was tried again in vain is one."""

_REFUSED_BY_A_SERVER_THAT_LIVES = ("40", "55", "57014")
"""Beginnings of SQLSTATE: a deadlock, a row that somebody holds, a statement that took too long."""


class Outage:
    """What one loop knows of one such thing; from any thread.

    Args:
        logger: where the loop tells.
        what: subject of the lines, such as "the channel layer".
    """

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._since: float | None = None
        self._failures = 0
        self._lock = threading.Lock()

    def away(self, error: BaseException) -> None:
        """It failed; told once until it is back."""
        with self._lock:
            self._failures += 1
            if self._since is not None:
                return
            self._since = time.monotonic()
        self._logger.warning("%s: away (%s)", self._what, type(error).__name__)

    def back(self) -> None:
        """It works; told if it was away."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
            failures, self._failures = self._failures, 0
        if since is not None:
            seconds = time.monotonic() - since
            text = "%s: back after %.1f s and %s failures"
            self._logger.warning(text, self._what, seconds, failures)


def tell(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log that something failed: in one line if the database was away, else with a traceback."""
    if is_away(error):
        logger.warning("%s: the database was away (%s)", what, type(error).__name__)
    else:
        logger.error(what, exc_info=error)


def is_away(error: BaseException) -> bool:
    """Whether the database itself could not be asked, rather than having refused one statement."""
    if not isinstance(error, DATABASE_ERRORS):
        return False
    state = getattr(error.__cause__, "sqlstate", None) or ""
    is_locked = "locked" in str(error)  # SQLite has no codes
    return not (state.startswith(_REFUSED_BY_A_SERVER_THAT_LIVES) or is_locked)
