"""Server-sent events as bytes: cuts a byte stream into the ``data`` of its events.

It must not know what the data means. Source: WHATWG HTML, "Server-sent events", 9.2.6.
"""

from __future__ import annotations

from bots.errors import BackendError


class EventSplitter:
    """Feed it what the socket brought; it gives back the data of every complete event.

    Args:
        limit_bytes: an event longer than this ends the attempt; memory stays bounded.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._last_byte = b""
        self._carriage_return = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Data of the events that this chunk completes, comments and empty ones left out."""
        if b"\r" in chunk or self._carriage_return:
            chunk = self._normalised(chunk)
        ends = b"\n\n" in chunk or (self._last_byte == b"\n" and chunk.startswith(b"\n"))
        if chunk:
            self._pieces.append(chunk)
            self._size += len(chunk)
            self._last_byte = chunk[-1:]
        if not ends:
            self._check_size()
            return []
        # One join per event, not one per chunk: a hostile drip stays linear.
        *blocks, rest = b"".join(self._pieces).split(b"\n\n")
        self._pieces = [rest] if rest else []
        self._size = len(rest)
        self._check_size()
        return [data for block in blocks if (data := _data(block)) is not None]

    def _normalised(self, chunk: bytes) -> bytes:
        chunk = self._carriage_return + chunk
        # CR and LF of one line end may come in two chunks.
        self._carriage_return = b"\r" if chunk.endswith(b"\r") else b""
        if self._carriage_return:
            chunk = chunk[:-1]
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _check_size(self) -> None:
        if self._size > self._limit:
            raise BackendError("answer_too_long", f"an event of more than {self._limit} bytes")


def _data(block: bytes) -> bytes | None:
    if block.startswith(b"data: ") and b"\n" not in block:
        return block[6:]
    lines = [
        line[6:] if line.startswith(b"data: ") else line[5:]
        for line in block.split(b"\n")
        if line.startswith(b"data:")
    ]
    return b"\n".join(lines) if lines else None
