"""The contract's refusals: every code with its shape, the limits and the close codes."""

from __future__ import annotations

import json
import time
import uuid

import pytest

from tests.support.contract import Frame, Operator, Visitor, new_client_id
from tests.support.sites import MakeSite, Server, Stack

RETRYABLE = {"rate_limited", "try_again"}
EMOJI = "\N{GRINNING FACE}"
HUGE = "x" * 70_000


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    return Visitor(stack.visitor).start()


@pytest.fixture(scope="module")
def strict_server(make_module_site: MakeSite) -> Server:
    """A site with the limits as they are by default."""
    return make_module_site("sqlite", RATE_LIMITS="1").start()


def check(error: Frame, code: str, field: str | None = None) -> None:
    assert error["code"] == code, error
    assert error["retryable"] is (code in RETRYABLE)
    assert error["message"]
    assert field is None or error["field"] == field
    assert "seq" not in error


MESSAGE = {"type": "message", "client_id": "c1", "content": "hello"}
MALFORMED = [
    ("{", "bad_json", None),
    ("", "bad_json", None),
    ('{"type":"ping","type":"ping"}', "bad_json", None),
    ('{"type":"ping","deep":{"a":1,"a":2}}', "bad_json", None),
    ('{"type":"ping","x":NaN}', "bad_json", None),
    ('{"type":"ping","x":-Infinity}', "bad_json", None),
    ('{"type":"ping","x":' + "[" * 16 + "]" * 16 + "}", "bad_json", None),
    ('{"type":"ping","x":' + "[" * 9000 + "]" * 9000 + "}", "bad_json", None),
    ('{"type":"ping"} x', "bad_json", None),
    ("[]", "bad_frame", None),
    ("7", "bad_frame", None),
    ("null", "bad_frame", None),
    ('"ping"', "bad_frame", None),
    (b"\x00\x01", "binary_not_supported", None),
    ({"type": "no_such_type"}, "unknown_type", None),
    ({**MESSAGE, "client_id": 7}, "invalid_field", "client_id"),
    ({**MESSAGE, "client_id": ""}, "invalid_field", "client_id"),
    ({**MESSAGE, "client_id": "x" * 65}, "invalid_field", "client_id"),
    ({**MESSAGE, "client_id": "a b"}, "invalid_field", "client_id"),
    ({**MESSAGE, "client_id": "a\n"}, "invalid_field", "client_id"),
    ({**MESSAGE, "client_id": "ä"}, "invalid_field", "client_id"),
    ({"type": "message", "content": "hello"}, "invalid_field", "client_id"),
    ({"type": "message", "client_id": "c1"}, "invalid_field", "content"),
    ({**MESSAGE, "content": None}, "invalid_field", "content"),
    ({**MESSAGE, "content": ["x"]}, "invalid_field", "content"),
    ({**MESSAGE, "attachments": [str(uuid.uuid4()), 7]}, "invalid_field", "attachments[1]"),
    ({"type": "typing"}, "invalid_field", "is_typing"),
    ({"type": "typing", "is_typing": 1}, "invalid_field", "is_typing"),
    ({"type": "read", "seq": "1"}, "invalid_field", "seq"),
    ({"type": "read", "seq": True}, "invalid_field", "seq"),
    ({"type": "read", "seq": 1.5}, "invalid_field", "seq"),
    ({"type": "read", "seq": -1}, "invalid_field", "seq"),
    ({"type": "resume"}, "invalid_field", "since"),
    ({"type": "resume", "since": -1}, "invalid_field", "since"),
    ({"type": "rating", "score": 0}, "invalid_field", "score"),
    ({"type": "rating", "score": 6}, "invalid_field", "score"),
    ({"type": "page", "url": 7, "title": ""}, "invalid_field", "url"),
]


def test_each_malformed_frame_is_an_error_and_the_socket_lives(vera: Visitor):
    for start in range(0, len(MALFORMED), 4):
        with vera.joined() as socket:
            for raw, code, field in MALFORMED[start : start + 4]:
                socket.send_raw(json.dumps(raw) if isinstance(raw, dict) else raw)
                error = socket.until("error")
                assert error["code"] == code, raw
                check(error, code, field)
            socket.settled()
    assert vera.start().session["head"] == 0


def test_a_frame_without_a_type_is_an_error_and_the_socket_lives(vera: Visitor):
    with vera.joined() as socket:
        for raw in ("{}", '{"type":7}', '{"type":null}'):
            socket.send_raw(raw)
            assert socket.until("error")["code"] in {"bad_frame", "invalid_field", "unknown_type"}
        socket.settled()


