"""The HTTP addresses in one process: rows, statements, refusals and doubles for the bot."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from contextlib import aclosing

import jwt
import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http.request import UnreadablePostError
from django.test import AsyncRequestFactory
from django.utils import timezone

from chatwidget import access, http, look
from chatwidget.actions.sessions import Arrival, begin_session
from chatwidget.models import Widget
from chatwidget.testing import sign_identity
from chatwidget.tokens import VisitorToken
from chatwidget.views import answers
from inbox.errors import InboxError
from inbox.models import Conversation, Event, Visitor
from inbox.ports import AnswerPart
from inbox.testing import (
    make_conversation,
    make_message,
    make_operator,
    make_team,
    make_user,
    make_visitor,
)

pytestmark = pytest.mark.django_db(transaction=True)


async def post(client, path, body, **headers):
    return await client.post(
        path, json.dumps(body), content_type="application/json", headers=headers
    )


async def open_chat(client, **body):
    response = await post(client, "/chat/session", {"widget": "shop", **body})
    assert response.status_code == 201, response.content
    return response.json()


def bearer(opened):
    return {"Authorization": f"Bearer {opened['token']}"}


# Rows


async def test_a_page_view_costs_no_row_and_no_cookie(async_client, widget):
    for path in ("/chat/widget.js", "/chat/panel.js", "/chat/?widget=shop"):
        response = await async_client.get(path)
        assert response.status_code == 200
        assert not response.cookies
    assert await Visitor.objects.acount() == 0


async def test_opening_the_chat_makes_a_visitor_and_no_conversation(async_client, widget):
    opened = await open_chat(
        async_client,
        locale="de",
        page={"url": "https://shop.example/" + "x" * 3000, "title": "A\nShop", "referrer": "r"},
    )
    visitor = await Visitor.objects.aget()
    assert str(visitor.session_id) == opened["session_id"]
    assert visitor.language == "de"
    assert len(visitor.page_url) == 2000
    assert visitor.page_title == "A Shop"
    assert visitor.last_seen_at is not None
    assert not visitor.verified
    assert await Conversation.objects.acount() == 0


async def test_a_refused_session_makes_nobody(async_client, widget):
    for body in ({"widget": "nowhere"}, {"widget": "shop", "identity": "x"}, {"widget": 7}):
        response = await post(async_client, "/chat/session", body)
        assert response.status_code in (400, 401, 404)
    response = await post(
        async_client, "/chat/session", {"widget": "shop"}, Origin="https://evil.example"
    )
    assert response.status_code == 403
    assert await Visitor.objects.acount() == 0


async def test_a_widget_that_is_off_is_unknown(async_client, widget):
    opened = await open_chat(async_client)
    await Widget.objects.filter(pk=widget.pk).aupdate(enabled=False)
    response = await post(async_client, "/chat/session", {"widget": "shop"})
    assert (response.status_code, response.json()["code"]) == (404, "unknown_widget")
    response = await async_client.get("/chat/unread", headers=bearer(opened))
    assert (response.status_code, response.json()["code"]) == (404, "unknown_widget")


async def test_where_guests_may_not_write_they_are_asked_to_sign_in(async_client, widget):
    await Widget.objects.filter(pk=widget.pk).aupdate(anonymous=False, bot_key="default")
    response = await post(async_client, "/chat/session", {"widget": "shop"})
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert "sign in" in response.json()["message"]
    for headers in ({}, {"Authorization": "Bearer x"}):
        response = await post(
            async_client, "/api/chatbot", {"query": "Hi", "widget": "shop"}, **headers
        )
        assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


async def test_tokens_of_one_widget_open_no_other(async_client, widget):
    opened = await open_chat(async_client)
    await Widget.objects.acreate(key="other")
    other = await post(async_client, "/chat/session", {"widget": "other", "token": opened["token"]})
    assert other.json()["session_id"] != opened["session_id"]


# What the widget says of itself


async def test_the_look_follows_language_team_and_presence(async_client, widget):
    await widget.texts.acreate(language="de", greeting="Hallo!", starters=["Wo?"])
    german = (await open_chat(async_client, locale="de-CH"))["widget"]
    assert (german["greeting"], german["starters"], german["name"]) == ("Hallo!", ["Wo?"], "Shop")
    assert german["strings"]["open"] == "Chat öffnen"
    assert german["online"] is False
    assert german["bot_name"] is None
    assert german["features"]["stop"] is False

    def staff():
        make_operator("Olga", teams=[make_team("Support")], available=True)
        widget.team = make_team("Sales")
        widget.save()

    await asyncio.to_thread(staff)
    assert (await open_chat(async_client))["widget"]["online"] is False
    await Widget.objects.filter(pk=widget.pk).aupdate(team=None)
    assert (await open_chat(async_client))["widget"]["online"] is True


async def test_a_right_to_left_language_turns_the_widget(async_client, widget, settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    arabic = (await open_chat(async_client, locale="ar"))["widget"]
    assert (arabic["locale"], arabic["dir"]) == ("ar", "rtl")
    header = await post(
        async_client, "/chat/session", {"widget": "shop"}, **{"Accept-Language": "ar,en;q=0.5"}
    )
    assert header.json()["widget"]["locale"] == "ar"


async def test_the_socket_is_encrypted_where_the_page_is(async_client, widget, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    plain = await post(async_client, "/chat/session", {"widget": "shop"})
    assert plain.json()["ws_url"].startswith("ws://testserver/ws/chat/")
    declared = await post(
        async_client, "/chat/session", {"widget": "shop"}, **{"X-Forwarded-Proto": "https"}
    )
    assert declared.json()["ws_url"].startswith("wss://testserver/ws/chat/")
    hidden = await post(
        async_client, "/chat/session", {"widget": "shop"}, Origin="https://testserver"
    )
    assert hidden.json()["ws_url"].startswith("wss://testserver/ws/chat/")


# Unread


async def test_unread_counts_words_of_others_behind_the_mark(async_client, widget):
    opened = await open_chat(async_client)
    assert opened["unread"] == 0
    visitor = await Visitor.objects.aget()

    def talk():
        conversation = make_conversation(visitor, id=visitor.session_id)
        make_message(conversation, "Mine")
        make_message(conversation, "A line", role="system")
        make_message(conversation, "One", role="operator")
        make_message(conversation, "A note", role="operator", kind="note")
        make_message(conversation, "Two", role="assistant")

    await asyncio.to_thread(talk)
    unread = await async_client.get("/chat/unread", headers=bearer(opened))
    assert unread.json() == {"unread": 2}
    assert (await open_chat(async_client, token=opened["token"]))["unread"] == 2
    response = await post(
        async_client, "/chat/frames", {"type": "read", "seq": 3}, **bearer(opened)
    )
    assert response.status_code == 204
    unread = await async_client.get("/chat/unread", headers=bearer(opened))
    assert unread.json() == {"unread": 1}


async def test_what_was_closed_while_away_counts_until_the_chat_is_opened(async_client, widget):
    opened = await open_chat(async_client)
    visitor = await Visitor.objects.aget()

    def talk():
        conversation = make_conversation(visitor, status="closed")
        make_message(conversation, "We found it", role="operator")

    await asyncio.to_thread(talk)
    unread = await async_client.get("/chat/unread", headers=bearer(opened))
    assert unread.json() == {"unread": 1}
    assert (await open_chat(async_client, token=opened["token"]))["unread"] == 1
    unread = await async_client.get("/chat/unread", headers=bearer(opened))
    assert unread.json() == {"unread": 0}


async def test_the_list_of_conversations_comes_in_pages(async_client, widget):
    opened = await open_chat(async_client)
    visitor = await Visitor.objects.aget()

    def fill():
        for _ in range(52):
            make_conversation(visitor, status="closed")

    await asyncio.to_thread(fill)
    first = (await async_client.get("/chat/conversations", headers=bearer(opened))).json()
    assert len(first["results"]) == 50
    rest = await async_client.get(
        f"/chat/conversations?before={first['next']}", headers=bearer(opened)
    )
    assert len(rest.json()["results"]) == 2
    assert rest.json()["next"] is None
    wrong = await async_client.get("/chat/conversations?before=x", headers=bearer(opened))
    assert wrong.json()["code"] == "invalid_field"


async def test_snoozing_is_no_news_for_the_visitor(async_client, widget):
    opened = await open_chat(async_client)
    visitor = await Visitor.objects.aget()
    await asyncio.to_thread(
        lambda: make_conversation(visitor, id=visitor.session_id, status="snoozed")
    )
    again = await open_chat(async_client, token=opened["token"])
    assert again["conversation"]["status"] == "open"


async def test_a_wish_for_a_person_may_be_the_first_thing(async_client, widget):
    opened = await open_chat(async_client)
    response = await post(async_client, "/chat/frames", {"type": "request_human"}, **bearer(opened))
    assert response.status_code == 204
    assert await Conversation.objects.aget(pk=opened["session_id"])


async def test_wishes_about_nothing_are_refused(async_client, widget):
    opened = await open_chat(async_client)
    for frame in ({"type": "read", "seq": 1}, {"type": "rating", "score": 5}):
        response = await post(async_client, "/chat/frames", frame, **bearer(opened))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_limits_hold_for_readers_too(async_client, widget, settings):
    opened = await open_chat(async_client)
    settings.CHATWIDGET_RATE_FACTOR = 0.02
    for path in ("/chat/unread", "/chat/conversations"):
        await async_client.get(path, headers=bearer(opened))
    response = await async_client.get("/chat/unread", headers=bearer(opened))
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    frame = await post(async_client, "/chat/frames", {"type": "ping"}, **bearer(opened))
    assert frame.status_code == 429


# When things break


async def test_trouble_of_the_database_is_a_refusal_that_may_be_retried(
    async_client, widget, monkeypatch, caplog
):
    def broken(*args):
        raise DatabaseError("secret detail")

    monkeypatch.setattr(access, "find_caller", broken)
    monkeypatch.setattr(http, "find_caller", broken)
    monkeypatch.setattr(http, "any_widget_allows", broken)
    response = await async_client.get(
        "/chat/unread", headers={"Authorization": "Bearer x", "Origin": "https://shop.example"}
    )
    refused = response.json()
    assert (response.status_code, refused["code"]) == (503, "try_again")
    assert refused["retryable"] is True
    assert response["Retry-After"] == "1"
    assert "secret" not in response.content.decode()
    assert "could not be handled" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"), [(RequestDataTooBig(), "too_large"), (UnreadablePostError(), "bad_json")]
)
def test_a_body_that_cannot_be_read_is_refused(error, code):
    class Broken:
        headers: dict[str, str] = {}

        @property
        def body(self):
            raise error

    with pytest.raises(InboxError) as refused:
        http.read_object(Broken())
    assert refused.value.code == code


def test_a_host_that_is_not_allowed_owns_no_page():
    request = AsyncRequestFactory().get("/", headers={"host": "evil.example"})
    assert access.own_origins_of(request) == frozenset()


# Single questions, with a bot that does as it is told


class Source:
    """An answer source that says these parts and notes when its reader goes away."""

    def __init__(self, *parts, name="Robbie"):
        self.parts = parts
        self.name = name
        self.asked = []
        self.closed = False

    def bot_name(self, bot_key):
        return self.name if bot_key == "robbie" else None

    async def answer(self, question):
        self.asked.append(question)
        try:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
                yield part
        finally:
            self.closed = True


LINKS = [
    {"url": "/help/", "title": "Help", "snippet": "…"},
    {"url": "https://docs.example/lamps/", "title": "Lamps", "snippet": "…"},
    {"url": "", "title": "Nowhere", "snippet": "…"},
]
WHOLE_LINKS = [{**LINKS[0], "url": "http://testserver/help/"}, *LINKS[1:]]
SOURCES = AnswerPart(type="sources", data=LINKS)
HELLO, WORLD = AnswerPart(type="text", data="Hello "), AnswerPart(type="text", data="world")
END = AnswerPart(type="end")
ERROR = AnswerPart(type="error", data="The bot is away.", code="bot_failed")


@pytest.fixture
def answering(widget, monkeypatch):
    def use(*parts, **options):
        source = Source(*parts, **options)
        monkeypatch.setattr(answers, "answer_sources", lambda: [Source(name=None), source])
        monkeypatch.setattr(look, "answer_sources", lambda: [source])
        Widget.objects.filter(pk=widget.pk).update(bot_key="robbie")
        return source

    return use


async def ask(client, **body):
    return await post(client, "/api/chatbot", {"query": "Where?", "widget": "shop", **body})


async def records(response):
    text = b"".join([chunk async for chunk in response.streaming_content]).decode()
    *found, rest = text.split("\n\n")
    assert rest == ""
    return [json.loads(record.removeprefix("DATA:")) for record in found]


async def test_an_answer_is_put_together(async_client, answering):
    source = await asyncio.to_thread(answering, SOURCES, HELLO, WORLD, END)
    response = await ask(async_client, language="de")
    assert response.json() == {"answer": "Hello world", "sources": WHOLE_LINKS}
    assert (source.asked[0].query, source.asked[0].language) == ("Where?", "de")
    assert (source.asked[0].bot_key, source.asked[0].widget_key) == ("robbie", "shop")
    assert source.closed
    assert await Event.objects.acount() == 0
    assert (await open_chat(async_client))["widget"]["bot_name"] == "Robbie"


@pytest.mark.parametrize(
    ("parts", "types"),
    [
        ([SOURCES, HELLO, WORLD, END], ["sources", "text", "text", "end"]),
        ([HELLO, END], ["sources", "text", "end"]),
        ([HELLO], ["sources", "text", "end"]),
        ([], ["sources", "end"]),
        ([END, HELLO], ["sources", "end"]),
        ([SOURCES, HELLO, ERROR, END], ["sources", "text", "error"]),
    ],
)
async def test_records_come_in_the_promised_order(async_client, answering, parts, types):
    source = await asyncio.to_thread(answering, *parts)
    response = await ask(async_client, stream=True)
    assert response["X-Accel-Buffering"] == "no"
    found = await records(response)
    assert [record["type"] for record in found] == types
    assert found[0]["data"] == (WHOLE_LINKS if SOURCES in parts else [])
    if types[-1] == "error":
        assert found[-1] == {"type": "error", "data": "The bot is away.", "code": "bot_failed"}
    assert source.closed


@pytest.mark.parametrize("stream", [False, True])
async def test_what_fails_before_the_first_record_is_a_refusal(async_client, answering, stream):
    await asyncio.to_thread(answering, ERROR)
    response = await ask(async_client, stream=stream)
    assert (response.status_code, response.json()["code"]) == (503, "bot_failed")
    assert response.json()["message"] == "The bot is away."
    await asyncio.to_thread(answering, InboxError("rate_limited", status=429, retryable=True))
    response = await ask(async_client, stream=stream)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")


async def test_a_whole_answer_that_fails_later_is_a_refusal_too(async_client, answering):
    await asyncio.to_thread(answering, SOURCES, HELLO, ERROR)
    response = await ask(async_client)
    assert (response.status_code, response.json()["code"]) == (503, "bot_failed")


async def test_a_reader_who_goes_away_stops_the_work(async_client, answering):
    source = await asyncio.to_thread(answering, SOURCES, *[HELLO] * 100)
    response = await ask(async_client, stream=True)
    async with aclosing(answers._records(SOURCES, source.answer(None), str)) as reader:
        await anext(reader)
        await anext(reader)
        source.closed = False
    assert source.closed
    assert response.status_code == 200


async def test_without_a_bot_there_is_no_answer(async_client, widget):
    response = await ask(async_client)
    assert (response.status_code, response.json()["code"]) == (409, "no_bot")


async def test_questions_are_counted_by_address(async_client, answering, settings):
    await asyncio.to_thread(answering, HELLO, END)
    for _ in range(30):
        assert (await ask(async_client)).status_code == 200
    response = await ask(async_client)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")


async def test_a_token_of_a_stranger_names_nobody(async_client, widget):
    visitor = await asyncio.to_thread(make_visitor)
    assert visitor.widget_key != "shop"
    response = await async_client.get(
        f"/chat/conversations/{uuid.uuid4()}/events", headers={"Authorization": "Basic x"}
    )
    assert response.status_code == 401


# Who it is


async def test_a_signed_person_is_one_row_with_the_hosts_word_for_a_name(async_client, widget):
    guest = await open_chat(async_client)
    opened = await open_chat(
        async_client,
        token=guest["token"],
        identity=sign_identity(widget, "vera", name="Vera", email="v@x.de"),
    )
    visitor = await Visitor.objects.aget()
    assert (visitor.external_id, visitor.name, visitor.email) == ("jwt:vera", "Vera", "v@x.de")
    assert opened["session_id"] == guest["session_id"]
    # The guest's token is worth nothing from now on, neither as a bearer nor at /session.
    response = await async_client.get("/chat/unread", headers=bearer(guest))
    assert response.status_code == 401
    assert (await async_client.get("/chat/unread", headers=bearer(opened))).status_code == 200
    again = await open_chat(async_client, token=guest["token"])
    assert again["session_id"] != opened["session_id"]


async def test_an_expiry_that_is_no_number_is_refused(async_client, widget):
    in_time = str(int(time.time()) + 300)
    token = jwt.api_jws.encode(
        json.dumps({"sub": "vera", "aud": "shop", "exp": in_time}).encode(),
        widget.identity_secret,
        algorithm="HS256",
    )
    response = await post(async_client, "/chat/session", {"widget": "shop", "identity": token})
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


async def test_the_sites_login_counts_on_its_own_pages_alone(async_client, widget, settings):
    user = await asyncio.to_thread(make_user, "vera", first_name="Vera", email="vera@x.example")
    await async_client.aforce_login(user)

    async def arrive(**headers):
        await post(async_client, "/chat/session", {"widget": "shop"}, **headers)
        return await Visitor.objects.order_by("-last_seen_at").afirst()

    known = await arrive(Origin="http://testserver")
    assert (known.external_id, known.user_id, known.name) == (f"user:{user.pk}", user.pk, "Vera")
    assert not (await arrive()).verified
    assert not (await arrive(Origin="https://shop.example")).verified
    settings.CHATWIDGET_SITE_USERS = False
    assert not (await arrive(Origin="http://testserver")).verified


async def test_a_blocked_person_stays_out_under_every_token(async_client, widget):
    opened = await open_chat(async_client)
    await Visitor.objects.aupdate(blocked_at=timezone.now())
    response = await post(
        async_client, "/chat/session", {"widget": "shop", "token": opened["token"]}
    )
    assert (response.status_code, response.json()["code"]) == (403, "blocked")
    response = await async_client.get("/chat/unread", headers=bearer(opened))
    assert (response.status_code, response.json()["code"]) == (403, "blocked")


async def test_sessions_are_counted_by_who_opens_them(async_client, widget, settings):
    settings.CHATWIDGET_RATE_FACTOR = 1 / 60
    opened = await open_chat(async_client)
    body = {"widget": "shop"}
    refused = await post(async_client, "/chat/session", body)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    # Who is known is counted for themselves, twice as generously.
    for extra in ({"token": opened["token"]}, {"identity": sign_identity(widget, "vera")}):
        statuses = [
            (await post(async_client, "/chat/session", body | extra)).status_code for _ in range(3)
        ]
        assert statuses == [201, 201, 429]


# Forms of asking


async def test_preflights_methods_and_bodies(async_client, widget):
    preflight = await async_client.options(
        "/api/chatbot", headers={"Origin": "https://shop.example"}
    )
    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Origin"] == "https://shop.example"
    wrong = await async_client.get("/chat/session")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong["Allow"] == "POST"
    for body, code in (("x" * 70_000, "too_large"), ("[]", "bad_frame"), ("\xff", "bad_json")):
        response = await async_client.post(
            "/chat/session", body.encode("latin-1"), content_type="application/json"
        )
        assert response.json()["code"] == code
    for query, code in (("", "empty_message"), ("x" * 4001, "too_long")):
        response = await post(async_client, "/api/chatbot", {"query": query, "widget": "shop"})
        assert response.json()["code"] == code


async def test_files_are_asked_for_again_cheaply(async_client):
    first = await async_client.get("/chat/panel.js", headers={"Accept-Encoding": "gzip"})
    assert first["Content-Encoding"] == "gzip"
    for known in (first["ETag"], f"W/{first['ETag']}", "*"):
        again = await async_client.get(
            "/chat/panel.js", headers={"Accept-Encoding": "gzip", "If-None-Match": known}
        )
        assert again.status_code == 304
    digest = first["ETag"].strip('"').removesuffix("-gz")
    pinned = await async_client.get(f"/chat/panel.js?v={digest}")
    assert "immutable" in pinned["Cache-Control"]
    assert "immutable" not in (await async_client.get("/chat/panel.js?v=old"))["Cache-Control"]


def test_a_token_says_the_same_of_its_visitor_as_the_row(widget):
    """Two locks: whatever changed the row, a guest's token never opens a person's history."""
    person = make_visitor(widget_key="shop", external_id="jwt:vera")
    guest = make_visitor(widget_key="shop")
    for visitor, known, opens in (
        (person, True, True),
        (person, False, False),
        (guest, False, True),
        (guest, True, False),
    ):
        token = VisitorToken(
            visitor=visitor.public_id, widget="shop", epoch=visitor.token_epoch, known=known
        )
        assert (access.find_visitor(token) == visitor) is opens
        arrival = Arrival(
            widget_key="shop", identity=None, token=token, address="192.0.2.1", language="en"
        )
        again, _ = begin_session(arrival, lambda visitor: 0)
        assert (again == visitor) is (opens and not known)


@pytest.mark.parametrize("path", ["uploads", "nowhere", "conversations/nobody/events", "a/b"])
def test_an_address_that_does_not_exist_is_refused_in_json(client, path):
    for answer in (client.get(f"/chat/{path}"), client.post(f"/chat/{path}", {})):
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
