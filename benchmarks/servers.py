"""Starting what is measured: a reference, a database, Redis; each ends with its `with` block."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import SERVER_CORE, pinned
from tests.support.processes import Process, accepts, free_port, wait_until
from tests.support.services import PostgresServer, RedisServer

ROOT = Path(__file__).resolve().parents[1]
UVICORN = (
    *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false"),
    *("--no-access-log", "--log-level", "warning"),
)
"""The same options for everything that runs on uvicorn."""

shared = contextlib.ExitStack()
"""What several rows use: it ends with the program."""
atexit.register(shared.close)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server whose CPU is counted."""

    port: int
    process: Process

    @property
    def pid(self) -> int:
        return self.process.child.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder on a real disk, so that fsync costs what it costs."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def serving(*command: str, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a reference on the servers' core. `{port}` in the command becomes its port.

    A command beginning with `-m` runs in this interpreter.
    """
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in command]
    words = [sys.executable, *words] if words[0] == "-m" else words
    with scratch() as folder:
        log = folder / "log"
        with pinned(SERVER_CORE):
            process = Process(words, log=log, env={**os.environ, **(env or {})}, cwd=ROOT)
        try:
            wait_until(lambda: _listens(process, port), seconds=60, what=words[-1])
            yield Server(port, process)
        finally:
            process.kill()


def _listens(process: Process, port: int) -> bool:
    if not process.alive:
        raise RuntimeError(f"The server ended:\n{process.output()[-4000:]}")
    return accepts(port)


@functools.cache
def _postgres() -> PostgresServer:
    server = PostgresServer(durable=True)
    shared.callback(server.close)
    return server


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """The run's one PostgreSQL, with fsync on; its CPU is nobody's server CPU."""
    yield _postgres()


@contextlib.contextmanager
def redis() -> Iterator[RedisServer]:
    """A Redis of its own: on a shared one, two sites would hear each other."""
    with scratch() as folder:
        server = RedisServer(folder)
        try:
            yield server
        finally:
            server.kill()
