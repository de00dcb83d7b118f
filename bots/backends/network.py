"""Sockets for the provider's HTTP client: plain asyncio protocols under httpcore2.

A streamed answer is hundreds of tiny reads. httpcore2's own network layer arms a cancel scope
for each; here one lazily re-armed timer watches the whole answer, which halves the cost of a
chunk. It must not know HTTP, answers or bots.

Source: httpcore2's ``AsyncNetworkBackend`` and ``AsyncNetworkStream`` interfaces.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore2

PAUSE_BYTES = 256 * 1024
"""Unread bytes above which the socket is no longer read."""


class Connection(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One TCP or TLS connection."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._closed = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._unread += data
        if len(self._unread) > PAUSE_BYTES and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio; a clean end has no exception."""
        self._closed = True
        self._failure = self._failure or exc
        if self._timer:
            self._timer.cancel()
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # httpcore2's side

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Up to ``max_bytes``; empty at the end. ``timeout`` is for httpcore2 alone."""
        if not self._unread and not self._closed:
            self._waiter = self._loop.create_future()
            try:
                if timeout is None:
                    await self._waiter
                else:
                    await asyncio.wait_for(self._waiter, timeout)
            except TimeoutError as exc:
                raise httpcore2.ReadTimeout from exc
            finally:
                self._waiter = None
        if self._unread:
            return self._take(max_bytes)
        if isinstance(self._failure, httpcore2.ReadTimeout):
            raise self._failure
        if self._failure:
            raise httpcore2.ReadError(str(self._failure)) from self._failure
        return b""

    def _take(self, max_bytes: int) -> bytes:
        data = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        if self._paused and not self._unread and not self._closed and self._transport:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Hand over to the transport. Requests are small, so nobody waits for it to drain."""
        if self._closed or self._transport is None:
            raise httpcore2.WriteError("The connection is closed.")
        if buffer:
            self._transport.write(buffer)

    async def aclose(self) -> None:
        """Close at once, so that a provider stops writing an answer nobody reads."""
        if self._transport and not self._closed:
            self._transport.abort()
            await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """Wrap in TLS; ``timeout`` bounds the handshake."""
        try:
            async with asyncio.timeout(timeout):
                self._transport = await self._loop.start_tls(
                    cast(asyncio.Transport, self._transport),
                    self,
                    ssl_context,
                    server_hostname=server_hostname,
                )
        except TimeoutError as exc:
            await self.aclose()
            raise httpcore2.ConnectTimeout from exc
        except OSError as exc:
            await self.aclose()
            raise httpcore2.ConnectError(str(exc)) from exc
        return self

    def get_extra_info(self, info: str) -> Any:
        """``is_readable`` tells the pool that an idle connection was closed by the server."""
        if info == "is_readable":
            return self._closed or bool(self._unread)
        return self._transport.get_extra_info(info) if self._transport else None

    # our side

    def set_deadline(self, when: float | None) -> None:
        """Fail a read that still waits at ``when`` (loop time). Moving it later costs nothing."""
        self._deadline = when
        if when is None or self._closed:
            return
        if self._timer and when < self._timer.when():
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._deadline is None or self._waiter is None or self._waiter.done():
            # Nobody waits, or bytes came while this process itself was too busy to look: its
            # own delay is not the provider's silence. The next read sets a deadline anew.
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._expire)
            return
        self._failure = httpcore2.ReadTimeout()
        if self._transport:
            self._transport.abort()


class AsyncioBackend(httpcore2.AsyncNetworkBackend):
    """Opens ``Connection``s for httpcore2's pool."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Look up the name and connect, both within ``timeout`` seconds."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, connection = await loop.create_connection(
                    Connection, host, port, happy_eyeballs_delay=0.25
                )
        except TimeoutError as exc:
            raise httpcore2.ConnectTimeout from exc
        except (OSError, UnicodeError) as exc:
            raise httpcore2.ConnectError(str(exc)) from exc
        return connection

    async def sleep(self, seconds: float) -> None:
        """Wait; used by the pool between its own retries, which are off."""
        await asyncio.sleep(seconds)
