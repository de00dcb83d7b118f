"""The jobs of well-known small chat clients, done against this wire with its handshake."""

from __future__ import annotations

import codecs
import json
from typing import Any

import httpx2
import pytest

from tests.support.contract import Frame, Operator, Socket, Visitor, new_client_id
from tests.support.sites import Stack

QUESTION = "How long does delivery take?"


class MessageListClient:
    """Shows whole messages and a typing line; loads its history when it connects."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.messages: list[Frame] = []
        self.is_typing = False
        self.typed: list[bool] = []
        self.socket = visitor.connect(since=0, epoch=visitor.session["epoch"])

    def send_message(self, text: str) -> None:
        if text.strip():
            self.socket.say(text.strip())

    def read_until(self, role: str) -> Frame:
        while True:
            data = self.socket.next()
            if data["type"] == "typing":
                self.is_typing = data["is_typing"]
                self.typed.append(self.is_typing)
            elif data["type"] == "message":
                self.messages.append(data)
                if data["role"] == role:
                    return data


class StreamingClient:
    """Switches on the type of each frame, buffers deltas and replaces them by the full text."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.called: list[str] = []
        self.typing: list[bool] = []
        self.chunks: list[str] = []
        self.complete: list[str] = []
        self.errors: list[str] = []
        self.buffer = ""
        self.socket: Socket = visitor.connect()

    def handle(self, data: Frame) -> None:
        self.called.append(data["type"])
        match data["type"]:
            case "typing":
                self.typing.append(data["is_typing"])
            case "text_delta":
                self.buffer += data["content"]
                self.chunks.append(self.buffer)
            case "response_end":
                self.buffer = ""
                self.complete.append(data["full_content"])
            case "error":
                self.errors.append(data["message"])

    def send(self, content: str) -> None:
        self.socket.send("message", client_id=new_client_id(), content=content)

    def read_until(self, type_: str) -> Frame:
        while True:
            data = self.socket.next()
            self.handle(data)
            if data["type"] == type_:
                return data

    def reconnect(self) -> None:
        self.socket = self.visitor.connect()


class LineReader:
    """Splits a streamed body into lines and reads those that begin with ``DATA:``."""

    def __init__(self) -> None:
        self.sources: list[Frame] | None = None
        self.full_text = ""
        self.ended = False
        self.error = ""
        self.order: list[str] = []
        self._buffer = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, value: bytes) -> None:
        self._buffer += self._decoder.decode(value)
        *lines, self._buffer = self._buffer.split("\n")
        self._read(lines)

    def finish(self) -> None:
        if self._buffer.strip():
            self._read(self._buffer.split("\n"))

    def _read(self, lines: list[str]) -> None:
        for line in lines:
            if not line.startswith("DATA:"):
                continue
            data = json.loads(line[5:])
            self.order.append(data["type"])
            if data["type"] == "sources":
                self.sources = data["data"]
            elif data["type"] == "text":
                self.full_text += data["data"]
            elif data["type"] == "end":
                self.ended = True
            elif data["type"] == "error":
                self.error = data["data"]


def ask(stack: Stack, chunk: int = 4096, **body: Any) -> LineReader:
    """Read a streamed answer in pieces of so many bytes."""
    reader = LineReader()
    url = f"{stack.url}/api/chatbot"
    with httpx2.stream("POST", url, json={"stream": True, **body}, timeout=30) as answer:
        assert answer.status_code == 200
        for value in answer.iter_bytes(chunk):
            reader.feed(value)
    reader.finish()
    return reader


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    return Visitor(stack.visitor).start()


def test_a_message_list_shows_typing_and_the_whole_answer(vera: Visitor):
    client = MessageListClient(vera)
    client.send_message(f"  {QUESTION}  ")
    answer = client.read_until("assistant")
    if client.is_typing:
        client.is_typing = client.socket.until("typing", is_typing=False)["is_typing"]
    client.socket.close()
    assert set(answer) >= {"id", "role", "content", "timestamp"}
    assert [message["role"] for message in client.messages] == ["user", "assistant"]
    assert client.messages[0]["content"] == QUESTION
    assert client.typed[0] is True
    assert not client.is_typing


