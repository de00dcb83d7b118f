"""Daphne's WebSocket protocol with shorter ways in and out; for plain TCP, all that we serve."""

from __future__ import annotations

from typing import Any

import autobahn.twisted.websocket
import autobahn.websocket.protocol
from daphne.ws_protocol import WebSocketProtocol

from inbox.serving.gathering import Gathered, text_frame
from inbox.serving.pressure import SendPressure

DEBUG_TEXTS = ("pformat", "hltype", "hlval")
"""What autobahn formats its debug lines with, whether or not anybody keeps them."""


def _plain(value: Any, **_style: Any) -> Any:
    return value


def leave_debug_texts_plain() -> None:
    """Let autobahn pass values to its debug log as they are.

    It prints all options of every connection prettily for a line that is thrown away: a third
    of what a handshake costs.
    """
    for module in (autobahn.websocket.protocol, autobahn.twisted.websocket):
        for name in DEBUG_TEXTS:
            if hasattr(module, name):
                setattr(module, name, _plain)


def write_at_once(transport: Any, data: bytes) -> None:
    """Give data to the kernel now and only what it does not take to the reactor.

    Twisted writes in its next turn: it registers the socket for writing, asks the kernel whether
    it may, writes and takes the registration back, which costs more than the frame itself.
    """
    if transport.connected and not _has_waiting(transport):
        sent = transport.writeSomeData(data)
        # A broken connection is not a number: the reactor finds out and ends it.
        data = data[sent:] if isinstance(sent, int) else data
    if data:
        transport.write(data)


def _has_waiting(transport: Any) -> bool:
    return bool(transport._tempDataLen) or len(transport.dataBuffer) > transport.offset


class PromptProtocol(WebSocketProtocol):  # type: ignore[misc]
    """Writes the frames of one turn of the loop together and without Twisted's detour, and
    composes no line for a log that nobody keeps with each read and write."""

    pressure: SendPressure

    def connectionMade(self) -> None:
        """Somebody is there."""
        self.gathered = Gathered(self._write)
        super().connectionMade()

    def _write(self, data: bytes) -> None:
        write_at_once(self.transport, data)

    def dataReceived(self, data: bytes) -> None:
        """What the client sent."""
        self._dataReceived(data)

    def say(self, text: str | None) -> bool:
        """Send a text frame; False when this one has to go autobahn's way."""
        plain = text and self.state == self.STATE_OPEN and self._perMessageCompress is None
        if not text or not plain:
            return False
        self.gathered.add(text_frame(text))
        return True

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: FBT001, FBT002 -- autobahn's interface
        """Handshakes, and frames that autobahn has made."""
        if sync or chopsize or self.send_queue:
            self.gathered.flush()
            super().sendData(data, sync, chopsize)
        else:
            self.gathered.add(data)

    def _closeConnection(self, abort: bool = False) -> None:  # noqa: FBT001, FBT002 -- autobahn's interface
        self.gathered.flush()
        super()._closeConnection(abort)

    @classmethod
    def share_options(cls, factory: Any) -> None:
        """Keep the factory's options on the class: what it finds there, a connection does not
        copy for itself."""
        for name in cls.CONFIG_ATTRS:
            option = getattr(factory, name)
            # Some are functions, which would become methods.
            setattr(cls, name, staticmethod(option) if callable(option) else option)
