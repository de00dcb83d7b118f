"""Running a coroutine at once, as far as it goes without waiting."""

from __future__ import annotations

import asyncio

import pytest

from inbox.realtime.eager import run_eagerly


async def test_what_never_waits_is_done_at_once():
    done = []

    async def quick() -> None:
        done.append(1)

    assert run_eagerly(quick()) is None
    assert done == [1]


async def test_what_waits_goes_on_in_a_task():
    steps, gate, second_gate = [], asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        steps.append("begun")
        await gate.wait()
        steps.append("through")
        await second_gate.wait()
        steps.append("done")

    rest = run_eagerly(slow())
    assert steps == ["begun"]
    task = asyncio.ensure_future(rest)
    gate.set()
    second_gate.set()
    await task
    assert steps == ["begun", "through", "done"]


async def test_an_error_at_once_reaches_the_caller():
    async def broken() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        run_eagerly(broken())


async def test_an_error_after_waiting_reaches_whoever_awaits_the_rest():
    async def broken() -> None:
        await asyncio.sleep(0)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await run_eagerly(broken())


async def test_cancelling_the_rest_ends_the_coroutine():
    ended = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    task = asyncio.ensure_future(run_eagerly(slow()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1]
