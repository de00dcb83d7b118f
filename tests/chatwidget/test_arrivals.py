"""A socket's events when a message fails: which of them were behind it."""

from __future__ import annotations

import asyncio

from chatwidget.arrivals import Arrivals


def event(number: int) -> dict:
    return {"type": "websocket.receive", "text": str(number)}


async def test_only_what_waits_when_a_message_fails_is_behind_it():
    queue = asyncio.Queue()
    arrivals = Arrivals(queue.get)
    for number in (1, 2, 3):
        queue.put_nowait(event(number))
    assert (await arrivals(), arrivals.behind) == (event(1), False)
    await arrivals.hold_back()
    queue.put_nowait(event(4))
    taken = [(await arrivals(), arrivals.behind) for _ in range(3)]
    assert taken == [(event(2), True), (event(3), True), (event(4), False)]


async def test_behind_the_disconnect_nothing_is_waited_for():
    queue = asyncio.Queue()
    arrivals = Arrivals(queue.get)
    gone = {"type": "websocket.disconnect", "code": 1006}
    queue.put_nowait(gone)
    await arrivals.hold_back()
    assert await arrivals() == gone
    assert asyncio.all_tasks() == {asyncio.current_task()}
