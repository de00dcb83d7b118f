"""The least that a WebSocket server in Python can do: the `websockets` library, sending back.

It checks nothing, knows nobody and stores nothing. Its round trip and its memory per open
connection are the yardstick for what the product's socket adds. Run as a module with the port.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve


async def echo(connection: ServerConnection) -> None:
    async for frame in connection:
        await connection.send(frame)


async def main(port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Neither compression nor pings: each costs more than the echo itself.
    options = {"compression": None, "ping_interval": None, "backlog": 4096}
    async with serve(echo, "127.0.0.1", port, **options):
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
