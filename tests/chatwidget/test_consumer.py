"""The socket's insides: batches of tickets, heartbeats, controls, marks, typing."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
import uuid

import pytest
from channels.testing import WebsocketCommunicator
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatwidget import consumers, holding
from chatwidget.actions import tickets
from chatwidget.actions.tickets import Admission, NotAdmitted, TicketUse, redeem
from chatwidget.consumers import WidgetConsumer
from chatwidget.holding import count_held
from chatwidget.models import UsedTicket, Widget
from chatwidget.reading import Mailbox, VisitorReader
from chatwidget.routing import websocket_urlpatterns
from chatwidget.standing import Standing
from chatwidget.streaming import EventStream
from chatwidget.tokens import VisitorToken, issue_ticket, read_ticket
from chatwidget.writing import Visit, tell_typing
from config.asgi import application
from inbox.errors import CloseCode, InboxError, TryAgainError
from inbox.models import Event, Visitor
from inbox.realtime.batches import Control
from inbox.realtime.hub import get_hub
from inbox.realtime.publish import attach_hub
from inbox.testing import make_conversation, make_message, make_visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def _hub():
    hub = get_hub()
    yield hub
    await hub.close()
    attach_hub(None)


def visitor_of_shop(**fields):
    return make_visitor(widget_key="shop", **fields)


def ticket_for(visitor, /, **changes):
    token = VisitorToken(
        **{
            "visitor": visitor.public_id,
            "widget": visitor.widget_key,
            "epoch": visitor.token_epoch,
            **changes,
        }
    )
    return issue_ticket(token)


def use_of(visitor, /, session_id=None, **changes):
    ticket = read_ticket(ticket_for(visitor, **changes), timezone.now())
    assert ticket is not None
    return TicketUse(ticket=ticket, session_id=session_id or visitor.session_id)


def dial(visitor, *, ticket=None, query="", headers=()):
    return WebsocketCommunicator(
        application,
        f"/ws/chat/{visitor.session_id}/{query}",
        headers=[(b"host", b"testserver"), *headers],
        subprotocols=["chat.v1", f"ticket.{ticket or ticket_for(visitor)}"],
    )


async def frame_of(socket, type, seconds=5.0):
    async with asyncio.timeout(seconds):
        while True:
            frame = json.loads(await socket.receive_from(seconds))
            if frame["type"] == type:
                return frame


# Tickets


def test_many_sockets_come_in_with_a_handful_of_statements(widget, monkeypatch):
    monkeypatch.setattr(tickets, "_next_prune", time.monotonic() + 60)
    visitors = [visitor_of_shop() for _ in range(20)]
    for visitor in visitors[::2]:
        make_message(make_conversation(visitor, id=visitor.session_id))
    redeem([use_of(visitors[0])])  # makes the row with the epoch
    with CaptureQueriesContext(connection) as few:
        redeem([use_of(visitors[0])])
    with CaptureQueriesContext(connection) as many:
        found = redeem([use_of(visitor) for visitor in visitors])
    assert len(many) == len(few) <= 10
    assert all(isinstance(one, Admission) for one in found)
    assert [one.visitor for one in found] == visitors
    assert [one.standing.head for one in found] == [1, 0] * 10


def test_one_batch_decides_each_ticket_by_itself(widget):
    good, blocked, other = visitor_of_shop(), visitor_of_shop(), visitor_of_shop()
    blocked.blocked_at = timezone.now()
    blocked.save()
    twice = use_of(good)
    uses = [
        twice,
        twice,
        use_of(good, epoch=5),
        use_of(good, widget="default"),
        use_of(good, visitor=uuid.uuid4()),
        use_of(good, session_id=other.session_id),
        use_of(blocked),
        use_of(other),
    ]
    found = redeem(uses)
    codes = [one.code if isinstance(one, NotAdmitted) else None for one in found]
    no = CloseCode.UNAUTHORIZED
    assert codes == [None, no, no, no, no, no, CloseCode.BLOCKED, None]
    assert isinstance(redeem([twice])[0], NotAdmitted)


def test_a_widget_that_was_switched_off_lets_nobody_in(widget):
    visitor = visitor_of_shop()
    Widget.objects.filter(key="shop").update(enabled=False)
    assert isinstance(redeem([use_of(visitor)])[0], NotAdmitted)


def test_another_process_that_was_faster_wins(widget, monkeypatch):
    """Both looked, nobody had used it; the row decides, and the loser looks again."""
    visitor = visitor_of_shop()
    use = use_of(visitor)
    real = tickets._use_up

    def slow(uses):
        monkeypatch.setattr(tickets, "_use_up", real)
        UsedTicket.objects.create(jti=use.ticket.jti, expires_at=use.ticket.expires_at)
        UsedTicket.objects.bulk_create(
            [UsedTicket(jti=use.ticket.jti, expires_at=use.ticket.expires_at)]
        )

    def race(uses):
        return slow(uses)

    monkeypatch.setattr(tickets, "_use_up", race)
    UsedTicket.objects.all().delete()
    # The first attempt breaks at the unique key; the transaction is undone and repeated.
    found = redeem([use])
    assert isinstance(found[0], Admission)
    assert isinstance(redeem([use])[0], NotAdmitted)


def test_tickets_that_age_refuses_are_forgotten(widget, monkeypatch):
    monkeypatch.setattr(tickets, "_next_prune", 0.0)
    now = timezone.now()
    UsedTicket.objects.create(jti="old", expires_at=now - dt.timedelta(seconds=1))
    UsedTicket.objects.create(jti="new", expires_at=now + dt.timedelta(seconds=30))
    redeem([use_of(visitor_of_shop())])
    assert not UsedTicket.objects.filter(jti="old").exists()
    assert UsedTicket.objects.filter(jti="new").exists()
    assert str(UsedTicket(jti="new")) == "new"


# The socket


async def test_a_heartbeat_tells_head_epoch_and_marks(widget, settings, _hub):
    settings.INBOX_HEARTBEAT_SECONDS = 1
    visitor = await asyncio.to_thread(visitor_of_shop)
    socket = dial(visitor)
    assert (await socket.connect())[1] == "chat.v1"
    connected = await frame_of(socket, "connected")
    await socket.send_to(json.dumps({"type": "message", "client_id": "a", "content": "Hi"}))
    await frame_of(socket, "ack")
    await socket.send_to(json.dumps({"type": "read", "seq": 1}))
    await frame_of(socket, "read")
    beat = await frame_of(socket, "heartbeat")
    assert beat["head"] >= 1
    assert beat["epoch"] == connected["epoch"]
    assert beat["reads"] == {"user": 1}
    await socket.disconnect()


async def test_a_control_ends_the_visitors_sockets_and_no_others(widget, _hub):
    vera, victor = [await asyncio.to_thread(visitor_of_shop) for _ in range(2)]
    first, other = dial(vera), dial(victor)
    for socket in (first, other):
        await socket.connect()
        await frame_of(socket, "connected")
    assert count_held(vera.pk) == 1
    holding._on_control(Control(kind="operator", id=vera.pk, close_code=4401))
    holding._on_control(Control(kind="visitor", id=vera.pk, close_code=4499))
    closed = await first.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4499)
    await other.send_to('{"type": "ping"}')
    await frame_of(other, "pong")
    for socket in (first, other):
        await socket.disconnect()
    assert count_held(vera.pk) == count_held(victor.pk) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token_epoch": 7}, CloseCode.UNAUTHORIZED),
        ({"blocked_at": timezone.now()}, CloseCode.BLOCKED),
        (None, CloseCode.UNAUTHORIZED),
    ],
)
async def test_a_lost_message_of_a_block_is_made_up_for(widget, monkeypatch, change, code, _hub):
    monkeypatch.setattr(holding, "WATCH_SECONDS", 0.05)
    failing = [DatabaseError("away")]
    real = holding._read

    def read(ids):
        if failing:
            raise failing.pop()
        return real(ids)

    monkeypatch.setattr(holding, "_read", read)
    vera, victor = [await asyncio.to_thread(visitor_of_shop) for _ in range(2)]
    first, other = dial(vera), dial(victor)
    for socket in (first, other):
        await socket.connect()
        await frame_of(socket, "connected")
    rows = Visitor.objects.filter(pk=vera.pk)
    await (rows.aupdate(**change) if change else rows.adelete())
    closed = await first.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", code)
    await other.send_to('{"type": "ping"}')
    await frame_of(other, "pong")
    for socket in (first, other):
        await socket.disconnect()


async def test_a_database_that_is_away_is_no_reason_to_give_up(widget, monkeypatch, _hub):
    visitor = await asyncio.to_thread(visitor_of_shop)

    async def broken(use):
        raise InboxError("try_again", status=503, retryable=True, retry_after=1)

    monkeypatch.setattr("chatwidget.consumers.admit_socket", broken)
    socket = dial(visitor)
    await socket.connect()
    error = await frame_of(socket, "error")
    assert (error["code"], error["retryable"]) == ("try_again", True)
    closed = await socket.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", CloseCode.OVERLOADED)
    await socket.disconnect()


async def test_a_frame_that_breaks_us_is_an_error_and_the_socket_lives(
    widget, monkeypatch, caplog, _hub
):
    visitor = await asyncio.to_thread(visitor_of_shop)

    async def broken(visit, frame):
        raise DatabaseError("secret detail")

    monkeypatch.setattr("chatwidget.consumers.perform", broken)
    socket = dial(visitor)
    await socket.connect()
    await socket.send_to('{"type": "stop"}')
    error = await frame_of(socket, "error")
    assert error["code"] == "try_again"
    assert "secret" not in str(error)
    await socket.send_to('{"type": "ping"}')
    await frame_of(socket, "pong")
    await socket.disconnect()


async def test_what_waits_behind_a_message_that_failed_does_not_overtake_it(
    widget, monkeypatch, _hub
):
    visitor = await asyncio.to_thread(visitor_of_shop)
    may_fail, post = asyncio.Event(), consumers.post_message

    async def away(visit, frame):
        await may_fail.wait()
        monkeypatch.setattr("chatwidget.consumers.post_message", post)
        raise TryAgainError

    monkeypatch.setattr("chatwidget.consumers.post_message", away)
    socket = dial(visitor)
    await socket.connect()
    written = {"a": "one", "b": "two", "c": "three"}

    async def write_all():
        for client_id, text in written.items():
            frame = {"type": "message", "client_id": client_id, "content": text}
            await socket.send_to(json.dumps(frame))

    await write_all()
    may_fail.set()
    refused = [await frame_of(socket, "error") for _ in written]
    assert [(e["client_id"], e["code"]) for e in refused] == [(c, "try_again") for c in "abc"]
    await write_all()
    assert [(await frame_of(socket, "ack"))["client_id"] for _ in written] == ["a", "b", "c"]
    await socket.disconnect()


async def test_refusals_speak_the_visitors_language(widget, _hub):
    visitor = await asyncio.to_thread(visitor_of_shop, language="de")
    socket = dial(visitor)
    await socket.connect()
    await socket.send_to("{")
    assert "JSON" in (await frame_of(socket, "error"))["message"]
    await socket.send_to('{"type": "message", "client_id": "a", "content": " "}')
    error = await frame_of(socket, "error")
    assert error["message"] == "Die Nachricht ist leer."
    await socket.disconnect()


async def test_a_wish_after_the_end_moves_the_socket_on(widget, _hub):
    def ended():
        visitor = visitor_of_shop()
        conversation = make_conversation(visitor, status="closed")
        make_message(conversation, "Hello")
        return visitor, conversation

    visitor, conversation = await asyncio.to_thread(ended)
    socket = WebsocketCommunicator(
        application,
        f"/ws/chat/{conversation.id}/?since=1",
        headers=[(b"host", b"testserver")],
        subprotocols=["chat.v1", f"ticket.{ticket_for(visitor)}"],
    )
    await socket.connect()
    connected = await frame_of(socket, "connected")
    assert connected["conversation"]["status"] == "closed"
    await socket.send_to('{"type": "request_human"}')
    reset = await frame_of(socket, "reset")
    assert reset == {
        "type": "reset",
        "reason": "closed",
        "session_id": str(visitor.session_id),
    }
    assert (await frame_of(socket, "conversation"))["handled_by"] == "queue"
    await socket.disconnect()


async def test_a_socket_of_an_unknown_host_is_a_foreign_page(widget, _hub):
    visitor = await asyncio.to_thread(visitor_of_shop)
    socket = WebsocketCommunicator(
        application,
        f"/ws/chat/{visitor.session_id}/",
        headers=[(b"host", b"evil.example"), (b"origin", b"http://evil.example")],
        subprotocols=["chat.v1", f"ticket.{ticket_for(visitor)}"],
    )
    await socket.connect()
    assert (await socket.receive_output(5))["code"] == CloseCode.ORIGIN
    await socket.disconnect()


def test_a_socket_that_never_entered_has_nothing_to_say():
    consumer = WidgetConsumer()
    assert consumer.heartbeat() == {"type": "pong"}
    assert consumer.error_context({"text": None}) == {}
    assert len(websocket_urlpatterns) >= 2


async def test_frames_before_admission_do_nothing():
    consumer = WidgetConsumer()
    await consumer.on_frame('{"type": "ping"}')
    assert consumer.visit is None


@pytest.mark.parametrize(
    ("protocols", "code"),
    [
        ([], CloseCode.UNAUTHORIZED),
        (["chat.v2"], CloseCode.UNAUTHORIZED),
        (["chat.v1"], CloseCode.UNAUTHORIZED),
        (["chat.v1", "ticket.x"], CloseCode.UNAUTHORIZED),
        (["chat.v1", "ticket.x", "ticket.y"], CloseCode.UNAUTHORIZED),
    ],
)
async def test_who_brings_no_ticket_is_told_so(widget, protocols, code, _hub):
    socket = WebsocketCommunicator(
        application,
        f"/ws/chat/{uuid.uuid4()}/",
        headers=[(b"host", b"testserver")],
        subprotocols=protocols,
    )
    await socket.connect()
    assert (await socket.receive_output(5))["code"] == code
    await socket.send_to('{"type": "ping"}')
    await socket.disconnect()


async def test_an_address_that_is_none_closes_cleanly(_hub):
    socket = WebsocketCommunicator(application, "/ws/nowhere/")
    await socket.connect()
    assert (await socket.receive_output(5))["code"] == CloseCode.PROTOCOL
    await socket.disconnect()


async def test_one_socket_too_many_is_refused(widget, settings, _hub):
    settings.CHATWIDGET_MAX_SOCKETS = 1
    visitor = await asyncio.to_thread(visitor_of_shop)
    first, second = dial(visitor), dial(visitor)
    await first.connect()
    await frame_of(first, "connected")
    await second.connect()
    assert (await second.receive_output(5))["code"] == CloseCode.FLOODING
    for socket in (first, second):
        await socket.disconnect()


async def test_going_on_resetting_and_resuming(widget, _hub):
    def talk():
        visitor = visitor_of_shop()
        conversation = make_conversation(visitor, id=visitor.session_id, handled_by="queue")
        make_message(conversation, "One")
        make_message(conversation, "Two")
        return visitor

    visitor = await asyncio.to_thread(talk)
    socket = dial(visitor, query="?since=9")
    await socket.connect()
    assert (await frame_of(socket, "reset"))["reason"] == "ahead"
    assert (await frame_of(socket, "queue"))["position"] >= 1
    await socket.send_to('{"type": "resume", "since": 0}')
    assert (await frame_of(socket, "message"))["content"] == "One"
    assert (await frame_of(socket, "message"))["content"] == "Two"
    await socket.send_to('{"type": "resume", "since": 3}')
    assert (await frame_of(socket, "reset"))["reason"] == "ahead"
    await socket.send_to('{"type": "typing", "is_typing": true}')
    for frame in ('{"type": "page", "url": "/a"}', '{"type": "rating", "score": 4}'):
        await socket.send_to(frame)
    await socket.send_to('{"type": "stop"}')
    await socket.send_to('{"type": "request_bot"}')
    assert (await frame_of(socket, "error"))["code"] == "no_bot"
    await visitor.arefresh_from_db()
    assert visitor.page_url == "/a"
    await socket.disconnect()


async def test_words_after_the_end_move_the_socket_on(widget, _hub):
    def ended():
        visitor = visitor_of_shop()
        conversation = make_conversation(visitor, status="closed")
        make_message(conversation, "Hello")
        return visitor, conversation

    visitor, conversation = await asyncio.to_thread(ended)
    before = visitor.session_id
    visitor.session_id = conversation.id  # only for the address
    socket = dial(visitor)
    await socket.connect()
    await socket.send_to('{"type": "message", "client_id": "a", "content": "More"}')
    assert (await frame_of(socket, "ack"))["seq"] == 1
    assert (await frame_of(socket, "reset"))["session_id"] == str(before)
    assert (await frame_of(socket, "message"))["content"] == "More"
    await socket.disconnect()


async def test_nothing_of_the_old_conversation_comes_behind_the_reset(widget, _hub, monkeypatch):
    def ended():
        visitor = visitor_of_shop()
        make_message(make_conversation(visitor, id=uuid.uuid4(), status="closed"), "Hello")
        return visitor, visitor.conversations.get()

    visitor, conversation = await asyncio.to_thread(ended)
    visitor.session_id = conversation.id  # only for the address
    slow_page, told = asyncio.Event(), asyncio.Event()
    next_page, standing = _hub._next_page, WidgetConsumer._standing

    async def next_page_when_told(reader):
        page = await next_page(reader)
        if reader.conversation_id == str(conversation.id):
            await told.wait()
            slow_page.set()
        return page

    async def standing_behind_the_page(visit):
        await told.wait()
        await slow_page.wait()
        return await standing(visit)

    monkeypatch.setattr(_hub, "_next_page", next_page_when_told)
    monkeypatch.setattr(WidgetConsumer, "_standing", staticmethod(standing_behind_the_page))
    socket = dial(visitor)
    await socket.connect()
    await socket.send_to('{"type": "message", "client_id": "a", "content": "More"}')
    await frame_of(socket, "reset")
    told.set()
    assert (await frame_of(socket, "message"))["content"] == "More"
    await socket.disconnect()


# Typing


@pytest.fixture
def told(monkeypatch):
    frames = []
    monkeypatch.setattr(
        "chatwidget.writing.publish_ephemeral",
        lambda conversation_id, frame, audience: frames.append((frame["is_typing"], audience)),
    )
    return frames


def test_typing_is_told_to_operators_once_in_a_while(told, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("chatwidget.writing.time.monotonic", lambda: clock[0])
    visit = Visit(
        visitor_id=1,
        session_id=uuid.uuid4(),
        address="",
        name="Vera",
        bot_key="",
        team_id=None,
    )
    for _ in range(5):
        tell_typing(visit, is_typing=True)
    tell_typing(visit, is_typing=False)
    clock[0] += 3
    tell_typing(visit, is_typing=False)
    assert told == [(True, "operator"), (False, "operator"), (False, "operator")]


# Where frames wait for a reader without a socket


def standing():
    return Standing(session_id=uuid.uuid4(), epoch="e")


async def test_a_mailbox_gives_what_came_and_nothing_after_a_while():
    mailbox = Mailbox()
    assert await mailbox.wait(0.01) == []
    mailbox.send("a")
    mailbox.send("b")
    assert await mailbox.wait(1) == ["a", "b"]
    asyncio.get_running_loop().call_later(0.02, mailbox.send, "c")
    assert await mailbox.wait(5) == ["c"]


async def test_a_mailbox_that_nobody_empties_is_overfull(settings):
    settings.INBOX_SEND_BUDGET_BYTES = 100
    mailbox = Mailbox()
    mailbox.send("x" * 26)
    assert mailbox.congested
    mailbox.send("x" * 80)
    assert not mailbox.overfull
    mailbox.send("x")
    assert mailbox.overfull
    assert len(await mailbox.wait(1)) == 2


async def test_only_durable_events_of_a_stream_have_a_number():
    class Found:
        standing = standing()
        since = 4

    stream = EventStream(Found())
    stream.reader.send({"type": "read", "role": "user", "upto": 3})
    stream.reader.cursor = 5
    stream.send('{"seq":5}')
    stream.send('{"typing":1}')
    stream.close_soon(4499)
    assert "".join(await stream.wait(1)) == (
        'data: {"type":"read","role":"user","upto":3}\n\n'
        'id: 5\ndata: {"seq":5}\n\n'
        'data: {"typing":1}\n\n'
        ": the end\n\n"
    )
    assert stream.ended
    assert stream.reader.reads == {"user": 3}


async def test_marks_never_go_back():
    reader = VisitorReader(standing(), sink=Mailbox(), since=0)
    for upto in (5, 3):
        reader.send({"type": "read", "role": "operator", "upto": upto})
    assert reader.reads == {"operator": 5}


async def test_resending_over_a_full_window_asks_the_database_only_so_often(widget, settings, _hub):
    settings.CHATWIDGET_RATE_FACTOR = 0.01
    visitor = await asyncio.to_thread(visitor_of_shop)
    socket = dial(visitor)
    await socket.connect()
    for number in range(6):
        frame = {"type": "message", "client_id": f"m{number}", "content": "Hi"}
        await socket.send_to(json.dumps(frame))
    await frame_of(socket, "ack")
    errors = [await frame_of(socket, "error") for _ in range(5)]
    assert {error["code"] for error in errors} == {"rate_limited"}
    assert [error["client_id"] for error in errors] == [f"m{n}" for n in range(1, 6)]
    assert await Event.objects.filter(kind="message", message__role="user").acount() == 1
    await socket.disconnect()
