"""Daphne's socket and its application feel each other's pace."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("daphne.server", reason="installs Twisted's reactor first")

from inbox.serving.events import MOST_CHARS, MOST_WAITING, RESUME_AT, ReadQueue
from inbox.serving.pressure import SendPressure


class Transport:
    def __init__(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


def queue_of(transport: Transport) -> ReadQueue:
    return ReadQueue(transport.pause, transport.resume)


async def test_events_come_in_order_and_are_waited_for():
    queue = queue_of(Transport())
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait({"type": "first"})
    queue.put_nowait({"type": "second"})
    assert (await waiting)["type"] == "first"
    assert (await queue.get())["type"] == "second"


async def test_a_flood_is_read_no_further_until_little_waits():
    transport = Transport()
    queue = queue_of(transport)
    for number in range(MOST_WAITING):
        queue.put_nowait({"number": number})
    assert transport.paused
    while len(queue._events) > RESUME_AT + 1:
        await queue.get()
    assert transport.paused
    await queue.get()
    assert not transport.paused


async def test_a_few_large_frames_are_a_flood_too():
    transport = Transport()
    queue = queue_of(transport)
    for _ in range(2):
        queue.put_nowait({"text": "x" * MOST_CHARS})
    assert transport.paused
    await queue.get()
    assert transport.paused
    await queue.get()
    assert not transport.paused


async def test_a_writer_waits_while_its_client_does_not_read():
    pressure = SendPressure()
    await pressure.room()
    pressure.pauseProducing()
    waiting = asyncio.ensure_future(pressure.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    pressure.resumeProducing()
    await waiting
    await pressure.room()


async def test_nobody_waits_for_a_connection_that_is_gone():
    pressure = SendPressure()
    pressure.pauseProducing()
    waiting = asyncio.ensure_future(pressure.room())
    await asyncio.sleep(0)
    pressure.stopProducing()
    await waiting
