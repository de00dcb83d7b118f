"""A real HTTP server that speaks ``/v1/responses`` and ``/v1/chat/completions`` and misbehaves.

In a test, the ``model_server`` fixture of ``tests.support.model_fixture``::

    model_server.script("rate_limited", "answer")     # first request, second request
    ...
    assert model_server.requests[1].body["stream"] is True

On its own, for tests that start server processes::

    python -m tests.support.model_server --port 9000 --script answer

It prints ``ready http://127.0.0.1:9000/v1``. ``POST /__script {"scripts": [...], "text": "..."}``
directs it, ``GET /__requests`` shows what arrived. A visitor's message that holds
``((script NAME))`` chooses a script for itself. The scripts are in ``model_scripts``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import threading
from collections import deque
from dataclasses import asdict
from typing import Any

from tests.support import model_scripts
from tests.support.model_exchange import ANSWER, SCRIPTS, Exchange, Recorded

__all__ = ["ANSWER", "SCRIPTS", "ModelServer", "model_scripts"]

CHOICE = re.compile(r"\(\(script (\w+)\)\)")


class ModelServer:
    """The server, in a thread with an event loop of its own."""

    def __init__(self, port: int = 0, default: str = "answer") -> None:
        self.port = port
        self.default = default
        self.text = ANSWER
        self.pause_seconds = 0.0
        self.requests: list[Recorded] = []
        self.gone_early = 0
        """Connections that the client closed while a script was still speaking."""
        self._queue: deque[str] = deque()
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base_url(self) -> str:
        """What ``BOTS_BASE_URL`` is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *names: str) -> None:
        """What the next requests get, one after the other; then the default again."""
        unknown = set(names) - set(SCRIPTS)
        if unknown:
            raise LookupError(f"no such script: {', '.join(sorted(unknown))}")
        self._queue.extend(names)

    def start(self) -> ModelServer:
        """Listen; returns when connections are taken."""
        self._thread.start()
        self._ready.wait(10)
        return self

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**22)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._connections:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._connections, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(raw) if raw else {}
        exchange = Exchange(
            reader, writer, body, responses=path.endswith("/responses"), text=self.text
        )
        exchange.pause_seconds = self.pause_seconds
        if path.startswith("/__"):
            await self._control(path, body, exchange)
            return True
        name = self._choose(raw.decode())
        self.requests.append(Recorded(method, path, headers, body, name))
        try:
            await SCRIPTS[name](exchange)
        except (ConnectionError, BrokenPipeError):
            self.gone_early += 1
            return False
        return not exchange.closing

    def _choose(self, raw: str) -> str:
        chosen = CHOICE.findall(raw)
        if chosen:
            return str(chosen[-1])
        return self._queue.popleft() if self._queue else self.default

    async def _control(self, path: str, body: dict[str, Any], exchange: Exchange) -> None:
        if path == "/__requests":
            await exchange.plain(200, [asdict(request) for request in self.requests])
            return
        self._queue.clear()
        self.script(*body.get("scripts", []))
        self.default = body.get("default", self.default)
        self.text = body.get("text", self.text)
        self.pause_seconds = body.get("pause_seconds", self.pause_seconds)
        await exchange.plain(200, {"ok": True})


def main() -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", default="answer", choices=sorted(SCRIPTS))
    parser.add_argument("--text", default=ANSWER)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two words")
    options = parser.parse_args()
    server = ModelServer(options.port, options.script)
    server.text, server.pause_seconds = options.text, options.pause
    server.start()
    print(f"ready {server.base_url}", flush=True)  # noqa: T201
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    server.stop()


if __name__ == "__main__":
    main()
