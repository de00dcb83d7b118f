"""The operator's socket: who may come in, what it is told, and when it is told no more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client

from inbox.actions import reading, redaction, transitions
from inbox.lookout import Lookout, get_lookout
from inbox.models import Conversation, Message, Operator
from inbox.realtime.batches import Batch, Control
from inbox.realtime.poll import HeadPoll
from inbox.realtime.publish import publish_ephemeral
from inbox.realtime.streams import open_stream
from inbox.routing import websocket_urlpatterns
from inbox.testing import (
    make_conversation,
    make_message,
    make_note,
    make_operator,
    make_team,
    make_visitor,
)

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter(websocket_urlpatterns)
database = sync_to_async


class Page:
    """An operator's page, as far as the socket knows."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.socket = communicator
        self.frames: list[dict] = []

    async def say(self, kind: str, **fields) -> None:
        await self.socket.send_json_to({"type": kind, **fields})

    async def next(self, seconds: float = 3) -> dict:
        frame = json.loads(await self.socket.receive_from(timeout=seconds))
        self.frames.append(frame)
        return frame

    async def until(self, kind: str, **fields) -> dict:
        """The next frame of this type with these fields; others are kept in ``frames``."""
        while True:
            frame = await self.next()
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame

    async def nothing_but(self, *kinds: str) -> None:
        """Everything until the answer to a ping is of these types."""
        await self.say("ping")
        while (frame := await self.next())["type"] != "pong":
            assert frame["type"] in kinds, frame

    async def closed_with(self) -> int:
        while True:
            event = await self.socket.receive_output(timeout=5)
            if event["type"] == "websocket.close":
                return event["code"]

    def of(self, kind: str) -> list[dict]:
        return [frame for frame in self.frames if frame["type"] == kind]


