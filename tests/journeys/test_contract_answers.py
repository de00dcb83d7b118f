"""The contract's bot: streams, joining late, stopping, taking over, and both HTTP modes."""

from __future__ import annotations

import json
import time

import httpx2
import pytest

from tests.support.contract import Frame, Operator, Socket, Visitor, new_client_id
from tests.support.sites import Stack

WORDS = 60


@pytest.fixture(scope="module")
def stack_env() -> dict[str, str]:
    """A bot that says 60 words in three seconds."""
    return {"BOTS_BACKEND": "scripted", "SCRIPTED_TOKENS": str(WORDS), "SCRIPTED_RATE": "20"}


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    return Visitor(stack.visitor).start()


@pytest.fixture(scope="module")
def olga(stack: Stack) -> Operator:
    return Operator(stack.operator)


def rebuilt(frames: list[Frame], turn: str) -> str:
    """What a client shows that follows the rules for offsets and revisions."""
    text, revision = "", 0
    for frame in frames:
        if frame.get("turn") != turn:
            continue
        if frame["type"] == "response_start" and frame["revision"] > revision:
            text, revision = "", frame["revision"]
        if frame["type"] == "text_delta" and frame["revision"] == revision:
            if frame["offset"] == 0:
                text = frame["content"]
            elif frame["offset"] == len(text):
                text += frame["content"]
    return text


def words_shown(socket: Socket, count: int = 3) -> Frame:
    """Wait for some words and return the `response_start` they belong to."""
    start = socket.until("response_start")
    for _ in range(count):
        socket.until("text_delta", turn=start["turn"])
    return start


def post_answer(stack: Stack, **body: object) -> httpx2.Response:
    return httpx2.post(f"{stack.url}/api/chatbot", json=body, timeout=30, trust_env=False)


def records_of(answer: httpx2.Response) -> list[Frame]:
    assert answer.text.endswith("\n\n")
    parts = answer.text[:-2].split("\n\n")
    assert all(part.startswith("DATA:") and "\n" not in part for part in parts)
    return [json.loads(part.removeprefix("DATA:")) for part in parts]


def test_an_answer_streams_and_ends_exactly_once(vera: Visitor):
    with vera.joined() as socket:
        socket.say("tell me")
        start = socket.until("response_start")
        end = socket.until("response_end")
        stored = socket.until("message", role="assistant")
        socket.drain(0.5)
    assert set(start) == {"type", "turn", "revision", "message_id"}
    assert end["outcome"] == "done"
    assert end["turn"] == start["turn"]
    assert stored["id"] == start["message_id"]
    assert stored["content"] == end["full_content"] == rebuilt(socket.seen, start["turn"])
    assert len([frame for frame in socket.seen if frame["type"] == "response_end"]) == 1
    kinds = [frame["type"] for frame in socket.seen]
    if "sources" in kinds:
        assert kinds.index("sources") < kinds.index("text_delta")
    assert len([kind for kind in kinds if kind == "text_delta"]) > 5


def test_who_joins_mid_answer_on_any_process_sees_it_whole(stack: Stack, vera: Visitor):
    with vera.joined() as socket:
        socket.say("tell me")
        start = words_shown(socket, 8)
        other = Visitor(stack.operator, token=vera.token).start()
        joined_at = time.monotonic()
        with other.connect(since=0, epoch=vera.session["epoch"]) as late:
            assert late.until("response_start")["message_id"] == start["message_id"]
            assert late.until("text_delta")["offset"] == 0
            assert time.monotonic() - joined_at < 2.5
            end = late.until("response_end")
            assert rebuilt(late.seen, start["turn"]) == end["full_content"]
            assert late.until("message", role="assistant")["content"] == end["full_content"]


def test_stop_keeps_what_was_shown(vera: Visitor):
    with vera.joined() as socket:
        socket.say("tell me")
        start = words_shown(socket)
        socket.send("stop")
        end = socket.until("response_end", seconds=3)
        stored = socket.until("message", role="assistant")
        socket.drain(0.6)
    assert end["outcome"] == "cancelled"
    assert stored["content"] == end["full_content"]
    assert len(stored["content"].split()) < WORDS
    assert rebuilt(socket.seen, start["turn"]) == stored["content"]
    late = socket.seen[socket.seen.index(end) :]
    assert not [frame for frame in late if frame["type"] in {"text_delta", "response_start"}]


