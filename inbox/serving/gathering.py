"""Frames that a socket is sent in one turn of the loop go to the kernel in one write.

A write costs more than everything else that is done for a small frame, and a commit brings an
operator's page hundreds of them at once.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

MOST_BYTES = 65_536
"""What is gathered before it is written at once: the transport must feel how much waits."""

_TEXT = 0x81
"""First byte of a whole text frame."""
_TWO_BYTES, _EIGHT_BYTES = 126, 127


def text_frame(text: str) -> bytes:
    """A server's frame, unmasked and uncompressed (RFC 6455, 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < _TWO_BYTES:
        return bytes((_TEXT, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", _TEXT, _TWO_BYTES, size) + payload
    return struct.pack("!BBQ", _TEXT, _EIGHT_BYTES, size) + payload


class Gathered:
    """What one socket is about to be sent. Whoever writes past it calls ``flush`` before."""

    __slots__ = ("_frames", "_size", "_write")

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._frames: list[bytes] | None = None
        self._size = 0

    def add(self, frame: bytes) -> None:
        """Write a frame with the others of this turn, behind what was added before."""
        if self._frames is None:
            self._frames, self._size = [], 0
            asyncio.get_running_loop().call_soon(self.flush)
        self._frames.append(frame)
        self._size += len(frame)
        if self._size >= MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write now."""
        frames, self._frames = self._frames, None
        if frames:
            self._write(frames[0] if len(frames) == 1 else b"".join(frames))