def sign_in(user) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.fixture
async def dial(hub):
    """``await dial(operator, query, origin)`` → the page and the session's key."""
    opened: list[WebsocketCommunicator] = []

    async def make(
        operator=None, query: str = "", origin: str | None = "http://localhost", host="localhost"
    ):
        headers = [(b"host", host.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        key = ""
        if operator is not None:
            key = await database(sign_in)(operator.user)
            headers.append((b"cookie", f"sessionid={key}".encode()))
        socket = WebsocketCommunicator(application, f"/ws/inbox/?{query}", headers=headers)
        connected, _ = await socket.connect(timeout=5)
        assert connected
        opened.append(socket)
        page = Page(socket)
        page.key = key
        return page

    yield make
    for socket in opened:
        with contextlib.suppress(BaseException):
            await socket.disconnect()


@pytest.fixture
async def support():
    return await database(make_team)("Support")


@pytest.fixture
async def olga(support):
    return await database(make_operator)("Olga", teams=[support])


@pytest.fixture
async def conversation(support):
    vera = await database(make_visitor)("Vera")
    found = await database(make_conversation)(vera, team=support, handled_by="queue")
    await database(make_message)(found, "Hello?")
    return found


# Coming in


async def test_a_stranger_is_closed_with_4401(dial):
    assert await (await dial()).closed_with() == 4401


async def test_oscar_without_access_is_closed_with_4401(dial):
    oscar = await database(make_operator)("Oscar", permissions=())
    assert await (await dial(oscar)).closed_with() == 4401


@pytest.mark.parametrize(
    ("origin", "host", "code"),
    [
        ("https://evil.example", "localhost", 4403),
        ("http://localhost:81", "localhost", 4403),
        ("http://localhost@evil.example", "localhost", 4403),
        ("null", "localhost", 4403),
        ("http://localhost/", "localhost", 4403),
        ("http://[", "localhost", 4403),
        ("http://evil.example", "evil.example", 4403),
        ("https://localhost", "localhost", None),
        ("http://LOCALHOST:80", "localhost", None),
        (None, "localhost", None),
    ],
)
async def test_only_the_sites_own_pages_may_come_in(dial, olga, origin, host, code):
    page = await dial(olga, origin=origin, host=host)
    if code is None:
        await page.until("connected")
    else:
        assert await page.closed_with() == code


async def test_a_database_that_is_away_closes_with_4013(dial, olga, monkeypatch):
    def away(logins):
        raise OperationalError

    monkeypatch.setattr("inbox.consumers.load_sights", away)
    assert await (await dial(olga)).closed_with() == 4013


async def test_a_login_that_cannot_be_looked_up_closes_with_4013(dial, olga, monkeypatch):
    async def away(scope):
        raise OperationalError

    monkeypatch.setattr("channels.auth.get_user", away)
    assert await (await dial(olga)).closed_with() == 4013


async def test_connected_tells_who_one_is_and_what_is_allowed(dial, olga):
    frame = await (await dial(olga)).until("connected")
    assert frame["operator"] == {"id": olga.pk, "name": "Olga", "available": False}
    assert frame["limits"]["max_subscriptions"] == 500
    assert frame["heartbeat_seconds"] <= 30
    assert uuid.UUID(frame["epoch"])


# Lists


async def test_every_change_in_sight_is_told(dial, olga, conversation):
    page = await dial(olga)
    await page.until("connected")
    await database(make_message)(conversation, "Anybody there?")
    summary = await page.until("summary")
    assert summary["conversation_id"] == str(conversation.pk)
    assert (summary["head"], summary["status"], summary["handled_by"]) == (2, "open", "queue")
    assert summary["preview"] == "Anybody there?"
    assert summary["visitor"]["name"] == "Vera"
    assert summary["waiting_since"]
    assert not page.of("fragment")


async def test_what_is_out_of_sight_is_never_told(dial, olga):
    page = await dial(olga)
    await page.until("connected")
    hidden = await database(make_conversation)(team=await database(make_team)("Sales"))
    await database(make_message)(hidden, "secret")
    await page.say("subscribe", conversation_id=str(hidden.pk))
    assert (await page.until("error"))["code"] == "not_found"
    await page.say("typing", conversation_id=str(hidden.pk), is_typing=True)
    assert (await page.until("error"))["code"] == "not_found"
    await page.nothing_but()
    assert "secret" not in json.dumps(page.frames)


async def test_rows_come_rendered_where_the_page_asked(dial, olga, conversation):
    page = await dial(olga, "html=1&language=de")
    await page.until("connected")
    await database(make_message)(conversation, "<b>bold</b>")
    piece = await page.until("fragment")
    assert (piece["target"], piece["action"]) == (f"row-{conversation.pk}", "upsert")
    assert piece["version"] == 2
    assert "&lt;b&gt;bold&lt;/b&gt;" in piece["html"]


async def test_a_transfer_out_of_sight_says_gone_and_ends_the_subscription(
    dial, olga, conversation
):
    sales = await database(make_team)("Sales")
    boss = await database(make_operator)("Boss", view_all=True)
    page, watching = await dial(olga), await dial(boss)
    for each in (page, watching):
        await each.until("connected")
    await page.say("subscribe", conversation_id=str(conversation.pk), since=1)
    await page.nothing_but("read")
    await database(transitions.transfer)(
        conversation_id=conversation.pk, operator=olga, to_team=sales, comment="for you"
    )
    await page.until("gone", conversation_id=str(conversation.pk))
    await watching.until("summary")
    before = len(page.frames)
    await database(make_message)(conversation, "afterwards")
    await page.nothing_but()
    assert "afterwards" not in json.dumps(page.frames[before:])


async def test_a_lost_hint_of_a_transfer_is_found_by_the_poll(dial, olga, conversation, hub):
    page = await dial(olga)
    await page.until("connected")
    sales = await database(make_team)("Sales")
    await asyncio.sleep(0.1)  # the lookout has read which teams there are
    hub.watchers, kept = set(), hub.watchers
    await database(transitions.transfer)(
        conversation_id=conversation.pk, operator=olga, to_team=sales
    )
    hub.watchers, hub.known_heads = kept, type(hub.known_heads)()
    await HeadPoll(hub).look()
    await page.until("gone", conversation_id=str(conversation.pk))


# Threads


async def test_a_subscription_replays_then_follows(dial, olga, conversation):
    await database(make_note)(conversation, "Between us", olga)
    page = await dial(olga)
    await page.say("subscribe", conversation_id=str(conversation.pk), since=0)
    first = await page.until("message", seq=1)
    assert first["conversation_id"] == str(conversation.pk)
    note = await page.until("message", seq=2)
    assert (note["kind"], note["role"]) == ("note", "operator")
    await database(transitions.take)(conversation_id=conversation.pk, operator=olga)
    changed = await page.until("conversation")
    assert (changed["handled_by"], changed["operator"]["id"]) == ("operator", olga.pk)
    seqs = [frame["seq"] for frame in page.frames if "seq" in frame]
    assert seqs == list(range(1, len(seqs) + 1))
    assert not page.of("fragment")


async def test_a_page_gets_each_event_rendered_beside_its_frame(dial, olga, conversation):
    page = await dial(olga, "html=1")
    await page.say("subscribe", conversation_id=str(conversation.pk), since=0, html=True)
    piece = await page.until("fragment", target=f"thread-{conversation.pk}")
    assert (piece["action"], piece["version"]) == ("append", 1)
    assert "Hello?" in piece["html"]
    await database(transitions.take)(conversation_id=conversation.pk, operator=olga)
    change = await page.until("fragment", target=f"thread-{conversation.pk}", version=2)
    assert "Olga answers" in change["html"]


async def test_a_removed_message_is_rendered_as_removed(dial, olga, conversation):
    message = await Message.objects.aget()
    page = await dial(olga, "html=1")
    await page.say("subscribe", conversation_id=str(conversation.pk), since=1, html=True)
    await page.nothing_but("connected", "read")
    await database(redaction.redact)(message_id=message.pk)
    piece = await page.until("fragment", target=f"words-{message.pk}")
    assert (piece["action"], "This message was removed." in piece["html"]) == ("replace", True)
    again = await dial(olga, "html=1")
    await again.say("subscribe", conversation_id=str(conversation.pk), since=0, html=True)
    piece = await again.until("fragment", version=1)
    assert "This message was removed." in piece["html"]
    assert "Hello?" not in piece["html"]


async def test_the_bot_is_watched_while_it_writes(dial, olga, conversation):
    page = await dial(olga)
    await page.say("subscribe", conversation_id=str(conversation.pk), since=1)
    await page.nothing_but("connected", "read")
    row = await Conversation.objects.aget(pk=conversation.pk)
    stream = open_stream(
        conversation_id=str(conversation.pk),
        turn="t-1",
        revision=0,
        ownership=row.ownership,
        message_id=str(uuid.uuid4()),
        flush_seconds=0,
    )
    stream.delta("Let me see")
    start = await page.until("response_start")
    delta = await page.until("text_delta")
    assert start["conversation_id"] == delta["conversation_id"] == str(conversation.pk)
    assert (delta["offset"], delta["content"]) == (0, "Let me see")


async def test_read_marks_come_in_operators_numbering(dial, olga, conversation):
    await database(make_note)(conversation, "hidden", olga)
    await database(make_message)(conversation, "more")
    await database(reading.mark_read)(conversation_id=conversation.pk, seq=1)
    page = await dial(olga)
    await page.say("subscribe", conversation_id=str(conversation.pk), since=3)
    assert (await page.until("read", role="user"))["upto"] == 1
    await database(reading.mark_read)(conversation_id=conversation.pk, seq=2)
    assert (await page.until("read", role="user"))["upto"] == 3


async def test_a_place_beyond_the_head_is_reset(dial, olga, conversation):
    page = await dial(olga)
    await page.say("subscribe", conversation_id=str(conversation.pk), since=99)
    reset = await page.until("reset")
    assert (reset["reason"], reset["conversation_id"]) == ("ahead", str(conversation.pk))
    await database(make_message)(conversation, "next")
    assert (await page.until("message"))["seq"] == 2


async def test_unsubscribing_ends_the_frames(dial, olga, conversation, hub):
    page = await dial(olga)
    key = str(conversation.pk)
    await page.say("subscribe", conversation_id=key, since=1)
    await page.say("subscribe", conversation_id=key, since=1)
    await page.nothing_but("connected", "read")
    assert len(hub.topics[key].readers) == 1
    await page.say("unsubscribe", conversation_id=key)
    await page.say("unsubscribe", conversation_id=key)
    await page.nothing_but()
    await database(make_message)(conversation, "unheard")
    await page.nothing_but("summary")


async def test_one_socket_follows_a_limited_number(dial, olga, conversation, monkeypatch):
    monkeypatch.setattr("inbox.consumers.MAX_SUBSCRIPTIONS", 1)
    other = await database(make_conversation)()
    page = await dial(olga)
    await page.say("subscribe", conversation_id=str(conversation.pk))
    await page.say("subscribe", conversation_id=str(other.pk))
    error = await page.until("error")
    assert (error["code"], error["field"]) == ("too_large", "conversation_id")


async def test_typing_is_told_to_everybody_in_the_conversation(
    dial, olga, conversation, listen, hub
):
    visitor, _ = listen(hub, conversation, "visitor", 1)
    page = await dial(olga)
    await page.say("typing", conversation_id=str(conversation.pk), is_typing=True)
    await visitor.until(lambda ear: ear.of("typing"))
    assert visitor.of("typing")[0]["author"]["name"] == "Olga"
    assert "conversation_id" not in visitor.of("typing")[0]


# Presence


async def test_presence_is_switched_over_the_socket(dial, olga):
    page = await dial(olga)
    await page.say("presence", available=True)
    await page.nothing_but("connected")
    row = await Operator.objects.aget(pk=olga.pk)
    assert row.available
    assert row.last_seen_at is not None


async def test_an_open_socket_is_a_sign_of_life(dial, olga, hub):
    await Operator.objects.filter(pk=olga.pk).aupdate(last_seen_at=None)
    await (await dial(olga)).until("connected")
    async with asyncio.timeout(10):
        while not await Operator.objects.filter(pk=olga.pk, last_seen_at__isnull=False).aexists():
            await asyncio.sleep(0.02)


# Losing one's rights


async def ask_again(hub) -> None:
    hub.deliver(Batch(controls=[Control(kind="operator")]))


async def close_account(operator, page):
    operator.user.is_active = False
    await operator.user.asave()


async def take_permission(operator, page):
    permission = await Permission.objects.aget(codename="view_inbox")
    await operator.user.user_permissions.aremove(permission)


async def sign_out(operator, page):
    await Session.objects.filter(session_key=page.key).adelete()


async def change_password(operator, page):
    operator.user.set_password("another")
    await operator.user.asave()


async def delete_account(operator, page):
    await database(operator.user.delete)()


@pytest.mark.parametrize(
    "loss", [close_account, take_permission, sign_out, change_password, delete_account]
)
async def test_who_may_no_longer_be_here_is_closed_with_4401(dial, olga, hub, loss):
    page = await dial(olga)
    await page.until("connected")
    await loss(olga, page)
    await ask_again(hub)
    assert await page.closed_with() == 4401


async def test_leaving_a_team_takes_its_conversations_away(dial, olga, support, conversation, hub):
    page = await dial(olga)
    await page.until("connected")
    await asyncio.sleep(0.1)  # the lookout has read which teams there are
    await page.say("subscribe", conversation_id=str(conversation.pk), since=1)
    await page.nothing_but("read")
    await olga.teams.aremove(support)
    await ask_again(hub)
    await page.until("gone", conversation_id=str(conversation.pk))
    await olga.teams.aadd(support)
    await ask_again(hub)
    await page.until("connected")


async def test_rights_are_renewed_by_themselves(dial, olga, monkeypatch):
    monkeypatch.setattr("inbox.lookout.RENEW_SECONDS", 0.05)
    page = await dial(olga)
    await page.until("connected")
    await close_account(olga, page)
    assert await page.closed_with() == 4401


async def test_a_failed_renewal_is_tried_again(dial, olga, monkeypatch, hub):
    monkeypatch.setattr("inbox.lookout.RENEW_SECONDS", 0.05)
    page = await dial(olga)
    await page.until("connected")
    calls = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def away(logins):
        loop.call_soon_threadsafe(calls.release)
        raise OperationalError

    monkeypatch.setattr("inbox.lookout.load_sights", away)
    async with asyncio.timeout(3):
        await calls.acquire()
        await calls.acquire()
    await page.nothing_but()


async def test_other_backends_are_asked_one_by_one(dial, olga, settings):
    settings.AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        "django.contrib.auth.backends.RemoteUserBackend",
    ]
    user = olga.user
    user.backend = settings.AUTHENTICATION_BACKENDS[0]
    page = await dial(olga)
    await page.until("connected")


@pytest.mark.parametrize("engine", ["cache", "signed_cookies"])
async def test_sessions_may_live_elsewhere(dial, olga, settings, engine):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    page = await dial(olga)
    await page.until("connected")


async def test_the_last_page_that_leaves_ends_the_watch(dial, olga, hub):
    page = await dial(olga)
    await page.until("connected")
    lookout: Lookout = get_lookout(hub)
    assert hub.watchers == {lookout}
    await page.socket.disconnect()
    assert not hub.watchers
    assert lookout._task is None


# Broken frames


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("{", "bad_json", None),
        ("[]", "bad_frame", None),
        ('{"type": "fly"}', "unknown_type", "type"),
        ('{"type": "subscribe"}', "invalid_field", "conversation_id"),
        ('{"type": "subscribe", "conversation_id": "x"}', "invalid_field", "conversation_id"),
        ('{"type": "presence", "available": 1}', "invalid_field", "available"),
    ],
)
async def test_a_broken_frame_is_refused_and_the_socket_lives(dial, olga, text, code, field):
    page = await dial(olga)
    await page.socket.send_to(text_data=text)
    error = await page.until("error")
    assert (error["code"], error.get("field")) == (code, field)
    await page.nothing_but()


async def test_a_seat_that_was_removed_cannot_be_switched(dial, olga):
    page = await dial(olga)
    await page.until("connected")
    await database(Operator.objects.filter(pk=olga.pk).delete)()
    await page.say("presence", available=True)
    assert (await page.until("error"))["code"] == "not_found"


async def test_a_heartbeat_tells_how_far_each_conversation_has_come(
    dial, olga, conversation, settings
):
    settings.INBOX_HEARTBEAT_SECONDS = 1
    page = await dial(olga)
    await page.say("subscribe", conversation_id=str(conversation.pk), since=1)
    beat = await page.until("heartbeat")
    assert beat["heads"] == {str(conversation.pk): 1}
    publish_ephemeral(conversation.pk, {"type": "typing", "role": "user", "is_typing": True})
    assert (await page.until("typing"))["conversation_id"] == str(conversation.pk)