def test_nothing_of_the_bot_follows_a_take_over(vera: Visitor, olga: Operator):
    with vera.joined() as socket, olga.joined() as desk:
        socket.say("tell me")
        start = words_shown(socket)
        desk.send("subscribe", conversation_id=vera.id, since=0)
        assert desk.until("response_start")["conversation_id"] == vera.id
        assert desk.until("text_delta")["offset"] == 0
        assert olga.act(vera.id, "take").status_code == 200
        for reader in (socket, desk):
            reader.until("conversation", handled_by="operator")
            reader.drain(0.8)
            place = next(
                index
                for index, frame in enumerate(reader.seen)
                if frame["type"] == "conversation" and frame["handled_by"] == "operator"
            )
            late = {"text_delta", "sources", "response_start"}
            assert not [frame for frame in reader.seen[place:] if frame["type"] in late]
            assert not [
                frame
                for frame in reader.seen[place:]
                if frame["type"] == "typing" and frame["role"] == "assistant" and frame["is_typing"]
            ]
    durable = vera.events(0)["events"]
    kinds = [event.get("role") or event.get("handled_by") for event in durable]
    assert kinds.index("assistant") < kinds.index("operator")
    answer = next(event for event in durable if event.get("role") == "assistant")
    assert answer["id"] == start["message_id"]
    assert 0 < len(answer["content"].split()) < WORDS
    shown = rebuilt(socket.seen, start["turn"])
    # Exact where one process streams and takes over; between two, the last words cross.
    assert answer["content"].startswith(shown) or shown.startswith(answer["content"])
    assert abs(len(shown.split()) - len(answer["content"].split())) <= 5


def test_a_message_resent_during_the_answer_starts_no_second_one(vera: Visitor):
    with vera.joined() as socket:
        client_id = socket.say("tell me")
        socket.until("response_start")
        socket.say("tell me", client_id=client_id)
        vera.post("tell me", client_id)
        socket.until("response_end")
        socket.drain(0.6)
    assert len([frame for frame in socket.seen if frame["type"] == "response_start"]) == 1
    roles = [event.get("role") for event in vera.events(0)["events"] if event["type"] == "message"]
    assert roles == ["user", "assistant"]


def test_asking_for_a_person_ends_the_answer_and_queues(vera: Visitor):
    with vera.joined() as socket:
        socket.say("tell me")
        words_shown(socket)
        socket.send("request_human")
        end = socket.until("response_end")
        assert end["outcome"] in {"cancelled", "handed_over"}
        socket.until("conversation", handled_by="queue")
        socket.until("queue")
        lines = [frame for frame in socket.drain(0.6) if frame.get("role") == "system"]
        assert len(lines) == 1
        socket.say("anyone?")
        socket.until("ack")
        assert not [f for f in socket.drain(0.6) if f["type"] == "response_start"]


def test_the_plain_answer_has_answer_and_sources(stack: Stack):
    answer = post_answer(stack, query="How long does delivery take?")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"answer", "sources"}
    assert body["answer"]
    for source in body["sources"]:
        assert set(source) == {"url", "title", "snippet"}


def test_the_streamed_answer_has_sources_first_then_text_then_end(stack: Stack):
    answer = post_answer(
        stack, query="How long does delivery take?", stream=True, language=None, widget=None
    )
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    records = records_of(answer)
    assert [record["type"] for record in records[:2]] == ["sources", "text"]
    assert isinstance(records[0]["data"], list)
    assert {record["type"] for record in records[1:-1]} == {"text"}
    assert records[-1]["type"] == "end"
    assert len(records) > 10


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_field", "query"),
        ({"query": None}, "invalid_field", "query"),
        ({"query": 7}, "invalid_field", "query"),
        ({"query": "  "}, "empty_message", None),
        ({"query": "x" * 4001}, "too_long", None),
        ({"query": "a\x00"}, "invalid_text", None),
        ({"query": "hello", "stream": "yes"}, "invalid_field", "stream"),
        ({"query": "hello", "widget": "nobody"}, "unknown_widget", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_answer_api_refuses_before_the_first_record(
    stack: Stack, body: dict[str, object], code: str, field: str | None, stream: bool
):
    answer = post_answer(stack, **{"stream": stream, **body})
    assert 400 <= answer.status_code < 500
    refusal = answer.json()
    assert refusal["code"] == code
    assert refusal["retryable"] is False
    assert field is None or refusal["field"] == field


def test_the_answer_api_honours_the_widget_s_origins_and_keeps_nothing(stack: Stack):
    url, body = f"{stack.url}/api/chatbot", {"query": "hello"}
    refused = httpx2.post(url, json=body, headers={"Origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    allowed = httpx2.post(url, json=body, headers={"Origin": stack.url}, timeout=30)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == stack.url
    preflight = httpx2.options(
        url, headers={"Origin": stack.url, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code in {200, 204}
    assert preflight.headers["access-control-allow-origin"] == stack.url
    assert httpx2.get(url).status_code == 405


def test_messages_queued_behind_each_other_keep_their_order(vera: Visitor):
    with vera.joined() as socket:
        ids = [new_client_id() for _ in range(8)]
        for number, client_id in enumerate(ids):
            socket.say(f"message {number}", client_id=client_id)
        acks = [socket.until("ack", client_id=client_id)["seq"] for client_id in ids]
    assert acks == sorted(acks)
