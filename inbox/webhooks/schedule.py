"""When a webhook is tried again. Pure decisions over plain values."""

from __future__ import annotations

import datetime as dt
import email.utils
from dataclasses import dataclass

HOUR = 3600
DELAYS_SECONDS = (0, 5, 5 * 60, HOUR // 2, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR)
LAST_DELAY_SECONDS = 24 * HOUR
"""Together 75.6 h, the schedule that Standard Webhooks recommends."""

MAX_ATTEMPTS = len(DELAYS_SECONDS) + 1
JITTER = 0.2
"""Largest share by which a delay is lengthened, so that receivers are not hit in step."""

DISABLE_AFTER = dt.timedelta(days=5)
"""An endpoint that did nothing but fail for this long is switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt came to."""

    status: int | None = None
    """HTTP status; None when there was no response."""
    error: str = ""
    """Short text for the log and the admin."""
    retry_after: float | None = None
    """Seconds that the receiver asked for."""

    @property
    def delivered(self) -> bool:
        """Only 2xx counts; a redirect is a failure and is not followed."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver wants nothing more."""
        return self.status == 410


def next_delay(attempt: int, outcome: Outcome, *, jitter: float) -> float | None:
    """Seconds until the next attempt, None when there is none.

    Args:
        attempt: how many were made, this one included.
        jitter: a random number in [0, 1).
    """
    if outcome.gone or attempt >= MAX_ATTEMPTS:
        return None
    planned = DELAYS_SECONDS[attempt] if attempt < len(DELAYS_SECONDS) else LAST_DELAY_SECONDS
    wished = min(outcome.retry_after or 0, LAST_DELAY_SECONDS)
    return max(planned, wished) * (1 + JITTER * jitter)


def parse_retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds from a ``Retry-After`` header, a number or a date; None for anything else."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
