"""Daphne as Frontdesk runs it: a long listen queue, a quiet log, and a stop that says goodbye.

Daphne's own stop cuts every socket without a close frame. Here the sockets are closed with 1001,
which `WebSocketProtocol.sendCloseFrame` can send (Daphne uses it for 1011), while an application
may only send 1000 and 3000-4999.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from functools import partial
from typing import Any

from channels.routing import get_default_application
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer, reactor

from inbox.commands.base import Write
from inbox.errors import CloseCode
from inbox.ports import close_connections
from inbox.realtime.hub import get_hub
from inbox.realtime.publish import attached_hub
from inbox.runner import current_runner
from inbox.serving.collector import settle
from inbox.serving.events import ReadQueue
from inbox.serving.limits import raise_file_limit
from inbox.serving.pressure import SendPressure
from inbox.serving.protocol import PromptProtocol, leave_debug_texts_plain

logger = logging.getLogger(__name__)

LISTEN_BACKLOG = 4096
"""Connections the kernel holds while the loop is busy; Twisted's 50 lost a reconnect storm."""
GOODBYE_SECONDS = 5.0
"""How long requests and closing handshakes may take once the process was told to stop."""


class FrontdeskServer(Server):  # type: ignore[misc]
    """One server process. `failed` tells why it never listened."""

    def __init__(self, application: Any, *, host: str, port: int, write: Write) -> None:
        # Colons separate an endpoint's arguments, so those of an IPv6 address are escaped.
        interface = host.replace(":", r"\:")
        endpoint = f"tcp:port={port}:interface={interface}:backlog={LISTEN_BACKLOG}"
        super().__init__(
            application,
            endpoints=[endpoint],
            signal_handlers=False,
            ready_callable=self.prepare,
            server_name="frontdesk",
            verbosity=0,
        )
        self.write = write
        self.failed = ""
        self.stopping = False
        self._ports: list[Any] = []

    def run(self) -> None:
        """Listen and serve until a signal or ``stop``."""
        # Before the port is open: whoever sees it open may send the signal at once.
        loop = reactor._asyncioEventloop
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.begin_stop)
        super().run()

    def prepare(self) -> None:
        """The last step before the loop runs."""
        # Close with a frame that names the reason (1007, 1009) instead of dropping the line.
        # The call forgets Daphne's own choice about a page without origin; the application decides.
        self.ws_factory.protocol = PromptProtocol
        self.ws_factory.setProtocolOptions(failByDrop=False, allowNullOrigin=True)
        PromptProtocol.share_options(self.ws_factory)
        leave_debug_texts_plain()
        # Due work is claimed from the first moment, not from the first visitor on.
        asyncio.get_event_loop().call_soon(get_hub)
        settle()

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)
        address = port.getHost()
        host = f"[{address.host}]" if ":" in address.host else address.host
        self.write(f"Listening on http://{host}:{address.port}/")

    def listen_error(self, failure: Any) -> None:
        self.failed = failure.getErrorMessage()
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As Daphne's own, but a socket's application feels its client's pace both ways."""
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        scope.setdefault("asgi", {"version": "3.0"})
        pressure = SendPressure()
        # The transport still has the HTTP channel as its producer from before the upgrade.
        protocol.transport.unregisterProducer()
        protocol.transport.registerProducer(pressure, True)  # noqa: FBT003 -- Twisted's interface
        transport = protocol.transport
        events = ReadQueue(transport.pauseProducing, transport.resumeProducing)
        running = self.application(
            scope=scope, receive=events.get, send=partial(self.handle_reply, protocol)
        )
        protocol.pressure = pressure
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(running)
        return events

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass a reply on; a frame returns only when the transport takes more."""
        is_frame = message["type"] == "websocket.send"
        if not is_frame or not protocol.say(message.get("text")):
            await super().handle_reply(protocol, message)
        if is_frame and protocol.pressure.full:
            await protocol.pressure.room()

    def begin_stop(self) -> None:
        """Called by a signal; a second one stops at once."""
        if self.stopping:
            self.stop()
            return
        self.stopping = True
        self._goodbye = asyncio.ensure_future(self.say_goodbye())

    async def say_goodbye(self) -> None:
        """Accept nobody new, close every socket with 1001, let requests finish, end."""
        for port in self._ports:
            port.stopListening()
        for protocol in list(self.connections):
            if isinstance(protocol, WebSocketProtocol):
                self.close(protocol)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.until_quiet()
        if (runner := current_runner()) is not None:
            await runner.stop(GOODBYE_SECONDS)
        if (hub := attached_hub()) is not None:
            await hub.close()
        await close_connections()
        self.stop()

    @staticmethod
    def close(protocol: Any) -> None:
        """Close one socket with 1001; one that is still shaking hands is simply dropped."""
        if protocol.state == protocol.STATE_OPEN:
            protocol.sendCloseFrame(code=int(CloseCode.GOING_AWAY))

    async def until_quiet(self) -> None:
        """Return when no application has anything left to do."""
        while left := [
            details["application_instance"]
            for details in self.connections.values()
            if self.is_busy(details)
        ]:
            await asyncio.wait(left)

    @staticmethod
    def is_busy(details: dict[str, Any]) -> bool:
        """Whether the application behind a connection still runs."""
        running = details.get("application_instance")
        return running is not None and not running.done()

    def kill_all_applications(self) -> defer.Deferred[Any]:
        """Cancel what is left; Daphne's own fails on connections without an application."""
        left = [
            details["application_instance"]
            for details in self.connections.values()
            if self.is_busy(details)
        ]
        for running in left:
            running.cancel()
        ended = asyncio.gather(*left, return_exceptions=True)
        return defer.Deferred.fromFuture(asyncio.ensure_future(ended))


def serve(*, host: str, port: int, write: Write) -> int:
    """Serve ASGI_APPLICATION until SIGTERM or SIGINT; 1 means that it could not listen."""
    raise_file_limit()
    server = FrontdeskServer(get_default_application(), host=host, port=port, write=write)
    server.run()
    if server.failed:
        logger.critical("Cannot listen on %s port %s: %s", host, port, server.failed)
        return 1
    return 0
