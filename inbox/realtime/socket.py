"""A lean WebSocket consumer: no layer task, no thread hop per frame, a bounded outbox."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar

from channels.consumer import AsyncConsumer
from prometheus_client import Counter

from inbox.conf import inbox_settings
from inbox.errors import CloseCode, InboxError, ProtocolError, TryAgainError, rate_limited
from inbox.outages import tell
from inbox.realtime import metrics
from inbox.realtime.eager import run_eagerly
from inbox.realtime.heartbeats import heartbeats
from inbox.realtime.rates import Window
from inbox.realtime.records import encode_json

logger = logging.getLogger("frontdesk.socket")

PROTOCOL_STRIKES = 5
"""Broken frames within a minute that close the socket with 4400."""

RATE_STRIKES = 10
"""Refusals of rate within a minute that close the socket with 4429."""

open_sockets: set[LeanConsumer] = set()
"""Every accepted socket of this process; a graceful stop closes them."""


@functools.cache
def _counters(side: str) -> tuple[Counter, Counter]:
    return metrics.frames_in.labels(side), metrics.frames_out.labels(side)


class LeanConsumer(AsyncConsumer):
    """One socket. Subclasses say who may come in and what a frame does.

    It is also the ``Sink`` of its readers: ``send`` never blocks; a frame goes out at once, and
    a writer task exists only while the client does not take more.
    """

    side: ClassVar[str] = ""
    """Label in the metrics: ``visitor`` or ``operator``."""
    frames_per_window: ClassVar[int] = 100
    window_seconds: ClassVar[float] = 10.0

    scope: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket until it closes; errors end in a close code, never in 1011."""
        self.scope = scope
        self._asgi_send: Callable[[dict[str, Any]], Coroutine[Any, Any, None]] = send
        self._outbox: deque[str] | None = None
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._closing: int | None = None
        self._closed = False
        self._broken_frames = Window(PROTOCOL_STRIKES - 1, 60, scaled=False)
        self._rate_refusals = Window(RATE_STRIKES - 1, 60, scaled=False)
        self._rate = Window(self.frames_per_window, self.window_seconds)
        self._frames_in, self._frames_out = _counters(self.side)
        self._loop = asyncio.get_running_loop()
        try:
            await self._serve(receive)
        finally:
            self._closed = True
            await self._leave()

    # What subclasses do

    async def enter(self) -> None:
        """Authenticate, register readers, send ``connected``; refuse with ``self.refuse``."""
        raise NotImplementedError

    async def on_frame(self, text: str) -> None:
        """Handle one text frame; an ``InboxError`` becomes an ``error`` frame."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Unregister readers; no database work, the server cancels slow leavers."""
        raise NotImplementedError

    def heartbeat(self) -> dict[str, Any]:
        """The frame that is sent at least every 30 s."""
        raise NotImplementedError

    # What subclasses call

    @property
    def congested(self) -> bool:
        """Whether stream deltas should be left out until this reader has caught up."""
        return self._waiting_bytes > inbox_settings.SEND_BUDGET_BYTES // 4

    async def accept(self, subprotocol: str | None = None) -> None:
        """Complete the handshake."""
        await self._asgi_send({"type": "websocket.accept", "subprotocol": subprotocol})
        open_sockets.add(self)
        metrics.sockets.labels(self.side).inc()
        heartbeats().join(self)

    async def refuse(self, code: int) -> None:
        """Accept and close at once, so that a browser can read why."""
        if self not in open_sockets:
            await self.accept()
        self.close_soon(code)

    def send_frame(self, frame: dict[str, Any]) -> None:
        """Send one frame."""
        self.send(encode_json(frame).decode())

    def send(self, text: str) -> None:  # type: ignore[override]
        """Queue an encoded frame; a reader that lets too much pile up is closed with 4013."""
        if self._closed or self._closing is not None:
            return
        if self._writer is None:
            self._send_now(text)
            return
        if self._outbox is None:
            self._outbox = deque()
        self._outbox.append(text)
        self._waiting_bytes += len(text)
        if self._waiting_bytes > inbox_settings.SEND_BUDGET_BYTES:
            metrics.slow_readers.inc()
            self.close_soon(CloseCode.OVERLOADED, at_once=True)

    def send_error(self, error: InboxError, **extra: Any) -> None:
        """Send a refusal as an ``error`` frame."""
        metrics.refusals.labels(error.code).inc()
        self.send_frame({"type": "error", **error.as_dict(), **extra})
        if error.code == "rate_limited" and self._rate_refusals.wait() > 0:
            self.close_soon(CloseCode.FLOODING)

    def close_soon(self, code: int, *, at_once: bool = False) -> None:
        """Close after what is queued was written, or ``at_once`` when nobody reads it."""
        if self._closing is None and not self._closed:
            # Daphne takes a plain int only, not a member of an enumeration.
            self._closing = int(code)
            if at_once:
                self._outbox = None
                if self._writer is not None:
                    # It waits for a reader that does not read; its successor says goodbye.
                    # Cancelled before its first step it would never get to start one itself.
                    self._writer.cancel()
                    self._writer = None
            if self._writer is None:
                self._writer = self._loop.create_task(self._write())

    # The machinery

    async def _serve(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        event = await receive()
        if event["type"] != "websocket.connect":
            return
        try:
            await self.enter()
        except InboxError as error:
            self.send_error(error)
            self.close_soon(CloseCode.OVERLOADED)
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            if event["type"] == "websocket.receive" and self._closing is None:
                await self._on_event(event)

    async def _on_event(self, event: dict[str, Any]) -> None:
        self._frames_in.inc()
        try:
            text = self._checked(event)
            await self.on_frame(text)
        except ProtocolError as error:
            self.send_error(error, **self.error_context(event))
            if self._broken_frames.wait() > 0:
                self.close_soon(CloseCode.PROTOCOL)
        except InboxError as error:
            self.send_error(error, **self.error_context(event))
        except Exception as error:
            tell(logger, "a frame could not be handled", error)
            self.send_error(TryAgainError(), **self.error_context(event))

    def error_context(self, event: dict[str, Any]) -> dict[str, Any]:
        """What an ``error`` about a refused frame repeats from it, such as ``client_id``."""
        return {}

    def _checked(self, event: dict[str, Any]) -> str:
        wait = self._rate.wait()
        if wait > 0:
            raise rate_limited(wait)
        text = event.get("text")
        if text is None:
            raise ProtocolError("binary_not_supported")
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size > inbox_settings.CLOSE_FRAME_BYTES:
            self.close_soon(CloseCode.TOO_BIG)
        if size > inbox_settings.MAX_FRAME_BYTES:
            raise InboxError("too_large", status=413)
        return str(text)

    def _send_now(self, text: str) -> None:
        self._frames_out.inc()
        try:
            rest = run_eagerly(self._asgi_send({"type": "websocket.send", "text": text}))
        except Exception:
            self._closed = True  # the peer is gone, as in _write
            return
        if rest is not None:
            self._waiting_bytes += len(text)
            self._writer = self._loop.create_task(self._write(rest, len(text)))

    async def _write(self, rest: Awaitable[None] | None = None, size: int = 0) -> None:
        try:
            if rest is not None:
                await rest
                self._waiting_bytes -= size
            while self._outbox:
                text = self._outbox.popleft()
                await self._asgi_send({"type": "websocket.send", "text": text})
                self._waiting_bytes -= len(text)
                self._frames_out.inc()
            if self._closing is not None and not self._closed:
                self._closed = True
                await self._asgi_send({"type": "websocket.close", "code": self._closing})
        except Exception:
            # The peer is gone; the disconnect event that follows ends the socket.
            self._closed = True
        finally:
            self._writer = None
            if (self._outbox or self._closing is not None) and not self._closed:
                self._writer = self._loop.create_task(self._write())

    def beat(self) -> None:
        """Send a heartbeat; called by the clock of all sockets."""
        if not self._closed and self._closing is None:
            with contextlib.suppress(InboxError):
                self.send_frame(self.heartbeat())

    async def _leave(self) -> None:
        heartbeats().leave(self)
        if self in open_sockets:
            open_sockets.discard(self)
            metrics.sockets.labels(self.side).dec()
        try:
            await self.leave()
        except Exception:
            logger.exception("a socket could not be unregistered")
