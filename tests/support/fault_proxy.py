"""A TCP proxy that breaks what runs through it: resets, cuts in mid-frame, silences."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter

CHUNK = 65536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
SILENCE_SECONDS = (0.2, 2.0)


class Link:
    """One proxied connection: two sockets and what is done to them."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.ends = (near, far)
        self.flows = asyncio.Event()
        self.flows.set()
        self.cut = False
        """Whether the next chunk is let through only in half, and then the line is reset."""

    def reset(self) -> None:
        """End both sockets with RST; bytes on their way are lost."""
        self.flows.set()
        for end in self.ends:
            raw = end.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.transport.abort()

    def silence(self, seconds: float) -> None:
        """Hold every byte back for a while, without a sign to either side."""
        self.flows.clear()
        asyncio.get_running_loop().call_later(seconds, self.flows.set)

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way until an end closes."""
        while data := await reader.read(CHUNK):
            await self.flows.wait()
            if self.cut:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                self.reset()
                return
            writer.write(data)
            await writer.drain()
        writer.write_eof()


class FaultProxy:
    """Listens on a port of its own in front of a local one.

    Args:
        target: the port that connections are carried to.
        dice: decides what happens to whom.
    """

    def __init__(self, target: int, dice: random.Random) -> None:
        self.target = target
        self.port = 0
        self.links: set[Link] = set()
        self.faults: Counter[str] = Counter()
        self._dice = dice
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        """Reset everything and stop listening."""
        if self._server is not None:
            self._server.close()
        for link in tuple(self.links):
            link.reset()
        # Not cancelled: asyncio's own callback would complain of each.
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def harass(self, every_seconds: float) -> None:
        """Break one connection after another until cancelled."""
        while True:
            await asyncio.sleep(self._dice.uniform(0, 2 * every_seconds))
            if self.links:
                self.break_one()

    def break_one(self) -> None:
        """Reset, cut or silence one connection."""
        link = self._dice.choice(sorted(self.links, key=id))
        fault = self._dice.choice(("reset", "cut", "silence"))
        self.faults[fault] += 1
        if fault == "reset":
            link.reset()
        elif fault == "cut":
            link.cut = True
        else:
            link.silence(self._dice.uniform(*SILENCE_SECONDS))

    async def _connect(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            near.transport.abort()
            return
        link = Link(near, far)
        self.links.add(link)
        try:
            with contextlib.suppress(OSError):
                await asyncio.gather(link.pump(reader, far), link.pump(far_reader, near))
        finally:
            self.links.discard(link)
            for end in link.ends:
                end.transport.abort()
