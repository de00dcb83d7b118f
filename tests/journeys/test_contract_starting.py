"""The contract's third section: sessions, tickets, sockets and the plain HTTP ways."""

from __future__ import annotations

import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.contract import Visitor, new_client_id, open_socket
from tests.support.sites import Stack

RECEIPT = ("client_id", "id", "seq", "timestamp")
REFUSAL = {"code", "message", "retryable"}
QUESTION = "How long does delivery take?"


def refusal_of(answer: httpx2.Response) -> str:
    """The code of a refusal, after a look at its shape."""
    body = answer.json()
    assert set(body) >= REFUSAL, body
    assert isinstance(body["retryable"], bool)
    assert body["message"]
    assert set(body) <= REFUSAL | {"retry_after", "field"}
    return str(body["code"])


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    return Visitor(stack.visitor).start()


def test_a_session_names_everything_a_widget_needs(vera: Visitor):
    session = vera.session

    assert uuid.UUID(session["session_id"])
    assert session["conversation"] is None
    assert session["head"] == 0
    assert session["unread"] == 0
    assert session["epoch"]
    address = urlsplit(session["ws_url"])
    assert address.scheme == "ws"
    assert address.netloc == urlsplit(vera.server.url).netloc
    assert address.path == f"/ws/chat/{vera.id}/"
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", session["ticket"])
    assert isinstance(session["widget"]["online"], bool)
    assert session["widget"]["features"]
    assert session["widget"]["strings"]


def test_a_session_sets_no_cookie_and_is_not_cached(vera: Visitor):
    answer = vera.post_session()

    assert "set-cookie" not in answer.headers
    assert "no-store" in answer.headers["cache-control"]


def test_the_same_token_gives_the_same_session_on_every_device(stack: Stack, vera: Visitor):
    other_device = Visitor(stack.operator, token=vera.token).start()
    assert other_device.id == vera.id

    vera.post("hello")
    assert Visitor(stack.operator, token=vera.token).start().id == vera.id


def test_two_guests_have_two_sessions(stack: Stack, vera: Visitor):
    assert Visitor(stack.visitor).start().id != vera.id


def test_no_conversation_exists_before_the_first_message(vera: Visitor):
    assert vera.call("GET", "conversations").json()["results"] == []
    vera.joined().close()
    assert vera.start().session["conversation"] is None

    vera.post("hello")
    vera.start()
    assert vera.session["conversation"]["status"] == "open"
    assert vera.session["head"] >= 1
    own = vera.call("GET", "conversations").json()["results"]
    assert [row["id"] for row in own] == [vera.id]


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "", None])
def test_a_token_that_is_none_begins_a_new_guest_or_is_refused(stack: Stack, token: str | None):
    answer = Visitor(stack.visitor).post_session(token=token)
    assert answer.status_code in {201, 401}
    if answer.status_code == 401:
        assert refusal_of(answer) == "invalid_token"


def test_an_unknown_widget_is_refused(stack: Stack):
    answer = Visitor(stack.visitor, widget="no-such-widget").post_session()
    assert 400 <= answer.status_code < 500
    assert refusal_of(answer) == "unknown_widget"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "bad_json"),
        ('{"widget": "demo", "widget": "demo"}', "bad_json"),
        ('{"widget": NaN}', "bad_json"),
        ("[]", "bad_frame"),
        ('{"widget": 7}', "invalid_field"),
        ('{"widget": "demo", "page": {"url": 7}}', "invalid_field"),
    ],
)
def test_a_malformed_session_request_is_refused(stack: Stack, body: str, code: str):
    headers = {"Content-Type": "application/json", "Origin": stack.url}
    answer = httpx2.post(f"{stack.url}/chat/session", content=body, headers=headers)
    assert answer.status_code == 400
    assert refusal_of(answer) == code


def test_the_socket_answers_with_the_subprotocol_and_greets(vera: Visitor):
    with vera.connect() as socket:
        assert socket.connection.subprotocol == "chat.v1"
        connected = socket.next()

    assert connected["type"] == "connected"
    assert connected["session_id"] == vera.id
    assert connected["epoch"] == vera.session["epoch"]
    assert connected["head"] == 0
    assert 0 < connected["heartbeat_seconds"] <= 30
    assert connected["limits"] == {"max_frame_bytes": 20480, "max_message_chars": 4000}
    assert {"conversation", "reads", "timestamp"} <= set(connected)


