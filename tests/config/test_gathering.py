"""What a socket is sent in one turn of the loop is one write; order and pace stay."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("daphne.server", reason="installs Twisted's reactor first")
pytest.importorskip("uvicorn")

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from inbox.serving.gathering import MOST_BYTES, Gathered, text_frame
from inbox.serving.protocol import PromptProtocol
from inbox.serving.uvicorn import FrontdeskProtocol


class Transport(asyncio.Transport):
    """Counts writes; both asyncio's and as much of Twisted's as writing takes."""

    connected = True
    dataBuffer, offset, _tempDataLen = b"", 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def writeSomeData(self, data: bytes) -> int:
        self.writes.append(data)
        return len(data)

    def loseConnection(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def texts(client: ClientProtocol) -> list[str]:
    frames = [event for event in client.events_received() if isinstance(event, Frame)]
    return [bytes(frame.data).decode() for frame in frames if frame.opcode is Opcode.TEXT]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_read_as_it_was_written(size):
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(text_frame("ä" + "x" * size))
    assert texts(client) == ["ä" + "x" * size]


async def test_frames_of_one_turn_are_one_write_in_their_order():
    transport = Transport()
    gathered = Gathered(transport.write)
    for number in range(260):
        gathered.add(b"%d," % number)
    assert transport.writes == []
    await asyncio.sleep(0)
    assert transport.writes == [b"".join(b"%d," % number for number in range(260))]
    gathered.add(b"later")
    await asyncio.sleep(0)
    assert transport.writes[1:] == [b"later"]


async def test_what_piles_up_within_a_turn_is_felt_by_the_transport():
    transport = Transport()
    gathered = Gathered(transport.write)
    gathered.add(b"x" * MOST_BYTES)
    gathered.add(b"y")
    assert [len(data) for data in transport.writes] == [MOST_BYTES]


async def test_daphnes_socket_writes_once_a_turn_and_before_it_closes():
    protocol = PromptProtocol.__new__(PromptProtocol)
    protocol.state, protocol._perMessageCompress = protocol.STATE_OPEN, None
    protocol.send_queue = []
    protocol.transport = transport = Transport()
    protocol.gathered = Gathered(protocol._write)
    assert all(protocol.say(word) for word in ("one", "two"))
    protocol.sendData(b"control")
    assert transport.writes == []
    await asyncio.sleep(0)
    assert transport.writes == [text_frame("one") + text_frame("two") + b"control"]
    protocol.say("last")
    protocol._closeConnection()
    assert transport.writes[1:] == [text_frame("last")]
    assert transport.closed


class Line:
    """A client's end of uvicorn's protocol without a network between them."""

    def __init__(self, app: Any, *, deflate: bool = False) -> None:
        options = {"ws_per_message_deflate": deflate, "ws_ping_interval": None}
        config = Config(app, lifespan="off", log_config=None, **options)
        config.load()
        self.protocol = FrontdeskProtocol(config, ServerState(), {})
        self.transport = Transport()
        self.protocol.connection_made(self.transport)
        offered = [ClientPerMessageDeflateFactory()] if deflate else []
        self.client = ClientProtocol(parse_uri("ws://localhost/"), extensions=offered)
        self.client.send_request(self.client.connect())
        self.protocol.data_received(b"".join(self.client.data_to_send()))

    def read(self) -> list[str]:
        for data in self.transport.writes:
            self.client.receive_data(data)
        self.transport.writes.clear()
        return texts(self.client)

    def say(self, text: str) -> None:
        self.client.send_text(text.encode())
        self.protocol.data_received(b"".join(self.client.data_to_send()))


async def opened(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def test_uvicorns_socket_writes_once_a_turn_and_closes_behind_it():
    done = asyncio.Event()

    async def app(scope, receive, send):
        await opened(scope, receive, send)
        for word in ("one", "two", "three"):
            await send({"type": "websocket.send", "text": word})
        done.set()
        await receive()
        await send({"type": "websocket.send", "text": "goodbye"})
        await send({"type": "websocket.close", "code": 4013})

    line = Line(app)
    await done.wait()
    await asyncio.sleep(0)
    assert len(line.transport.writes) == 2, "the handshake and the three frames"
    assert line.read() == ["one", "two", "three"]
    line.say("go")
    while not line.protocol.close_sent:
        await asyncio.sleep(0)
    assert line.read() == ["goodbye"]
    assert line.client.close_rcvd is not None
    assert line.client.close_rcvd.code == 4013


async def test_what_an_application_said_last_is_written_when_it_returns():
    async def app(scope, receive, send):
        await opened(scope, receive, send)
        await send({"type": "websocket.send", "text": "bye"})

    line = Line(app)
    while not line.transport.closed:
        await asyncio.sleep(0)
    assert line.read() == ["bye"]


async def test_a_writer_on_uvicorn_waits_while_its_client_does_not_read():
    sent: list[int] = []

    async def app(scope, receive, send):
        await opened(scope, receive, send)
        await receive()
        for number in range(3):
            await send({"type": "websocket.send", "text": "x"})
            sent.append(number)
        await receive()

    line = Line(app)
    while not line.transport.writes:
        await asyncio.sleep(0)
    line.read()
    line.protocol.pause_writing()
    line.say("go")
    for _ in range(10):
        await asyncio.sleep(0)
    assert sent == []
    line.protocol.resume_writing()
    while len(sent) < 3:
        await asyncio.sleep(0)


async def test_a_compressed_socket_goes_uvicorns_own_way():
    async def app(scope, receive, send):
        await opened(scope, receive, send)
        await send({"type": "websocket.send", "text": "x" * 1000})
        await receive()

    line = Line(app, deflate=True)
    while len(line.transport.writes) < 2:
        await asyncio.sleep(0)
    assert len(line.transport.writes[1]) < 100
    assert line.read() == ["x" * 1000]
