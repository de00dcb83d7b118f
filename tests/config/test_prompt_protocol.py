"""Writing at once on a socket: in order, whole, and never past what already waits."""

from __future__ import annotations

import pytest

pytest.importorskip("daphne.server", reason="installs Twisted's reactor first")

from inbox.serving.protocol import write_at_once


class Transport:
    """Twisted's, as far as writing goes; the kernel takes `room` bytes."""

    def __init__(self, *, room: int = 1000, connected: bool = True) -> None:
        self.room = room
        self.connected = connected
        self.sent = b""
        self.dataBuffer, self.offset, self._tempDataLen = b"", 0, 0
        self.queued = b""

    def writeSomeData(self, data: bytes) -> int | Exception:
        taken = data[: self.room - len(self.sent)]
        self.sent += taken
        return len(taken)

    def write(self, data: bytes) -> None:
        self.queued += data
        self._tempDataLen += len(data)


def test_the_kernel_gets_a_frame_at_once():
    transport = Transport()
    write_at_once(transport, b"frame")
    assert (transport.sent, transport.queued) == (b"frame", b"")


def test_what_the_kernel_does_not_take_waits():
    transport = Transport(room=3)
    write_at_once(transport, b"frame")
    assert (transport.sent, transport.queued) == (b"fra", b"me")


def test_a_frame_never_overtakes_one_that_waits():
    transport = Transport(room=3)
    write_at_once(transport, b"first")
    transport.room = 1000
    write_at_once(transport, b"second")
    assert (transport.sent, transport.queued) == (b"fir", b"stsecond")


def test_a_frame_never_overtakes_one_that_is_half_written():
    transport = Transport()
    transport.dataBuffer, transport.offset = b"half", 2
    write_at_once(transport, b"next")
    assert (transport.sent, transport.queued) == (b"", b"next")


def test_a_broken_connection_is_left_to_the_reactor():
    transport = Transport()
    transport.writeSomeData = lambda data: ConnectionError()
    write_at_once(transport, b"frame")
    assert transport.queued == b"frame"


def test_nothing_is_sent_on_a_closed_connection():
    transport = Transport(connected=False)
    write_at_once(transport, b"frame")
    assert transport.sent == b""
