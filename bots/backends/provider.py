"""What both wire modes share: settings, deadlines, reading a stream to its real end.

It must not know a wire's events; a ``Reader`` does.
"""

from __future__ import annotations

import asyncio
import importlib
import weakref
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from bots.backends.answer import Answer
from bots.backends.base import Ask, Backend, BackendEvent
from bots.backends.sse import EventSplitter
from bots.conf import bots_settings
from bots.errors import BackendError

if TYPE_CHECKING:
    from bots.backends.client import Client, Reply, Wire

EVENT_FACTOR = 32
"""An event may repeat the whole answer a few times, escaped; beyond that it is an attack."""
LAST_WORDS_SECONDS = 1.0
"""How long usage may come after the end of the text."""
DRAIN_SECONDS = 0.1
"""How long the end of the body may take, so that the connection can be used again."""

_loaded: dict[str, Any] = {}


class Reader(Protocol):
    """Understands the events of one wire mode."""

    answer: Answer
    complete: bool
    """The text has really ended; only usage may follow."""
    done: bool
    """Nothing more is expected."""

    def feed(self, payload: bytes) -> list[BackendEvent]:
        """What one event means."""

    def end(self) -> list[BackendEvent]:
        """The last events when the stream is over; raises ``BackendError`` when it was cut."""


class ProviderBackend(Backend):
    """A model behind an OpenAI-compatible HTTP API.

    Options:
        model, base_url, api_key: instead of ``BOTS_MODEL``, ``BOTS_BASE_URL``, ``BOTS_API_KEY``.
        temperature: for every question that names none.
        extra_body: more fields of the request body, for servers with their own.
    """

    wire: ClassVar[Wire]
    supports_tools = True

    def __init__(
        self,
        *,
        model: str = "",
        base_url: str = "",
        api_key: str = "",
        temperature: float | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._model = model
        self._base_url = base_url
        self._api_key = api_key
        self._temperature = temperature
        self._extra_body = extra_body or {}
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = (
            weakref.WeakKeyDictionary()
        )

    @property
    def api_key(self) -> str:
        """The key, from the options or ``BOTS_API_KEY``."""
        return self._api_key or bots_settings.API_KEY

    @property
    def base_url(self) -> str:
        """The address, from the options or ``BOTS_BASE_URL``; empty for OpenAI's own."""
        return self._base_url or bots_settings.BASE_URL

    def check(self) -> list[str]:
        """Missing model or key."""
        problems = []
        if not (self._model or bots_settings.MODEL):
            problems.append("No model is named: set BOTS_MODEL.")
        if not (self.api_key or self.base_url):
            problems.append("There is no key: set BOTS_API_KEY, or BOTS_BASE_URL for a server.")
        return problems

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's JSON body."""
        raise NotImplementedError

    def reader(self, ask: Ask) -> Reader:
        """A fresh reader for one answer."""
        raise NotImplementedError

    def model_for(self, ask: Ask) -> str:
        """The model's name.

        Raises:
            BackendError: nobody named one.
        """
        model = ask.model or self._model or bots_settings.MODEL
        if not model:
            raise BackendError("backend_misconfigured", "no model is named: set BOTS_MODEL")
        return model

    def common_body(self, ask: Ask) -> dict[str, Any]:
        """Fields that both wires name alike."""
        body: dict[str, Any] = {"model": self.model_for(ask)}
        temperature = self._temperature if ask.temperature is None else ask.temperature
        if temperature is not None:
            body["temperature"] = temperature
        if self._extra_body:
            body["extra_body"] = self._extra_body
        return body

    async def stream(self, ask: Ask) -> AsyncGenerator[BackendEvent, None]:
        """Ask the provider once."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        total = started + bots_settings.TOTAL_SECONDS
        first = min(total, started + bots_settings.FIRST_TOKEN_SECONDS)
        client = await self._client(loop)
        reply = await self.open(client, ask, deadline=first)
        stream = _Stream(reply, self.reader(ask), first=first, total=total)
        try:
            if not reply.content_type.lower().startswith("text/event-stream"):
                kind = reply.content_type.partition(";")[0][:60]
                raise BackendError("answer_unreadable", f"content type {kind!r}", retryable=True)
            while not stream.over:
                for event in await stream.more():
                    yield event
        finally:
            await reply.aclose(reuse=stream.over)

    async def open(self, client: Client, ask: Ask, *, deadline: float) -> Reply:
        """Send the question; ends with the headers of the answer."""
        return await client.open(self.wire, self.body(ask), deadline=deadline)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _client(self, loop: asyncio.AbstractEventLoop) -> Client:
        module = await _client_module()
        endpoint = module.Endpoint(
            api_key=self.api_key,
            base_url=self.base_url,
            connect_seconds=bots_settings.CONNECT_SECONDS,
            connections=bots_settings.CONCURRENCY,
        )
        client: Client | None = self._clients.get(loop)
        if client is None or client.endpoint != endpoint:
            client = self._clients[loop] = module.Client(endpoint)
        return client


async def _client_module() -> Any:
    # In a thread: importing the SDK would stop every other conversation for half a second.
    if "client" not in _loaded:
        _loaded["client"] = await asyncio.to_thread(importlib.import_module, "bots.backends.client")
    return _loaded["client"]


class _Stream:
    """Reads one answer, chunk by chunk, within its deadlines."""

    def __init__(self, reply: Reply, reader: Reader, *, first: float, total: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._reply = reply
        self._reader = reader
        self._splitter = EventSplitter(bots_settings.MAX_ANSWER_BYTES * EVENT_FACTOR)
        self._idle_seconds = bots_settings.IDLE_SECONDS
        self._deadline = first
        self._total = total
        self.over = False

    async def more(self) -> list[BackendEvent]:
        """Events of the next chunk, maybe none; the last ones set ``over``."""
        chunk = await self._chunk()
        events: list[BackendEvent] = []
        for payload in self._splitter.feed(chunk) if chunk else ():
            events += self._reader.feed(payload)
            if self._reader.done:
                break
            self._progress()
        if not chunk or self._reader.done:
            events += self._reader.end()
            self.over = True
            await self._drain()
        return events

    async def _chunk(self) -> bytes:
        if self._loop.time() >= self._deadline:
            # Only events move it: a drip or comments keep the socket busy, not the visitor.
            raise BackendError("backend_timeout", "no progress", retryable=True)
        self._reply.set_deadline(self._deadline)
        try:
            return await self._reply.read()
        except BackendError:
            if self._reader.complete:
                return b""
            raise

    def _progress(self) -> None:
        if self._reader.answer.started:
            seconds = LAST_WORDS_SECONDS if self._reader.complete else self._idle_seconds
            self._deadline = min(self._total, self._loop.time() + seconds)

    async def _drain(self) -> None:
        deadline = self._loop.time() + DRAIN_SECONDS
        self._reply.set_deadline(deadline)
        with suppress(BackendError):
            while await self._reply.read() and self._loop.time() < deadline:
                pass
