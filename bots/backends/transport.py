"""The HTTP transport under the SDK: httpcore2's pool on plain asyncio sockets.

It keeps what a provider sends within bounds and takes nothing from the environment: no proxy,
no ``.netrc``. It must not know answers or bots.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Iterator

import httpcore2
import httpx2

from bots.backends.network import AsyncioBackend

MAX_ERROR_BYTES = 64 * 1024
"""How much of an error's body is read; the SDK would read all of it, for ever if need be."""

EXCEPTIONS: dict[type[Exception], type[httpx2.RequestError]] = {
    httpcore2.ConnectTimeout: httpx2.ConnectTimeout,
    httpcore2.PoolTimeout: httpx2.PoolTimeout,
    httpcore2.TimeoutException: httpx2.ReadTimeout,
    httpcore2.ConnectError: httpx2.ConnectError,
    httpcore2.NetworkError: httpx2.ReadError,
    httpcore2.RemoteProtocolError: httpx2.RemoteProtocolError,
    httpcore2.LocalProtocolError: httpx2.LocalProtocolError,
    httpcore2.UnsupportedProtocol: httpx2.UnsupportedProtocol,
    httpcore2.ProtocolError: httpx2.RemoteProtocolError,
}
"""httpcore2's exceptions in httpx2's words, the special ones first."""


class AsyncioTransport(httpx2.AsyncBaseTransport):
    """Sends requests of one event loop, over at most ``connections`` connections at once."""

    def __init__(self, *, connections: int) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=AsyncioBackend(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send; a body of an error comes back read and cut, any other is streamed."""
        with _httpx2_exceptions():
            reply = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
            body = _Body(reply)
            if reply.status < 400:
                return httpx2.Response(
                    reply.status, headers=reply.headers, stream=body, extensions=reply.extensions
                )
            content = await _start_of(body)
        headers = [
            (name, value)
            for name, value in reply.headers
            if name.lower() not in {b"content-encoding", b"content-length", b"transfer-encoding"}
        ]
        return httpx2.Response(reply.status, headers=headers, content=content)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, reply: httpcore2.Response) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx2_exceptions():
            async for chunk in self._reply.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._reply.aclose()


async def _start_of(body: _Body) -> bytes:
    content = b""
    try:
        async for chunk in body:
            content += chunk
            if len(content) > MAX_ERROR_BYTES:
                break
    except httpx2.RequestError:
        pass  # The status says enough.
    finally:
        await body.aclose()
    return content[:MAX_ERROR_BYTES]


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    # Reading the certificates takes milliseconds, so one context serves every loop.
    return httpcore2.default_ssl_context()


@contextlib.contextmanager
def _httpx2_exceptions() -> Iterator[None]:
    try:
        yield
    except tuple(EXCEPTIONS) as exc:
        translated = next(EXCEPTIONS[known] for known in EXCEPTIONS if isinstance(exc, known))
        raise translated(str(exc)) from exc
