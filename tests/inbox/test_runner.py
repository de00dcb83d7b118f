"""The runner: claims what is due, survives its faults, stops without losing work."""

from __future__ import annotations

import asyncio
import itertools
import threading

import pytest

from inbox import runner as runners
from inbox.database import THREADS, in_thread, in_work_thread
from inbox.errors import TryAgainError
from inbox.runner import Runner


class Source:
    """Work from a list; remembers what ran."""

    name = "list"
    concurrency = 2

    def __init__(self, *items) -> None:
        self.items = list(items)
        self.ran: list = []
        self.done = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()
        self.full = asyncio.Event()
        self.running = self.most = self.faults = self.looks = 0
        self.more: bool | None = None

    def enabled(self) -> bool:
        return True

    def claim(self, limit):
        self.looks += 1
        if self.faults:
            self.faults -= 1
            raise RuntimeError("the database is away")
        taken, self.items = self.items[:limit], self.items[limit:]
        return taken

    async def run(self, item) -> bool | None:
        self.running += 1
        self.most = max(self.most, self.running)
        if self.running == min(self.concurrency, self.running + len(self.items)):
            self.full.set()
        await self.hold.wait()
        self.running -= 1
        self.ran.append(item)
        if item == "last":
            self.done.set()
        if item == "fails":
            raise RuntimeError(item)
        return self.more


@pytest.fixture
async def start(monkeypatch):
    """Start a runner with one source."""
    started: list[Runner] = []

    def make(source) -> Runner:
        monkeypatch.setattr(runners, "work_sources", lambda: [source])
        runner = Runner(asyncio.get_running_loop())
        runner.start()
        started.append(runner)
        return runner

    yield make
    for runner in started:
        await runner.stop(0.1)


async def test_work_that_fails_does_not_stop_what_follows(start):
    source = Source("one", "fails", "last")
    start(source)
    await asyncio.wait_for(source.done.wait(), 5)
    assert source.ran == ["one", "fails", "last"]


async def test_a_claim_that_fails_is_tried_again(start, monkeypatch):
    monkeypatch.setattr(runners, "FAULT_SECONDS", 0.01)
    source = Source("last")
    source.faults = 2
    start(source)
    await asyncio.wait_for(source.done.wait(), 5)


async def test_no_more_runs_at_once_than_the_source_allows(start):
    source = Source(*range(6), "last")
    source.hold.clear()
    start(source)
    await asyncio.wait_for(source.full.wait(), 5)
    source.hold.set()
    await asyncio.wait_for(source.done.wait(), 5)
    assert source.most == 2


@pytest.mark.parametrize(("more", "looks"), [(False, 1), (None, 2)])
async def test_work_that_makes_nothing_else_due_is_not_looked_behind(start, more, looks):
    source = Source("last")
    source.more = more
    runner = start(source)
    await asyncio.wait_for(source.done.wait(), 5)
    # A round through the thread that looks: a look that was wanted has been made by then.
    for _ in range(3):
        await in_work_thread(list)
        await asyncio.sleep(0)
    assert source.looks == looks
    assert not runner._working


async def test_people_do_not_wait_for_the_threads_of_work_behind_messages():
    gate = threading.Event()
    busy = [asyncio.create_task(in_work_thread(gate.wait, 30)) for _ in range(2 * THREADS)]
    await asyncio.sleep(0)
    try:
        assert await asyncio.wait_for(in_thread(lambda: "told"), 5) == "told"
        assert not any(task.done() for task in busy)
    finally:
        gate.set()
        await asyncio.gather(*busy)


async def test_a_wake_is_heard_from_another_thread(start):
    source = Source()
    runner = start(source)
    await asyncio.sleep(0)
    source.items.append("last")
    await asyncio.to_thread(runner.wake)
    await asyncio.wait_for(source.done.wait(), 1.5)


async def test_stopping_cancels_what_does_not_end_in_time(start):
    source = Source("endless")
    source.hold.clear()
    runner = start(source)
    await asyncio.wait_for(source.full.wait(), 5)
    await asyncio.wait_for(runner.stop(0.05), 5)
    assert source.ran == []


async def test_a_runner_that_looks_no_more_is_stuck(start, monkeypatch):
    source = Source("last")
    runner = start(source)
    await asyncio.wait_for(source.done.wait(), 5)
    assert not runner.is_stuck()
    monkeypatch.setattr(runners, "STUCK_SECONDS", -1)
    assert runner.is_stuck()


async def test_a_lost_database_is_one_line_however_often_it_is_asked(caplog, monkeypatch):
    from django.db import OperationalError

    monkeypatch.setattr("inbox.runner.FAULT_SECONDS", 0)

    class Away:
        name = "away"
        is_back = False
        errors = itertools.cycle([OperationalError("gone"), TryAgainError("gone")])

        def claim(self, limit):
            if self.is_back:
                return ["item"]
            raise next(self.errors)

        async def run(self, item):
            raise next(self.errors)

    source = Away()
    runner = Runner(asyncio.get_running_loop())
    for _ in range(3):
        assert await runner._claim(source, 1) == []
        await runner._work(source, object())
    assert [record.exc_info for record in caplog.records] == [None]
    source.is_back = True
    assert await runner._claim(source, 1) == ["item"]
    assert await runner._claim(source, 1) == ["item"]
    away, back = [record.getMessage() for record in caplog.records]
    assert "away" in away
    assert "back" in back
    assert "gone" not in caplog.text
