"""One request to the model server and the means to answer or mistreat it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.model_wire import ChatWire, ResponsesWire, Wire

ANSWER = "Returns are free for 30 days [1]."


@dataclass(frozen=True)
class Recorded:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    script: str


@dataclass
class Exchange:
    """What a script plays on.

    Attributes:
        text: the answer a well-behaved script gives.
        tokens: ``(count, per second)`` of numbered words instead of ``text``.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    body: dict[str, Any]
    responses: bool
    text: str = ANSWER
    pause_seconds: float = 0.0
    calls: list[dict[str, str]] = field(default_factory=list)
    said: str = ""
    chunked: bool = False
    closing: bool = False
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        model = str(self.body.get("model", ""))
        self.wire = ResponsesWire(model) if self.responses else ChatWire(model)

    # HTTP

    async def plain(
        self, status: int, body: Any, headers: dict[str, str] | None = None, kind: str = ""
    ) -> None:
        """A whole reply at once."""
        is_text = isinstance(body, str)
        data = body.encode() if is_text else json.dumps(body).encode()
        kind = kind or ("text/html" if is_text else "application/json")
        fields = {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}
        self._head(status, fields)
        self.writer.write(data)
        await self.writer.drain()

    async def problem(
        self,
        status: int,
        code: str = "",
        message: str = "no",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        """An error reply in the provider's shape."""
        error = {"message": message, "type": "error", "param": None, "code": code or None, **more}
        await self.plain(status, {"error": error}, headers)

    def _head(self, status: int, fields: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in fields.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def open(self, kind: str = "text/event-stream; charset=utf-8", **headers: str) -> None:
        """The head of a stream."""
        self.chunked = True
        fields = {k.replace("_", "-"): v for k, v in headers.items()}
        self._head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked", **fields})
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """A piece of the stream, in one write of its own."""
        if data:
            self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await self.writer.drain()

    async def send_bytewise(self, data: bytes) -> None:
        """The same, byte by byte."""
        for index in range(len(data)):
            await self.send(data[index : index + 1])

    async def end(self) -> None:
        """The end of the stream, as HTTP wants it."""
        self.chunked = False
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def cut(self) -> None:
        """End the body as if all were said, in the middle of the answer."""
        await self.end()
        self.closing = True

    async def reset(self) -> None:
        """RST instead of an end."""
        await self.writer.drain()
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        self.closing = True

    async def stall(self) -> None:
        """Silence until the other side goes away."""
        await self.reader.read()
        self.closing = True

    # Answers

    async def start(self) -> None:
        """Open the stream the normal way."""
        await self.open()
        await self.send(self.wire.start())

    async def say(self, *texts: str) -> None:
        """Deltas."""
        for text in texts:
            self.said += text
            await self.send(self.wire.delta(text))
            if self.pause_seconds:
                await asyncio.sleep(self.pause_seconds)

    async def call(self, call_id: str, name: str, *pieces: str) -> None:
        """A tool call whose arguments come in these pieces."""
        index = len(self.calls)
        await self.send(self.wire.call_start(index, call_id, name))
        for piece in pieces:
            await self.send(self.wire.arguments(index, piece))
        self.calls.append({"call_id": call_id, "name": name, "arguments": "".join(pieces)})

    async def finish(self, reason: str = "stop") -> None:
        """The proper end."""
        await self.send(self.wire.finish(reason, self.calls, self.said))
        await self.end()


Script = Callable[[Exchange], Awaitable[None]]
SCRIPTS: dict[str, Script] = {}


def script(function: Script) -> Script:
    """Register under the function's name."""
    SCRIPTS[function.__name__] = function  # type: ignore[attr-defined]
    return function
