"""The contract's visitor side of a conversation: order, numbering, hand-off, people, endings."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.contract import Frame, Operator, Socket, Visitor, new_client_id
from tests.support.sites import Stack


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    return Visitor(stack.visitor).start()


@pytest.fixture(scope="module")
def signed_in(stack: Stack) -> Operator:
    return Operator(stack.operator)


@pytest.fixture
def olga(signed_in: Operator) -> Iterator[Operator]:
    """Olga, whose hands are empty again after each test."""
    yield signed_in
    for view in ("mine", "unassigned"):
        for row in signed_in.get("conversations/", view=view).json()["results"]:
            signed_in.act(row["id"], "close")


def taken(vera: Visitor, olga: Operator) -> Visitor:
    """Vera's conversation, in Olga's hands."""
    vera.post("hello")
    assert olga.act(vera.id, "take").status_code == 200
    return vera


def numbers(frames: list[Frame]) -> list[int]:
    return [frame["seq"] for frame in frames]


def test_the_sender_receives_its_message_and_an_ack_that_agree(vera: Visitor):
    with vera.joined() as socket:
        client_id = socket.say("Hällo\n  **you**")
        ack = socket.until("ack", client_id=client_id)
        message = socket.until("message", client_id=client_id)
    assert set(ack) == {"type", "client_id", "id", "seq", "timestamp"}
    assert {key: message[key] for key in ("id", "seq")} == {key: ack[key] for key in ("id", "seq")}
    assert message["role"] == "user"
    assert message["content"] == "Hällo\n  **you**"
    assert message["author"]["name"]
    for field in ("attachments", "sources", "quick_replies"):
        assert message[field] == []
    assert "kind" not in message


def test_both_audiences_number_without_holes_around_notes_and_snoozing(
    stack: Stack, vera: Visitor, olga: Operator
):
    taken(vera, olga)
    with vera.joined(since=0, epoch=vera.session["epoch"]) as socket:
        socket.until("conversation", handled_by="operator")
        shown = len(socket.seen)
        note = olga.write(vera.id, "She is our best customer", kind="note")
        assert note.status_code == 201
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        assert olga.act(vera.id, "snooze", until=later).status_code == 200
        assert olga.conversation(vera.id)["status"] == "snoozed"
        socket.settled()
        assert "conversation" not in [frame["type"] for frame in socket.seen[shown:]]
        assert olga.write(vera.id, "Here I am").status_code == 201
        socket.until("message", content="Here I am")
        socket.say("thanks")
        socket.until("ack")
        socket.until("message", content="thanks")
        live = numbers(socket.durable())
    assert live == list(range(1, len(live) + 1))
    page = vera.events(0)
    assert numbers(page["events"]) == list(range(1, page["head"] + 1))
    assert "best customer" not in str(page)
    theirs = olga.get(f"conversations/{vera.id}/events/", since=0).json()["results"]
    assert numbers(theirs) == list(range(1, olga.conversation(vera.id)["head"] + 1))
    assert len(theirs) > page["head"]
    ids = [event["id"] for event in page["events"] if event["type"] == "message"]
    assert set(ids) < {event.get("id") for event in theirs}


def test_since_is_honoured_in_each_audience_s_own_numbering(vera: Visitor, olga: Operator):
    taken(vera, olga)
    for number in range(3):
        olga.write(vera.id, f"note {number}", kind="note")
        olga.write(vera.id, f"reply {number}")
    head = vera.events(0)["head"]
    assert [event["content"] for event in vera.events(head - 1)["events"]] == ["reply 2"]
    with vera.connect(since=head - 2, epoch=vera.session["epoch"]) as socket:
        assert socket.until("connected")["head"] == head
        assert socket.until("message")["content"] == "reply 1"
        assert socket.until("message")["content"] == "reply 2"
        socket.send("resume", since=head - 1)
        assert socket.until("message")["seq"] == head
    theirs = olga.get(
        f"conversations/{vera.id}/events/", since=olga.conversation(vera.id)["head"] - 2
    )
    assert [event["content"] for event in theirs.json()["results"]] == ["note 2", "reply 2"]


def test_a_message_of_a_colleague_shows_role_and_author(vera: Visitor, olga: Operator):
    taken(vera, olga)
    with vera.joined() as socket:
        assert olga.write(vera.id, "Hello Vera").status_code == 201
        message = socket.until("message", role="operator")
    assert message["author"]["name"] == "Olga"
    assert "kind" not in message


def test_typing_goes_both_ways(vera: Visitor, olga: Operator):
    taken(vera, olga)
    with vera.joined() as socket, olga.joined() as desk:
        desk.send("subscribe", conversation_id=vera.id, since=0)
        desk.until("message", content="hello")
        socket.send("typing", is_typing=True)
        theirs = desk.until("typing", is_typing=True)
        assert theirs["conversation_id"] == vera.id
        assert theirs["role"] == "user"
        desk.send("typing", conversation_id=vera.id, is_typing=True)
        mine = socket.until("typing", role="operator", is_typing=True)
        assert "seq" not in mine
        author = mine["author"]
        assert (author["name"] if isinstance(author, dict) else author) == "Olga"
        echoes = [frame for frame in socket.settled() if frame["type"] == "typing"]
        assert not [frame for frame in echoes if frame["role"] == "user"]


def test_read_marks_go_both_ways_in_each_reader_s_numbering(vera: Visitor, olga: Operator):
    taken(vera, olga)
    olga.write(vera.id, "between us", kind="note")
    olga.write(vera.id, "Hello Vera")
    head = vera.events(0)["head"]
    theirs = olga.conversation(vera.id)["head"]
    assert theirs > head
    with vera.joined() as socket, olga.joined() as desk:
        desk.send("subscribe", conversation_id=vera.id, since=theirs)
        socket.send("read", seq=head)
        assert desk.until("read", role="user", upto=theirs)
        assert olga.act(vera.id, "read", seq=theirs).status_code == 200
        assert socket.until("read", role="operator")["upto"] == head
    with vera.connect() as socket:
        reads = socket.until("connected")["reads"]
    assert reads["operator"] == head
    assert reads["user"] == head


def test_unread_counts_what_others_wrote_and_falls_by_reading(vera: Visitor, olga: Operator):
    taken(vera, olga)
    base = vera.start().session["unread"]
    olga.write(vera.id, "one")
    olga.write(vera.id, "a note", kind="note")
    olga.write(vera.id, "two")
    assert vera.start().session["unread"] == base + 2
    vera.frame("read", seq=vera.session["head"])
    assert vera.start().session["unread"] == 0


def test_a_person_asked_for_is_queued_told_so_and_seen_by_operators(vera: Visitor, olga: Operator):
    with olga.joined(available=False), vera.joined() as socket:
        socket.say("hello")
        socket.until("response_end")
        socket.send("request_human")
        change = socket.until("conversation", handled_by="queue")
        assert change["status"] == "open"
        assert socket.until("queue")["position"] >= 1
        assert socket.until("message", role="system")["content"]
        listed = olga.get("conversations/", view="unassigned").json()["results"]
        assert vera.id in [row["id"] for row in listed]
        socket.send("request_bot")
        socket.until("conversation", handled_by="bot")
        socket.say("How can I pay?")
        assert socket.until("response_end")["outcome"] == "done"


def test_who_is_free_gets_the_queue_oldest_first(stack: Stack, olga: Operator):
    guests = [Visitor(stack.visitor).start() for _ in range(2)]
    with olga.joined(available=False) as desk:
        sockets = [guest.joined() for guest in guests]
        for socket in sockets:
            socket.say("hello")
            socket.until("ack")
            socket.send("request_human")
            socket.until("conversation", handled_by="queue")
        desk.send("presence", available=True)
        for socket in sockets:
            change = socket.until("conversation", handled_by="operator")
            operator = change["operator"]
            assert (operator["name"] if isinstance(operator, dict) else operator) == "Olga"
        desk.send("presence", available=False)
        for socket in sockets:
            socket.close()


def test_a_message_to_a_closed_conversation_opens_the_next_one(vera: Visitor, olga: Operator):
    taken(vera, olga)
    with vera.joined() as socket:
        old = vera.id
        assert olga.act(old, "close").status_code == 200
        socket.until("conversation", status="closed")
        client_id = socket.say("one more thing")
        ack = socket.until("ack", client_id=client_id)
        reset = socket.until("reset", reason="closed")
        assert reset["session_id"] != old
        assert ack["seq"] == 1
        again = vera.post("one more thing", client_id)
        assert (again.status_code, again.json()["id"]) == (200, ack["id"])
    assert vera.start().id == reset["session_id"]
    rows = vera.call("GET", "conversations").json()["results"]
    assert [row["id"] for row in rows] == [reset["session_id"], old]
    closed = vera.call("GET", f"conversations/{old}/events", params={"since": 0}).json()
    assert closed["events"][0]["content"] == "hello"
    assert closed["events"][-1]["status"] == "closed" or closed["events"][-1]["role"] == "system"
    assert "one more thing" not in str(closed)


def test_a_resend_after_closing_names_the_row_that_was_stored_first(vera: Visitor, olga: Operator):
    client_id = new_client_id()
    first = vera.post("hello", client_id).json()
    old = vera.id
    olga.act(old, "take")
    olga.act(old, "close")
    again = vera.post("hello", client_id)
    assert (again.status_code, again.json()) == (200, first)
    assert vera.post("another text", client_id).json()["code"] == "client_id_conflict"
    rows = vera.call("GET", "conversations").json()["results"]
    assert [row["id"] for row in rows] == [old]


def test_a_rating_is_allowed_after_the_end(vera: Visitor, olga: Operator):
    taken(vera, olga)
    with vera.joined() as socket:
        old = vera.id
        olga.act(old, "close")
        socket.until("conversation", status="closed")
        socket.send("rating", score=5, comment="lovely")
        assert not [frame for frame in socket.settled() if frame["type"] == "error"]
    row = olga.conversation(old)
    assert (row["rating"], row["rating_comment"]) == (5, "lovely")


def test_presence_reaches_the_visitor_when_a_person_comes_and_goes(vera: Visitor, olga: Operator):
    def seen(socket: Socket, *, online: bool) -> Frame:
        return socket.until("presence", online=online, seconds=8)

    vera.post("hello")
    with vera.joined() as socket, olga.joined(available=False) as desk:
        socket.until("message", content="hello")
        desk.send("presence", available=True)
        assert "seq" not in seen(socket, online=True)
        desk.send("presence", available=False)
        seen(socket, online=False)


def test_heartbeats_come_within_thirty_seconds_and_tell_the_state(vera: Visitor):
    vera.post("hello")
    with vera.joined() as socket:
        heartbeat = socket.until("heartbeat", seconds=30)
    assert heartbeat["head"] == vera.events(0)["head"]
    assert heartbeat["epoch"] == vera.session["epoch"]
    assert isinstance(heartbeat["reads"], dict)
