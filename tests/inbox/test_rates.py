"""Limits: how many fit in a window, and when the next one does."""

from __future__ import annotations

import pytest

from inbox.errors import InboxError
from inbox.realtime import rates
from inbox.realtime.rates import KeyedLimit, Window


def test_a_full_window_says_how_long_to_wait():
    window = Window(2, 10)
    assert window.wait(now=100) == 0
    assert window.wait(now=103) == 0
    assert window.wait(now=104) == pytest.approx(6)
    assert window.wait(now=110.1) == 0


def test_the_factor_raises_every_limit(settings):
    settings.INBOX_RATE_FACTOR = 2
    window = Window(1, 10)
    assert [window.wait(now=1), window.wait(now=1)] == [0, 0]
    assert window.wait(now=1) > 0


def test_one_key_does_not_use_up_another_keys_limit():
    limit = KeyedLimit(1, 60)
    limit.hit("vera")
    limit.hit("tom")
    with pytest.raises(InboxError) as refused:
        limit.hit("vera")
    assert refused.value.code == "rate_limited"
    assert refused.value.retryable
    assert 59 <= refused.value.retry_after <= 60


def test_keys_that_fell_silent_are_forgotten(monkeypatch):
    monkeypatch.setattr(rates, "SWEEP_EVERY", 3)
    limit = KeyedLimit(5, 0.0)
    for key in range(6):
        limit.hit(key)
    assert len(limit._windows) <= 3