def test_a_ticket_is_used_once_on_all_processes_together(stack: Stack, vera: Visitor):
    ticket = vera.session["ticket"]
    with vera.connect(ticket=ticket) as socket:
        socket.until("connected")
    other = Visitor(stack.operator, token=vera.token).start()
    with other.connect(ticket=ticket) as socket:
        assert socket.close_code() == 4401


def test_no_ticket_a_bad_one_and_one_of_another_are_refused_with_4401(stack: Stack, vera: Visitor):
    stranger = Visitor(stack.visitor).start()
    for protocols in (
        None,
        ["chat.v1"],
        ["chat.v1", "ticket.nonsense"],
        ["chat.v1", f"ticket.{vera.session['ticket'][:-2]}xx"],
        ["chat.v1", f"ticket.{stranger.session['ticket']}"],
    ):
        url = vera.session["ws_url"]
        with open_socket(url, origin=vera.origin, protocols=protocols) as socket:
            assert socket.close_code() == 4401, protocols


def test_a_ticket_in_the_address_is_worth_nothing(vera: Visitor):
    url = f"{vera.session['ws_url']}?ticket={vera.session['ticket']}&token={vera.token}"
    with open_socket(url, origin=vera.origin, protocols=["chat.v1"]) as socket:
        assert socket.close_code() == 4401


@pytest.mark.parametrize("session_id", ["not-a-uuid", "00000000-0000-4000-8000-000000000000"])
def test_a_session_that_is_not_mine_is_no_way_in(vera: Visitor, session_id: str):
    with vera.connect(session_id=session_id) as socket:
        code_or_frame = socket.close_code()
    assert code_or_frame in {4401, 1000, 4400}
    assert not any(frame["type"] == "connected" for frame in socket.seen)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
def test_a_foreign_origin_is_closed_with_4403(vera: Visitor, origin: str):
    with vera.connect(origin=origin) as socket:
        assert socket.close_code() == 4403


def test_a_foreign_origin_is_refused_over_http_and_learns_nothing(vera: Visitor):
    headers = {"Origin": "https://evil.example"}
    answer = vera.http.post("/chat/session", json={"widget": "demo"}, headers=headers)
    assert answer.status_code == 403
    assert refusal_of(answer) == "origin_not_allowed"
    assert "access-control-allow-origin" not in answer.headers
    again = vera.call("POST", "messages", json={}, headers=headers)
    assert again.status_code == 403


def test_cors_names_the_exact_origin_without_credentials(vera: Visitor):
    preflight = vera.http.options(
        "/chat/messages",
        headers={
            "Origin": vera.origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    assert preflight.status_code in {200, 204}
    assert preflight.headers["access-control-allow-origin"] == vera.origin
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed

    for answer in (vera.post_session(), vera.call("GET", "conversations"), preflight):
        assert answer.headers["access-control-allow-origin"] == vera.origin
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "events"), ("POST", "messages"), ("POST", "frames"), ("GET", "conversations")],
)
def test_plain_http_wants_the_token(vera: Visitor, method: str, path: str):
    for value in ("", "Bearer nonsense", f"Basic {vera.token}"):
        answer = vera.call(method, path, headers={"Authorization": value})
        assert answer.status_code == 401
        assert refusal_of(answer) == "invalid_token"


def test_a_message_over_http_is_created_once_and_answered_alike(vera: Visitor):
    client_id = new_client_id()
    first, again = vera.post("hello", client_id), vera.post("hello", client_id)

    assert (first.status_code, again.status_code) == (201, 200)
    assert set(first.json()) == {"client_id", "id", "seq", "timestamp"}
    assert first.json() == again.json()

    conflict = vera.post("something else", client_id)
    assert conflict.status_code == 409
    assert refusal_of(conflict) == "client_id_conflict"
    assert conflict.json()["retryable"] is False


