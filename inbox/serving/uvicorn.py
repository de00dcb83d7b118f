"""uvicorn's WebSocket protocol with shorter ways in and out.

``uvicorn … --ws inbox.serving.uvicorn:FrontdeskProtocol``
"""

from __future__ import annotations

from asyncio import BaseTransport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from inbox.serving.events import ReadQueue
from inbox.serving.gathering import Gathered, text_frame


class FrontdeskProtocol(WebSocketsSansIOProtocol):
    """Writes the frames of one turn of the loop together, and reads on while few frames wait:
    uvicorn itself stops and starts reading for every single one."""

    def connection_made(self, transport: BaseTransport) -> None:
        """A request asks for a WebSocket."""
        super().connection_made(transport)
        self.queue = ReadQueue(self.transport.pause_reading, self.transport.resume_reading)  # type: ignore[assignment]
        # As if it had been paused: uvicorn leaves reading alone, the queue decides.
        self.read_paused = True
        self.gathered = Gathered(self._write)
        self._application, self.app = self.app, self._serve

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> Any:
        try:
            return await self._application(scope, receive, send)
        finally:
            self.gathered.flush()

    async def receive(self) -> Any:
        """The next event for the application."""
        return await self.queue.get()

    async def send(self, message: Any) -> None:
        """Take an event of the application; a text waits for the end of the loop's turn."""
        text = message.get("text")
        while text is not None and not self.writable.is_set():
            await self.writable.wait()
        if text is None or not self._takes_frames():
            self.gathered.flush()
            await super().send(message)
        else:
            self.gathered.add(text_frame(text))

    def _takes_frames(self) -> bool:
        open_ = self.conn.state is State.OPEN and not self.disconnected
        return open_ and not self.close_sent and not self.conn.extensions

    def handle_close(self, event: Any) -> None:
        """The client said goodbye: nothing may come behind the answer to that."""
        self.gathered.flush()
        super().handle_close(event)

    def shutdown(self) -> None:
        """The server stops."""
        self.gathered.flush()
        super().shutdown()
