"""Who runs turns, and that a lost or doubled hint does no harm."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured

from bots.dispatchers import dispatcher, engine
from bots.models import Turn
from bots.work import TurnSource
from inbox import process, runner
from inbox.models import Message
from inbox.ports import work_sources
from inbox.testing import make_visitor
from tests.support.turns import SteppedBackend, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def role(monkeypatch):
    def become(name: str) -> None:
        monkeypatch.setattr(process, "_role", name)

    return become


def broken():
    raise LookupError


@pytest.mark.parametrize(
    ("name", "server", "worker"),
    [("embedded", True, True), ("worker", False, True), ("procrastinate", False, True)],
)
def test_each_dispatcher_knows_which_processes_claim(settings, role, name, server, worker):
    settings.BOTS_DISPATCHER = name
    role("server")
    assert TurnSource().enabled() is server
    role("worker")
    assert TurnSource().enabled() is worker


def test_an_unknown_dispatcher_is_named(settings):
    settings.BOTS_DISPATCHER = "celery"
    with pytest.raises(ImproperlyConfigured, match="embedded, worker, procrastinate"):
        dispatcher()


def test_the_app_declares_its_work():
    (source,) = [source for source in work_sources() if source.name == "turns"]
    assert source.concurrency == 100


@pytest.mark.usefixtures("robbie")
@pytest.mark.parametrize(
    ("name", "woken"), [("embedded", ["turns"]), ("worker", ["turns"]), ("procrastinate", [])]
)
def test_a_committed_message_wakes_the_runner_where_one_may_claim(
    settings, monkeypatch, name, woken
):
    heard: list[str] = []
    for module in ("embedded", "worker"):
        monkeypatch.setattr(f"bots.dispatchers.{module}.wake", heard.append)
    monkeypatch.setattr(engine, "_engine", broken)
    settings.BOTS_DISPATCHER = name
    say(make_visitor())
    assert heard == woken


@pytest.mark.usefixtures("robbie")
async def test_the_embedded_runner_answers_by_itself(hub, settings):
    settings.INBOX_RUNNER = True
    found = runner.ensure_runner()
    assert found is not None
    try:
        await sync_to_async(say)(await sync_to_async(make_visitor)())
        while not await Message.objects.filter(role="assistant").aexists():
            pass
    finally:
        await found.stop()


class Engine:
    """Procrastinate's app as far as the dispatcher uses it."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, int]] = []

    def configure_task(self, name: str, queue: str):
        assert (name, queue) == (engine.TASK, engine.QUEUE)
        return self

    def batch_defer(self, *jobs: dict[str, int]) -> None:
        self.jobs += jobs


@pytest.mark.usefixtures("robbie")
def test_jobs_are_enqueued_with_the_message(settings, monkeypatch):
    settings.BOTS_DISPATCHER = "procrastinate"
    found = Engine()
    monkeypatch.setattr(engine, "_engine", lambda: found)
    say(make_visitor())
    assert found.jobs == [{"turn_id": Turn.objects.get().pk}]


@pytest.mark.usefixtures("robbie")
def test_a_message_is_stored_even_when_the_engine_takes_no_job(settings, monkeypatch):
    settings.BOTS_DISPATCHER = "procrastinate"
    monkeypatch.setattr(engine, "_engine", broken)
    say(make_visitor())
    assert Message.objects.filter(role="user").count() == 1
    assert Turn.objects.get().status == "queued"
    assert TurnSource().claim(5) == []
    Turn.objects.update(next_at="2020-01-01T00:00Z")
    assert len(TurnSource().claim(5)) == 1


@pytest.mark.usefixtures("robbie")
async def test_a_doubled_job_answers_once_and_takes_along_what_came_behind(hub):
    vera = await sync_to_async(make_visitor)()
    await sync_to_async(say)(vera, "one")
    turn = await Turn.objects.aget()

    async def say_more():
        await engine.run_turn(turn.pk)
        await sync_to_async(say)(vera, "two")

    SteppedBackend.play([say_more, *SteppedBackend.script[0]], SteppedBackend.script[0])
    await engine.run_turn(turn.pk)
    await engine.run_turn(turn.pk)
    assert [ask.question for ask in SteppedBackend.asked] == ["one", "two"]
    assert await Message.objects.filter(role="assistant").acount() == 2


async def test_a_job_for_a_turn_that_is_gone_does_nothing(db):
    await engine.run_turn(12345)


def test_without_the_engine_no_job_is_registered(monkeypatch):
    monkeypatch.setattr(engine, "_engine", broken)
    engine.register()
