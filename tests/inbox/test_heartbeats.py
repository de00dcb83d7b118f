"""One timer for the heartbeats of all sockets."""

from __future__ import annotations

import asyncio

import pytest

from inbox.realtime.heartbeats import SLOTS, Heartbeats, heartbeats


class Socket:
    def __init__(self) -> None:
        self.beats = 0
        self.beaten = asyncio.Event()

    def beat(self) -> None:
        self.beats += 1
        self.beaten.set()


@pytest.fixture(autouse=True)
def _often(settings):
    settings.INBOX_HEARTBEAT_SECONDS = 1


@pytest.fixture
async def clock():
    return Heartbeats(asyncio.get_running_loop())


def a_period(clock: Heartbeats) -> None:
    for _ in range(SLOTS):
        clock._beat()


async def test_a_socket_beats_once_in_every_period(clock):
    socket = Socket()
    clock.join(socket)
    a_period(clock)
    assert socket.beats == 1
    a_period(clock)
    assert socket.beats == 2
    clock.leave(socket)


async def test_the_first_heartbeat_comes_by_itself(clock):
    socket = Socket()
    clock.join(socket)
    async with asyncio.timeout(10):
        await socket.beaten.wait()
    clock.leave(socket)


async def test_a_socket_that_left_is_silent(clock):
    gone, stays = Socket(), Socket()
    clock.join(gone)
    clock.join(stays)
    clock.leave(gone)
    a_period(clock)
    assert (gone.beats, stays.beats) == (0, 1)
    clock.leave(stays)


async def test_one_broken_socket_does_not_silence_the_others(clock):
    class Broken(Socket):
        def beat(self) -> None:
            raise RuntimeError

    broken, whole = Broken(), Socket()
    clock.join(broken)
    clock.join(whole)
    a_period(clock)
    assert whole.beats == 1
    clock.leave(broken)
    clock.leave(whole)


async def test_sockets_of_one_loop_share_a_clock():
    assert heartbeats() is heartbeats()
