"""Sliding windows."""

from __future__ import annotations

import pytest

from chatwidget.limits import PRUNE_SECONDS, Limiter, Rule

TWO = Rule("two in ten seconds", 2, 10)
THREE = Rule("three in a minute", 3, 60)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock, settings):
    settings.CHATWIDGET_RATE_FACTOR = 1
    return Limiter(clock)


def test_the_wait_is_exact(limiter, clock):
    assert limiter.hit((TWO, "vera")) is None
    clock.now += 4
    assert limiter.hit((TWO, "vera")) is None
    clock.now += 1
    assert limiter.hit((TWO, "vera")) == pytest.approx(5)
    clock.now += 4.9
    assert limiter.hit((TWO, "vera")) == pytest.approx(0.1)
    clock.now += 0.1
    assert limiter.hit((TWO, "vera")) is None


def test_a_refused_hit_does_not_count(limiter, clock):
    for _ in range(2):
        limiter.hit((TWO, "vera"))
    for _ in range(50):
        assert limiter.hit((TWO, "vera")) == pytest.approx(10)
    clock.now += 10
    assert limiter.hit((TWO, "vera")) is None


def test_everybody_has_a_window_of_their_own(limiter):
    for _ in range(2):
        limiter.hit((TWO, "vera"))
    assert limiter.hit((TWO, "victor")) is None
    assert limiter.hit((THREE, "vera")) is None


def test_several_rules_count_together_or_not_at_all(limiter, clock):
    for _ in range(2):
        assert limiter.hit((TWO, "vera"), (THREE, "home")) is None
    assert limiter.hit((TWO, "vera"), (THREE, "home")) == pytest.approx(10)
    # The refused one left the third place at home free.
    assert limiter.hit((TWO, "victor"), (THREE, "home")) is None
    assert limiter.hit((TWO, "victor"), (THREE, "home")) == pytest.approx(60)


def test_a_refund_gives_the_place_back(limiter):
    for _ in range(20):
        assert limiter.hit((TWO, "vera")) is None
        limiter.refund((TWO, "vera"))
    limiter.refund((TWO, "nobody"))


def test_the_factor_scales_every_rule(limiter, settings):
    settings.CHATWIDGET_RATE_FACTOR = 2.5
    assert [limiter.hit((TWO, "vera")) for _ in range(5)] == [None] * 5
    assert limiter.hit((TWO, "vera")) is not None
    settings.CHATWIDGET_RATE_FACTOR = 0.001
    assert limiter.hit((TWO, "victor")) is None
    assert limiter.hit((TWO, "victor")) is not None


def test_those_who_fell_silent_are_forgotten(limiter, clock):
    for number in range(100):
        limiter.hit((TWO, f"guest {number}"))
    clock.now += PRUNE_SECONDS + 1
    limiter.hit((THREE, "vera"))
    assert len(limiter) == 1