def test_a_message_of_the_socket_resent_over_http_is_the_same_and_vice_versa(vera: Visitor):
    with vera.joined() as socket:
        first = socket.say("first")
        ack = socket.until("ack", client_id=first)
        over_http = vera.post("first", first)
        assert over_http.status_code == 200
        assert over_http.json() == {key: ack[key] for key in RECEIPT}

        second = new_client_id()
        stored = vera.post("second", second).json()
        socket.say("second", client_id=second)
        ack = socket.until("ack", client_id=second)
        assert stored == {key: ack[key] for key in RECEIPT}
    rows = [event for event in vera.events()["events"] if event.get("role") == "user"]
    assert [row["content"] for row in rows] == ["first", "second"]


def test_http_frames_answer_204_and_refuse_like_the_socket(vera: Visitor):
    vera.post("hello")
    for type_, fields in (
        ("typing", {"is_typing": True}),
        ("read", {"seq": 1}),
        ("page", {"url": "https://shop.example/a", "title": "A"}),
        ("ping", {}),
        ("stop", {}),
    ):
        answer = vera.frame(type_, **fields)
        assert answer.status_code == 204, (type_, answer.text)
    assert refusal_of(vera.frame("no_such_frame")) == "unknown_type"
    assert refusal_of(vera.frame("typing", is_typing="yes")) == "invalid_field"
    assert vera.frame("typing", is_typing="yes").json()["field"] == "is_typing"


def test_events_come_after_since_without_a_hole(vera: Visitor):
    for number in range(4):
        vera.post(f"message {number}")
    page = vera.events(0)
    assert set(page) == {"session_id", "epoch", "head", "events"}
    assert [event["seq"] for event in page["events"]] == list(range(1, page["head"] + 1))
    since = page["events"][2]["seq"]
    assert vera.events(since)["events"][0]["seq"] == since + 1


def test_a_since_beyond_the_head_or_of_another_epoch_is_told_to_reset(vera: Visitor):
    vera.post("hello")
    assert set(vera.events(9999)) == {"reset"}
    assert set(vera.events(1, epoch="another")) == {"reset"}


def test_a_long_poll_waits_and_returns_at_once_on_news(stack: Stack, vera: Visitor):
    vera.post("hello")
    said = vera.events(0)
    while "assistant" not in {e["role"] for e in said["events"] if e["type"] == "message"}:
        said = vera.events(said["head"])
    head = said["head"]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(vera.events, head, epoch=vera.session["epoch"])
        time.sleep(0.7)
        assert not waiting.done()
        other = Visitor(stack.operator, token=vera.token)
        started = time.monotonic()
        other.post("news")
        events = waiting.result(timeout=5)["events"]
        assert time.monotonic() - started < 3
    assert events[0]["content"] == "news"
    assert events[0]["seq"] == head + 1


def test_server_sent_events_carry_ids_only_on_durable_frames(vera: Visitor):
    vera.post(QUESTION)
    headers = {"Authorization": f"Bearer {vera.token}", "Accept": "text/event-stream"}
    with vera.http.stream("GET", "/chat/events?since=0", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        durable, ephemeral, record = [], [], {}
        for line in answer.iter_lines():
            name, _, value = line.partition(":")
            if name:
                record[name] = value.strip()
                continue
            if "data" in record:
                frame = json.loads(record["data"])
                (durable if "id" in record else ephemeral).append((record.get("id"), frame))
            if record.get("data", "").find('"role": "assistant"') > 0 or len(durable) >= 3:
                break
            record = {}
    assert [int(id_ or 0) for id_, _ in durable] == [frame["seq"] for _, frame in durable]
    assert [frame["seq"] for _, frame in durable] == [1, 2, 3]
    assert all("seq" not in frame for _, frame in ephemeral)


def test_foreign_conversations_do_not_exist(stack: Stack, vera: Visitor):
    stranger = Visitor(stack.visitor).start()
    stranger.post("secret")
    missing = vera.call("GET", f"conversations/{uuid.uuid4()}/events", params={"since": 0})
    foreign = vera.call("GET", f"conversations/{stranger.id}/events", params={"since": 0})
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert refusal_of(missing) == refusal_of(foreign) == "not_found"
    assert missing.json() == foreign.json()


def test_the_launcher_is_served_to_any_page(stack: Stack):
    answer = httpx2.get(f"{stack.url}/chat/widget.js", headers={"Origin": "https://any.example"})
    assert answer.status_code == 200
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["access-control-allow-origin"] == "*"
