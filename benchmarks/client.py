"""A WebSocket client that costs little: a C frame codec, frames handed on as bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

PATIENCE_SECONDS = 60.0

OnFrame = Callable[["Peer", bytes], None]


class Peer(WSListener):
    """One open socket. `on_frame` is called with every text frame that no `expect` waits for."""

    def __init__(self) -> None:
        self.transport: WSTransport | None = None
        self.on_frame: OnFrame | None = None
        self.received = 0
        self.close_code: int | None = None
        self.closed = asyncio.get_running_loop().create_future()
        self._expected: tuple[bytes, asyncio.Future[bytes]] | None = None
        self._early: list[bytes] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.received += 1
            if self.on_frame is not None:
                self.on_frame(self, frame.get_payload_as_bytes())
            else:
                self._wait_for(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self.close_code = frame.get_close_code()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(self.close_code)

    def _wait_for(self, text: bytes) -> None:
        if self._expected is not None and text.startswith(self._expected[0]):
            waiting = self._expected[1]
            self._expected = None
            if not waiting.done():
                waiting.set_result(text)
        else:
            self._early.append(text)

    def send(self, text: bytes) -> None:
        """Send one text frame."""
        if self.transport is None:
            raise RuntimeError("the socket is not open")
        self.transport.send(WSMsgType.TEXT, text)

    async def expect(self, beginning: bytes) -> bytes:
        """The first frame that begins so and that no earlier call returned."""
        for index, text in enumerate(self._early):
            if text.startswith(beginning):
                return self._early.pop(index)
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._expected = (beginning, waiting)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait((waiting, self.closed), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise ConnectionError(f"closed with {self.close_code} before {beginning!r}")
        return waiting.result()

    def close(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.disconnect()


async def connect(
    url: str,
    *,
    origin: str | None = None,
    protocols: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    on_frame: OnFrame | None = None,
) -> Peer:
    """An open socket; `on_frame` gets its frames from the first one on."""

    def listener() -> Peer:
        peer = Peer()
        peer.on_frame = on_frame
        return peer

    extra = dict(headers or {})
    if origin:
        extra["Origin"] = origin
    if protocols:
        extra["Sec-WebSocket-Protocol"] = ", ".join(protocols)
    # A server in a storm takes its time; how long is what is measured.
    _, peer = await ws_connect(
        listener, url, extra_headers=extra, websocket_handshake_timeout=PATIENCE_SECONDS * 3
    )
    return peer