def test_refused_contents_store_nothing_and_name_their_client_id(vera: Visitor):
    contents = [
        ("", "empty_message"),
        (" \n\t\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}", "empty_message"),
        ("a\x00b", "invalid_text"),
        ("a\ud800b", "invalid_text"),
        (EMOJI * 4001, "too_long"),
        ("x" * 4001, "too_long"),
        ("x" * 21_000, "too_large"),
    ]
    for content, code in contents:
        with vera.joined() as socket:
            client_id = new_client_id()
            frame = {"type": "message", "client_id": client_id, "content": content}
            if code == "too_long":
                socket.send_raw(json.dumps(frame, ensure_ascii=False))
            else:
                socket.send_raw(json.dumps(frame))
            error = socket.until("error")
            assert error["code"] == code
            assert error["retryable"] is False
            if code != "too_large":
                assert error["client_id"] == client_id
            socket.settled()
    assert vera.start().session["head"] == 0


def test_nesting_of_sixteen_is_allowed_and_unknown_fields_are_ignored(vera: Visitor):
    with vera.joined() as socket:
        socket.send_raw('{"type":"ping","x":' + "[" * 15 + "]" * 15 + "}")
        socket.until("pong")
        socket.send("typing", is_typing=True, mood="good", since=-1)
        client_id = socket.say("hello", extra={"a": [1]}, seq="no")
        socket.until("ack", client_id=client_id)


def test_four_thousand_emoji_are_one_message(vera: Visitor):
    with vera.joined() as socket:
        client_id = new_client_id()
        frame = {"type": "message", "client_id": client_id, "content": EMOJI * 4000}
        socket.send_raw(json.dumps(frame, ensure_ascii=False))
        socket.until("ack", client_id=client_id)
        assert socket.until("message", client_id=client_id)["content"] == EMOJI * 4000


