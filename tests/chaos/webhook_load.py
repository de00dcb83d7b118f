"""Events at a steady pace for several receivers, one of them dead."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.receivers import Receivers
from tests.chatwidget.wire import Socket, VisitorClient

LIVE = ("ok", "elsewhere")
DEAD = "stall"
VISITORS = 10
PER_SECOND = 30.0
SETTLE_SECONDS = 20.0


@dataclass
class Delays:
    """What the living receivers got."""

    events: int = 0
    seconds: list[float] = field(default_factory=list)
    """From each event to each receiver, sorted."""
    missing: int = 0
    doubled: int = 0
    tries_of_the_dead: int = 0


async def tell(urls: Sequence[str], receivers: Receivers, count: int) -> Delays:
    """So many messages of visitors, each an event; returns when all were told, or never will be."""
    loop = asyncio.get_running_loop()
    began, written = loop.time(), 0

    async def visitor(number: int) -> None:
        nonlocal written
        async with VisitorClient(urls[number % len(urls)]).connect() as socket:
            acks = asyncio.create_task(_acks(socket))
            while written < count:
                due = began + written / PER_SECOND
                written += 1
                await asyncio.sleep(max(0.0, due - loop.time()))
                content = f"event {uuid.uuid4().hex}"
                sent.add(content)
                await socket.send("message", client_id=uuid.uuid4().hex, content=content)
            await socket.send("ping")
            await acks

    sent: set[str] = set()
    await asyncio.gather(*(visitor(number) for number in range(VISITORS)))
    deadline = loop.time() + SETTLE_SECONDS
    while loop.time() < deadline and any(_missing(receivers, name, sent) for name in LIVE):
        await asyncio.sleep(0.2)
    return _delays(receivers, sent)


async def _acks(socket: Socket) -> None:
    """Read until the pong: everything sent before it has been answered."""
    while (await socket.receive(600))["type"] != "pong":
        pass


def _missing(receivers: Receivers, name: str, sent: set[str]) -> int:
    return len(sent - {one.content for one in tuple(receivers.got.get(name, ()))})


def _delays(receivers: Receivers, sent: set[str]) -> Delays:
    delays = Delays(events=len(sent), tries_of_the_dead=len(receivers.got.get(DEAD, ())))
    for name in LIVE:
        delays.missing += _missing(receivers, name, sent)
        delays.doubled += receivers.doubled(name)
        for one in receivers.got.get(name, ()):
            told = dt.datetime.fromisoformat(json.loads(one.body)["timestamp"])
            delays.seconds.append(one.at - told.timestamp())
    delays.seconds.sort()
    return delays