def test_a_message_list_has_its_history_again_after_a_reload(stack: Stack, vera: Visitor):
    client = MessageListClient(vera)
    client.send_message(QUESTION)
    client.read_until("assistant")
    client.socket.close()

    again = Visitor(stack.operator, token=vera.token).start()
    assert again.id == vera.id
    reloaded = MessageListClient(again)
    reloaded.read_until("assistant")
    reloaded.socket.close()
    assert reloaded.messages == client.messages


def test_a_message_of_an_empty_box_is_never_sent(vera: Visitor):
    client = MessageListClient(vera)
    client.send_message("   ")
    client.socket.settled()
    client.socket.close()
    assert vera.start().session["head"] == 0


def test_a_streaming_client_builds_the_answer_from_deltas(vera: Visitor):
    client = StreamingClient(vera)
    connected = client.read_until("connected")
    assert connected["session_id"] == vera.id
    assert connected["timestamp"]
    client.send(QUESTION)
    client.read_until("response_start")
    client.read_until("response_end")
    while not client.typing or client.typing[-1]:
        client.read_until("typing")
    client.socket.close()
    assert client.called[0] == "connected"
    assert client.chunks[-1] == client.complete[0]
    assert all(client.chunks[-1].startswith(chunk) for chunk in client.chunks)
    assert client.typing[0] is True
    assert client.errors == []
    assert client.called.index("response_start") < client.called.index("text_delta")


def test_a_streaming_client_pings_reconnects_and_goes_on(vera: Visitor):
    client = StreamingClient(vera)
    client.read_until("connected")
    client.socket.send("ping")
    client.read_until("pong")
    client.send("hello")
    client.read_until("response_end")
    client.socket.close()

    client.reconnect()
    assert client.read_until("connected")["session_id"] == vera.id
    client.send(QUESTION)
    client.read_until("response_end")
    client.socket.close()
    assert len(client.complete) == 2


def test_a_streaming_client_shows_the_sentence_of_an_error(vera: Visitor):
    client = StreamingClient(vera)
    client.read_until("connected")
    client.send("")
    client.read_until("error")
    client.socket.close()
    assert client.errors[0]


def test_a_form_shows_answer_and_sources(stack: Stack):
    body = {"query": QUESTION, "stream": False, "language": "en"}
    data = httpx2.post(f"{stack.url}/api/chatbot", json=body, timeout=30).json()
    assert data["answer"]
    assert data["sources"]
    for source in data["sources"]:
        assert source["url"]
        assert source["title"]
        assert source["snippet"]


@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_a_form_reads_the_stream_however_it_is_cut(stack: Stack, chunk: int):
    reader = ask(stack, chunk, query=QUESTION, language="en")
    assert reader.sources
    assert reader.full_text
    assert reader.ended
    assert not reader.error
    assert reader.order[0] == "sources"
    assert reader.order[-1] == "end"
    assert set(reader.order[1:-1]) == {"text"}


def test_both_modes_say_the_same(stack: Stack):
    body = {"query": "Wie lange dauert die Lieferung?", "language": "de"}
    plain = httpx2.post(f"{stack.url}/api/chatbot", json=body, timeout=30).json()
    streamed = ask(stack, **body)
    assert streamed.full_text == plain["answer"]
    assert streamed.sources == plain["sources"]
    assert any(word in plain["answer"] for word in ("Werktag", "Tage", "liefern"))


def test_a_form_without_a_question_is_told_an_http_error(stack: Stack):
    for body in ({"query": None, "stream": True, "language": None}, {"query": ""}):
        answer = httpx2.post(f"{stack.url}/api/chatbot", json=body)
        assert answer.status_code == 400


def test_a_bot_hands_over_to_a_person_in_the_same_window(stack: Stack, vera: Visitor):
    olga = Operator(stack.operator)
    client = MessageListClient(vera)
    client.send_message(QUESTION)
    client.read_until("assistant")
    assert olga.act(vera.id, "take").status_code == 200
    olga.write(vera.id, "Olga here, may I help?")
    shown = client.read_until("operator")
    client.socket.close()
    assert shown["content"] == "Olga here, may I help?"
