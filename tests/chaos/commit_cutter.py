"""Between a server and its PostgreSQL: cuts the line while a COMMIT is under way.

Words in a row decide: `cut-before-TOKEN` drops the COMMIT of the transaction that stores them,
so that nothing was committed; `cut-after-TOKEN` lets it through and loses the answer, so that
everything was. The server cannot know which of the two it was. Each token cuts once.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading

CHUNK = 65536
WISH = re.compile(rb"cut-(before|after)-([a-z0-9]+)")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CommitCutter:
    """A proxy with a thread and a loop of its own, so that tests may block.

    Args:
        target: the port of the real PostgreSQL.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.cuts: list[str] = []
        """What was cut, as `after-TOKEN`."""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> CommitCutter:
        """Listen; returns when connections are taken."""
        self._thread.start()
        self._ready.wait(10)
        return self

    def stop(self) -> None:
        """End every connection and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=128)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
        line = _Line(self, near, far)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(line.forth(reader), line.back(far_reader))
        for end in (near, far):
            end.transport.abort()


class _Line:
    """One connection: what it has stored since its last COMMIT decides about the next."""

    def __init__(
        self, cutter: CommitCutter, near: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        self._cutter = cutter
        self._near, self._far = near, far
        self._wish = ""
        self._is_over = False

    async def forth(self, reader: asyncio.StreamReader) -> None:
        """From the server to the database."""
        while data := await reader.read(CHUNK):
            if b"INSERT" in data:
                self._note(data)
            if self._wish and b"COMMIT" in data:
                self._cutter.cuts.append(self._wish)
                if self._wish.startswith("before"):
                    self._cut()
                    return
                self._is_over = True
            self._far.write(data)
            await self._far.drain()
        self._far.write_eof()

    async def back(self, reader: asyncio.StreamReader) -> None:
        """From the database to the server."""
        while data := await reader.read(CHUNK):
            if self._is_over:
                # The database has answered: it is committed, and nobody will hear of it.
                self._cut()
                return
            self._near.write(data)
            await self._near.drain()
        self._near.write_eof()

    def _note(self, data: bytes) -> None:
        for kind, token in WISH.findall(data):
            wish = f"{kind.decode()}-{token.decode()}"
            if wish not in self._cutter.cuts:
                self._wish = wish

    def _cut(self) -> None:
        raw = self._near.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._near.transport.abort()
        self._far.transport.abort()
