"""Retry or give up, go on or refuse: the decisions alone."""

from __future__ import annotations

import pytest

from bots.errors import BackendError
from bots.models import Bot, ToolCall, ToolCallStatus
from bots.running.decisions import (
    Retry,
    Spent,
    after_error,
    hands_off_after,
    limit_reached,
    refusal,
)


def failing(**fields) -> BackendError:
    return BackendError("backend_unavailable", **{"retryable": True, **fields})


@pytest.mark.parametrize(
    ("error", "attempt", "elapsed", "expected"),
    [
        (failing(), 1, 0, Retry(0.5)),
        (failing(), 2, 0, Retry(1.0)),
        (failing(), 3, 0, None),
        (failing(retryable=False), 1, 0, None),
        (failing(retry_after=7), 1, 0, Retry(7)),
        (failing(retry_after=0), 1, 0, Retry(0.5)),
        (failing(retry_after=1e9), 1, 0, None),
        (failing(retry_after=7), 1, 14, None),
        (failing(), 1, 19.9, None),
        (failing(shorten=True), 1, 0, Retry(0.0, shorten=True)),
        (failing(shorten=True), 3, 0, None),
    ],
)
def test_a_failed_attempt_is_followed_by_another_or_not(error, attempt, elapsed, expected):
    decided = after_error(
        error, attempt=attempt, attempts=3, elapsed=elapsed, window=20, jitter=0.5
    )
    assert decided == expected


def test_retries_do_not_come_all_at_once():
    delays = {after_error(failing(), attempt=1, attempts=3, elapsed=0, window=20) for _ in range(9)}
    assert len(delays) > 1
    assert all(retry is not None and 0.25 <= retry.delay <= 0.75 for retry in delays)


@pytest.mark.parametrize(
    ("attempt", "status", "side_effect", "code"),
    [
        (1, None, False, ""),
        (5, None, False, ""),
        (6, None, False, "worker_lost"),
        (2, ToolCallStatus.RUNNING, True, "tool_interrupted"),
        (2, ToolCallStatus.RUNNING, False, ""),
        (2, ToolCallStatus.DONE, True, ""),
        (2, ToolCallStatus.REQUESTED, True, ""),
    ],
)
def test_a_claimed_turn_may_be_refused(attempt, status, side_effect, code):
    calls = [ToolCall(status=status, side_effect=side_effect)] if status else []
    assert refusal(attempt, calls) == code


@pytest.mark.parametrize(
    ("failures", "limit", "expected"),
    [(1, 1, True), (1, 2, False), (2, 2, True), (3, 2, True), (9, 0, False)],
)
def test_a_person_is_asked_after_so_many_failures(failures, limit, expected):
    assert hands_off_after(failures, limit) is expected


@pytest.mark.parametrize(
    ("bot", "spent", "factor", "code"),
    [
        ({}, Spent(turns_of_visitor=199, turns=10**6, tokens=10**9), 1, ""),
        ({}, Spent(turns_of_visitor=200), 1, "limit_visitor"),
        ({}, Spent(turns_of_visitor=200), 2, ""),
        ({"turns_per_visitor_day": 0}, Spent(turns_of_visitor=10**6), 1, ""),
        ({"turns_per_day": 5}, Spent(turns=5), 1, "limit_turns"),
        ({"tokens_per_day": 5}, Spent(tokens=5), 1, "limit_tokens"),
    ],
)
def test_a_budget_ends_where_it_is_used_up(bot, spent, factor, code):
    assert limit_reached(Bot(**bot), spent, factor=factor) == code
