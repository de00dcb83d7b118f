"""Whether a bot can be asked, and what the core's port does."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from bots.models import Bot, Turn, TurnStatus
from bots.responder import BotResponder
from inbox.models import Conversation
from inbox.ports import responders
from inbox.testing import make_visitor
from tests.support.turns import say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def responder(robbie):
    return BotResponder()


def test_the_app_declares_its_responder():
    assert [type(found) for found in responders()] == [BotResponder]


def test_a_bot_that_is_switched_on_can_be_asked(responder):
    assert responder.is_available("default")


def test_an_unknown_bot_cannot_be_asked(responder):
    assert not responder.is_available("nonsense")


def test_a_bot_that_is_switched_off_cannot_be_asked(responder, robbie):
    robbie.enabled = False
    robbie.save()
    assert not responder.is_available("default")


@pytest.mark.parametrize("backend", ["nonsense", "responses"])
def test_a_bot_whose_backend_is_not_set_up_cannot_be_asked(responder, robbie, settings, backend):
    settings.BOTS_MODEL = settings.BOTS_API_KEY = settings.BOTS_BASE_URL = ""
    robbie.backend = backend
    robbie.save()
    assert not responder.is_available("default")


def test_without_a_bot_the_visitor_waits_for_a_person(robbie):
    robbie.enabled = False
    robbie.save()
    say(make_visitor())
    assert Conversation.objects.get().handled_by == "queue"
    assert not Turn.objects.exists()


def fail(robbie: Bot, count: int, *, code: str = "backend_timeout", age: int = 0, **fields) -> None:
    for _ in range(count):
        say(make_visitor())
    Turn.objects.filter(status=TurnStatus.QUEUED).update(
        status=TurnStatus.FAILED,
        error_code=code,
        finished_at=timezone.now() - dt.timedelta(seconds=age),
        **fields,
    )


def test_a_bot_that_only_fails_is_left_in_peace_for_a_minute(responder, robbie, settings):
    settings.BOTS_CIRCUIT_FAILURES = 3
    fail(robbie, 2)
    assert responder.is_available("default")
    fail(robbie, 1)
    assert not responder.is_available("default")
    Turn.objects.update(finished_at=timezone.now() - dt.timedelta(seconds=61))
    assert responder.is_available("default")


def test_one_answer_in_between_keeps_a_bot_in_use(responder, robbie, settings):
    settings.BOTS_CIRCUIT_FAILURES = 3
    fail(robbie, 2, age=1)
    say(make_visitor())
    Turn.objects.filter(status=TurnStatus.QUEUED).update(
        status=TurnStatus.DONE, finished_at=timezone.now()
    )
    fail(robbie, 2)
    assert responder.is_available("default")


def test_failures_that_are_not_the_backends_do_not_count(responder, robbie, settings):
    settings.BOTS_CIRCUIT_FAILURES = 3
    fail(robbie, 5, code="answer_refused")
    assert responder.is_available("default")


def test_the_circuit_can_be_switched_off(responder, robbie, settings):
    settings.BOTS_CIRCUIT_FAILURES = 0
    fail(robbie, 5)
    assert responder.is_available("default")