def test_the_frame_limit_counts_bytes_not_characters(vera: Visitor):
    def padded(size: int) -> str:
        head = '{"type":"ping","pad":"'
        room = size - len(head) - 2
        return head + "é" * (room // 2) + "x" * (room % 2) + '"}'

    with vera.joined() as socket:
        fits = padded(20_480)
        assert len(fits.encode()) == 20_480
        socket.send_raw(fits)
        socket.until("pong")
        socket.send_raw(padded(20_481))
        check(socket.until("error"), "too_large")
        socket.send_raw(padded(65_536))
        check(socket.until("error"), "too_large")
        socket.settled()
        socket.send_raw(padded(65_600))
        assert socket.close_code() in {4009, 1009}


def test_http_bodies_have_the_same_limits(vera: Visitor):
    assert vera.post("x" * 4001).json()["code"] == "too_long"
    assert vera.post(" ").json()["code"] == "empty_message"
    assert vera.post("a\x00").json()["code"] == "invalid_text"
    answer = vera.post("x" * 21_000)
    assert answer.status_code in {400, 413}
    assert answer.json()["code"] == "too_large"
    answer = vera.call("POST", "messages", content=b"{")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")
    assert vera.post("hello", client_id="a b").json()["field"] == "client_id"


def test_five_malformed_frames_in_a_minute_close_with_4400(vera: Visitor):
    with vera.joined() as socket:
        for _ in range(5):
            socket.send_raw("{")
        assert socket.close_code() == 4400
    assert [frame["code"] for frame in socket.seen if frame["type"] == "error"] >= ["bad_json"] * 4


def test_empty_messages_are_no_malformed_frames(vera: Visitor):
    with vera.joined() as socket:
        for _ in range(7):
            socket.say("")
            check(socket.until("error"), "empty_message")
        socket.settled()


def test_a_client_id_with_other_content_is_a_conflict_and_the_first_stands(vera: Visitor):
    with vera.joined() as socket:
        client_id = socket.say("first")
        socket.until("ack")
        socket.say("second", client_id=client_id)
        error = socket.until("error")
        check(error, "client_id_conflict")
        assert error["client_id"] == client_id
        socket.say("first", client_id=client_id)
        assert socket.until("ack")["seq"] == 1
    assert "second" not in json.dumps(vera.events())


def test_a_refused_message_does_not_hold_up_the_next(vera: Visitor):
    with vera.joined() as socket:
        ids = [socket.say(text) for text in ("one", "", "two", "x" * 4001, "three")]
        for index in (0, 2, 4):
            socket.until("ack", client_id=ids[index])
        socket.until("message", content="three")
    texts = [frame["content"] for frame in socket.durable() if frame.get("role") == "user"]
    assert texts == ["one", "two", "three"]


def test_read_and_resume_beyond_the_head_are_harmless(vera: Visitor):
    vera.post("hello")
    with vera.joined() as socket:
        socket.send("resume", since=10_000)
        assert socket.until("reset")["reason"]
        socket.send("read", seq=10_000)
        socket.settled()
    assert vera.start().session["unread"] <= 3


@pytest.mark.parametrize(("since", "epoch"), [(9_999, None), (0, "another"), (1, "another")])
def test_joining_with_a_wrong_since_or_epoch_resets(vera: Visitor, since: int, epoch: str | None):
    vera.post("hello")
    with vera.connect(since=since, epoch=epoch or vera.session["epoch"]) as socket:
        assert socket.until("reset")["reason"]


@pytest.mark.parametrize("query", ["since=abc", "since=-1", "since=1e3", "since=" + "9" * 30])
def test_a_malformed_since_is_answered_and_breaks_nothing(vera: Visitor, query: str):
    answer = vera.http.get(
        f"/chat/events?{query}", headers={"Authorization": f"Bearer {vera.token}"}
    )
    assert answer.status_code in {200, 400}
    with vera.connect(since=query.split("=")[1]) as socket:  # type: ignore[arg-type]
        assert socket.next()["type"] in {"connected", "reset", "error"}


def test_an_attachment_or_a_path_that_does_not_exist_is_not_found(vera: Visitor):
    with vera.joined() as socket:
        socket.say("look", attachments=[str(uuid.uuid4())])
        check(socket.until("error"), "not_found")
    assert vera.start().session["head"] == 0
    answer = vera.call("GET", f"conversations/{uuid.uuid4()}/events")
    assert answer.json()["code"] == "not_found"


def test_a_blocked_visitor_is_closed_with_4499_and_stays_out(stack: Stack, vera: Visitor):
    vera.post("hello")
    olga = Operator(stack.operator)
    visitor_id = olga.conversation(vera.id)["visitor"]["id"]
    with vera.joined() as socket:
        assert olga.post(f"visitors/{visitor_id}/block/").status_code == 200
        assert socket.close_code(5) == 4499
    assert vera.post("again").status_code == 403
    refused = vera.post_session()
    if refused.status_code == 201:
        with vera.connect(ticket=refused.json()["ticket"]) as socket:
            assert socket.close_code() == 4499
    assert olga.post(f"visitors/{visitor_id}/unblock/").status_code == 200
    vera.joined().close()


def test_a_revoked_visitor_is_closed_with_4401_within_five_seconds(stack: Stack, vera: Visitor):
    vera.post("hello")
    olga = Operator(stack.operator)
    visitor_id = olga.conversation(vera.id)["visitor"]["id"]
    vera.start()
    ticket = vera.session["ticket"]
    with vera.joined() as socket:
        assert olga.post(f"visitors/{visitor_id}/revoke/").status_code == 200
        assert socket.close_code(5) == 4401
    assert vera.post("again").status_code == 401
    with vera.connect(ticket=ticket) as socket:
        assert socket.close_code() == 4401


def test_the_eleventh_socket_goes_and_the_ten_stay(strict_server: Server):
    vera = Visitor(strict_server).start()
    sockets = [vera.joined() for _ in range(10)]
    with vera.connect() as eleventh:
        assert eleventh.close_code() == 4429
    for socket in sockets:
        socket.settled()
        socket.close()


def test_the_thirty_first_message_in_ten_seconds_is_rate_limited(strict_server: Server):
    vera = Visitor(strict_server).start()
    with vera.joined() as socket:
        ids = [socket.say(f"message {number}") for number in range(31)]
        error = socket.until("error")
        check(error, "rate_limited")
        assert 0 < error["retry_after"] <= 10
        assert error["client_id"] == ids[-1]
        for client_id in ids[:30]:
            socket.until("ack", client_id=client_id)
        socket.say("message 3", client_id=ids[3])
        assert socket.until("ack", client_id=ids[3])
    refused = vera.post("one more")
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["retry_after"] > 0


def test_ten_refusals_of_rate_in_a_minute_close_with_4429(strict_server: Server):
    vera = Visitor(strict_server).start()
    with vera.joined() as socket:
        for _ in range(115):
            socket.send("ping")
        assert socket.close_code() == 4429
    errors = [frame for frame in socket.seen if frame["type"] == "error"]
    assert {error["code"] for error in errors} == {"rate_limited"}


def test_a_socket_takes_a_hundred_frames_in_ten_seconds(strict_server: Server):
    vera = Visitor(strict_server).start()
    started = time.monotonic()
    with vera.joined() as socket:
        for _ in range(100):
            socket.send("ping")
        for _ in range(100):
            socket.until("pong")
    if time.monotonic() - started < 10:
        assert not [frame for frame in socket.seen if frame["type"] == "error"]
