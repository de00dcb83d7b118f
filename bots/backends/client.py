"""The only module that knows the openai SDK: opens streams, names every failure.

Importing it takes about 0.4 s and 50 MB, so ``provider`` loads it with the first question, in a
thread. Retries are off here: whoever runs a turn owns them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx2
import openai

from bots.backends.network import Connection
from bots.backends.refusals import refusal, without_secrets
from bots.backends.transport import AsyncioTransport
from bots.errors import BackendError

MAX_RETRY_AFTER_SECONDS = 3600.0
Wire = Literal["responses", "chat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where questions go. Never shown: it holds the key."""

    api_key: str
    base_url: str
    connect_seconds: float
    connections: int

    def __repr__(self) -> str:
        return f"Endpoint(base_url={self.base_url!r})"


class Reply:
    """An open stream of bytes."""

    def __init__(self, manager: Any, response: httpx2.Response) -> None:
        self._manager = manager
        self._chunks: AsyncIterator[bytes] = (
            response.aiter_bytes()
            if "content-encoding" in response.headers
            # Skips two generators per chunk that would only decompress or re-chunk.
            else response.stream.__aiter__()  # type: ignore[union-attr]
        )
        self._connection = response.extensions.get("network_stream")
        self.content_type = response.headers.get("content-type", "")

    def set_deadline(self, when: float | None) -> None:
        """Fail the read that waits at this loop time."""
        if isinstance(self._connection, Connection):
            self._connection.set_deadline(when)

    async def read(self) -> bytes:
        """What came next; empty at the end.

        Raises:
            BackendError: the connection broke, timed out or carries garbage.
        """
        try:
            async for chunk in self._chunks:
                if chunk:
                    return chunk
            return b""
        except httpx2.TimeoutException as exc:
            raise BackendError("backend_timeout", "silence", retryable=True) from exc
        except httpx2.DecodingError as exc:
            raise BackendError("answer_unreadable", "compression", retryable=True) from exc
        except httpx2.HTTPError as exc:
            raise BackendError("answer_cut", type(exc).__name__, retryable=True) from exc

    async def aclose(self, *, reuse: bool) -> None:
        """Let the connection go, back to the pool or, without ``reuse``, closed at once."""
        self.set_deadline(None)
        if not reuse and isinstance(self._connection, Connection):
            # Even one that ended in good order: a server that broke an answer may hang up next.
            await self._connection.aclose()
        await self._manager.__aexit__(None, None, None)


class Client:
    """One SDK client of one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._http = httpx2.AsyncClient(
            transport=AsyncioTransport(connections=endpoint.connections),
            timeout=httpx2.Timeout(None, connect=endpoint.connect_seconds),
            trust_env=False,
            follow_redirects=False,
        )
        try:
            self._sdk = openai.AsyncOpenAI(
                # The SDK wants some key even for servers that want none.
                api_key=endpoint.api_key or "none",
                base_url=endpoint.base_url or "https://api.openai.com/v1",
                max_retries=0,
                http_client=self._http,
                # Compression only delays a stream.
                default_headers={"Accept-Encoding": "identity"},
            )
        except (openai.OpenAIError, httpx2.InvalidURL) as exc:
            raise BackendError("backend_misconfigured", type(exc).__name__) from exc

    async def open(self, wire: Wire, body: dict[str, Any], *, deadline: float) -> Reply:
        """Send the request and wait for the headers of the answer until ``deadline``.

        Raises:
            BackendError: there is no stream; the code says why.
        """
        resource: Any = self._sdk.responses if wire == "responses" else self._sdk.chat.completions
        manager = resource.with_streaming_response.create(**body, stream=True)
        try:
            async with asyncio.timeout_at(deadline):
                response = await manager.__aenter__()
        except TimeoutError as exc:
            raise BackendError("backend_timeout", "no headers", retryable=True) from exc
        except openai.APIStatusError as exc:
            raise self._status_error(exc) from None
        except openai.APIConnectionError as exc:
            raise _connection_error(exc) from exc
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, TypeError) as exc:
            raise BackendError("backend_misconfigured", type(exc).__name__) from exc
        return Reply(manager, response.http_response)

    async def aclose(self) -> None:
        """Close every connection of this client."""
        await self._sdk.close()

    def _status_error(self, exc: openai.APIStatusError) -> BackendError:
        # Some servers send {"error": "words"} instead of an object.
        body = exc.body if isinstance(exc.body, dict) else {"message": str(exc.body or "")}
        request_id = exc.request_id or "-"
        details = f"HTTP {exc.status_code}, request {request_id}: {body.get('message', '')}"
        return refusal(
            status=exc.status_code,
            code=str(body.get("code") or ""),
            kind=str(body.get("type") or ""),
            param=str(body.get("param") or ""),
            details=without_secrets(details, self.endpoint.api_key),
            retry_after=retry_after_seconds(exc.response.headers),
        )


def retry_after_seconds(headers: httpx2.Headers, *, now: float | None = None) -> float | None:
    """What ``Retry-After`` (seconds or a date) or ``retry-after-ms`` asks for, at most an hour.

    None when there is none or it makes no sense. Source: RFC 9110, 10.2.3.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) * unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return min(seconds, MAX_RETRY_AFTER_SECONDS)
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError):
        return None
    seconds = date.timestamp() - (time.time() if now is None else now)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _connection_error(exc: openai.APIConnectionError) -> BackendError:
    cause = exc.__cause__
    if isinstance(cause, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return BackendError("backend_misconfigured", type(cause).__name__)
    if isinstance(cause, httpx2.ReadTimeout):
        return BackendError("backend_timeout", "no headers", retryable=True)
    return BackendError("backend_unreachable", type(cause).__name__, retryable=True)
