"""What happens next with a turn: pure decisions over plain values."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from bots.errors import BackendError
from bots.models import Bot, ToolCall, ToolCallStatus

FIRST_DELAY_SECONDS = 0.5
CRASHES = 5
"""Claims of one turn after which it counts as what kills its workers."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after ``delay`` seconds, with a shorter question if that was the trouble."""

    delay: float
    shorten: bool = False


def after_error(
    error: BackendError,
    *,
    attempt: int,
    attempts: int,
    elapsed: float,
    window: float,
    jitter: float | None = None,
) -> Retry | None:
    """Whether a failed attempt is followed by another; None to give up.

    Args:
        attempt: number of the attempt that failed, from 1.
        attempts: how many there may be.
        elapsed: seconds since the first attempt began.
        window: seconds after which nobody waits for another one.
        jitter: 0 to 1 instead of a random number.
    """
    if not error.retryable or attempt >= attempts:
        return None
    if error.shorten:
        return Retry(0.0, shorten=True)
    spread = random.random() if jitter is None else jitter  # noqa: S311 -- no secret
    delay = FIRST_DELAY_SECONDS * 2 ** (attempt - 1) * (0.5 + spread)
    if error.retry_after is not None:
        delay = max(error.retry_after, delay)
    return None if elapsed + delay > window else Retry(delay)


def refusal(attempt: int, calls: Iterable[ToolCall]) -> str:
    """Code why a claimed turn must not go on, or empty.

    Args:
        attempt: number of this attempt, from 1.
        calls: what earlier attempts asked of tools.
    """
    if attempt > CRASHES:
        return "worker_lost"
    if any(call.side_effect and call.status == ToolCallStatus.RUNNING for call in calls):
        # It began and nobody knows whether it did its work: once more could do it twice.
        return "tool_interrupted"
    return ""


def hands_off_after(failures_in_a_row: int, limit: int) -> bool:
    """Whether a person is asked after this many failed answers, the present one included."""
    return 0 < limit <= failures_in_a_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was used within the last 24 hours, the present turn not included."""

    turns_of_visitor: int = 0
    turns: int = 0
    tokens: int = 0


def limit_reached(bot: Bot, spent: Spent, *, factor: float = 1.0) -> str:
    """Code of the budget that is used up, or empty; ``factor`` scales every limit."""
    budgets = (
        ("limit_visitor", bot.turns_per_visitor_day, spent.turns_of_visitor),
        ("limit_turns", bot.turns_per_day, spent.turns),
        ("limit_tokens", bot.tokens_per_day, spent.tokens),
    )
    for code, limit, used in budgets:
        if limit and used >= limit * factor:
            return code
    return ""
