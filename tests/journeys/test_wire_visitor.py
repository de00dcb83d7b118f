"""The visitor's wire against real servers, frame by frame, on both stacks."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from tests.chatwidget.wire import Socket, VisitorClient, new_id

pytestmark = pytest.mark.slow


@pytest.fixture
def vera(stack):
    return VisitorClient(stack.url)


@pytest.fixture(scope="module")
def stack_env():
    # The bot says something short at once, so that there is more in a conversation than Vera.
    return {"BOTS_BACKEND": "scripted", "SCRIPTED_TOKENS": "3", "SCRIPTED_RATE": "1000"}


def is_gap_free(seqs, after=0):
    return seqs == list(range(after + 1, after + 1 + len(seqs)))


# Starting


async def test_opening_the_chat_tells_all_that_a_client_needs(vera):
    opened = await vera.session(page={"url": "http://shop.example/", "title": "Shop"})
    assert uuid.UUID(opened["session_id"])
    assert uuid.UUID(opened["epoch"])
    assert opened["ws_url"].startswith("ws://")
    assert opened["ws_url"].endswith(f"/ws/chat/{opened['session_id']}/")
    assert (opened["head"], opened["conversation"], opened["unread"]) == (0, None, 0)
    widget = opened["widget"]
    assert {"key", "name", "greeting", "starters", "accent", "position", "theme"} <= set(widget)
    assert {"locale", "dir", "online", "reply_time", "bot_name", "avatar"} <= set(widget)
    assert {"privacy_url", "strings", "features"} <= set(widget)
    assert widget["key"] == "demo"
    assert set(widget["features"]) == {"human", "upload", "sources", "rating", "sound", "stop"}
    assert all(isinstance(text, str) and text for text in widget["strings"].values())


async def test_the_widget_speaks_the_language_that_the_page_wishes(vera):
    english = (await vera.session(locale="en-GB"))["widget"]
    german = (await vera.session(locale="de-AT"))["widget"]
    unknown = (await vera.session(locale="x" * 600))["widget"]
    assert (english["locale"], german["locale"], unknown["locale"]) == ("en", "de", "en")
    assert english["strings"] != german["strings"]
    assert german["greeting"].startswith("Hallo")


async def test_a_token_brings_back_the_same_conversation_on_every_device(vera, stack):
    opened = await vera.session()
    phone = VisitorClient(stack.url)
    phone.token = vera.token
    assert (await phone.session())["session_id"] == opened["session_id"]
    assert (await vera.session())["session_id"] == opened["session_id"]
    stranger = VisitorClient(stack.url)
    assert (await stranger.session())["session_id"] != opened["session_id"]


async def test_nothing_is_stored_of_a_conversation_before_the_first_word(vera):
    async with vera.connect() as socket:
        assert socket.frames[0]["conversation"] is None
        assert (await vera.get("/chat/conversations")).json()["results"] == []
        await socket.say()
        assert len((await vera.get("/chat/conversations")).json()["results"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("{", 400, "bad_json", None),
        ("", 400, "bad_json", None),
        ('{"widget": "demo", "widget": "demo"}', 400, "bad_json", None),
        ('{"widget": NaN}', 400, "bad_json", None),
        ("[" * 20 + "]" * 20, 400, "bad_json", None),
        ("[]", 400, "bad_frame", None),
        ("null", 400, "bad_frame", None),
        ("{}", 400, "invalid_field", "widget"),
        ('{"widget": 7}', 400, "invalid_field", "widget"),
        ('{"widget": "demo", "token": 7}', 400, "invalid_field", "token"),
        ('{"widget": "demo", "page": []}', 400, "invalid_field", "page"),
        ('{"widget": "demo", "page": {"url": 7}}', 400, "invalid_field", "page.url"),
        ('{"widget": "nowhere"}', 404, "unknown_widget", None),
        ('{"widget": "de\\u0000mo"}', 404, "unknown_widget", None),
        ('{"widget": "demo", "identity": "rubbish"}', 401, "invalid_token", None),
        ('{"widget": "demo", "locale": "' + "x" * 70_000 + '"}', 413, "too_large", None),
    ],
)
async def test_a_broken_request_is_refused_in_words(vera, body, status, code, field):
    response = await vera.request("POST", "/chat/session", content=body)
    refused = response.json()
    assert (response.status_code, refused["code"]) == (status, code)
    assert refused.get("field") == field
    assert refused["retryable"] is False
    assert refused["message"]


async def test_a_token_that_is_none_begins_a_new_guest(vera):
    opened = await vera.session()
    vera.token = (vera.token or "")[:-2] + "xx"
    assert (await vera.session())["session_id"] != opened["session_id"]


# Messages


async def test_a_message_is_acknowledged_and_comes_back_with_its_number(vera):
    async with vera.connect() as socket:
        connected = socket.frames[0]
        assert connected["session_id"] == vera.last["session_id"]
        assert connected["epoch"] == vera.last["epoch"]
        assert connected["limits"] == {"max_frame_bytes": 20480, "max_message_chars": 4000}
        assert 0 < connected["heartbeat_seconds"] <= 30
        assert connected["reads"] == {}
        assert socket.connection.subprotocol == "chat.v1"
        await socket.send("message", client_id="first", content="Hello <b>there</b>")
        message = await socket.expect("message", client_id="first")
        assert {"id", "author", "attachments", "sources", "quick_replies"} <= set(message)
        assert message["seq"] == 1
        assert message["role"] == "user"
        assert message["content"] == "Hello <b>there</b>"
    async with vera.connect() as socket:
        ack = await socket.say("Hello <b>there</b>", "first")
        assert (ack["id"], ack["seq"]) == (message["id"], 1)
        assert ack["timestamp"] == message["timestamp"]


async def test_a_resend_is_the_same_message_on_every_way(vera):
    async with vera.connect() as socket:
        first = await socket.say("Once", "once")
        again = await socket.say("Once", "once")
        assert again == first
        response = await vera.post("/chat/messages", client_id="once", content="Once")
        assert response.status_code == 200
        assert response.json() == {k: first[k] for k in ("client_id", "id", "seq", "timestamp")}
        new = await vera.post("/chat/messages", client_id="twice", content="Twice")
        assert new.status_code == 201
        assert (await socket.say("Twice", "twice"))["id"] == new.json()["id"]
        await socket.seen("message", client_id="twice")
        await socket.sync()
        sent = [frame.get("client_id") for frame in socket.durable if frame.get("role") == "user"]
        assert sent == ["once", "twice"]


async def test_the_same_id_with_other_words_is_refused(vera):
    async with vera.connect() as socket:
        await socket.say("One thing", "same")
        await socket.send("message", client_id="same", content="Another thing")
        error = await socket.expect("error", client_id="same")
        assert (error["code"], error["retryable"]) == ("client_id_conflict", False)
        response = await vera.post("/chat/messages", client_id="same", content="Another thing")
        assert (response.status_code, response.json()["code"]) == (409, "client_id_conflict")
        events = (await vera.events(since=0))["events"]
        words = [event["content"] for event in events if event.get("role") == "user"]
        assert words == ["One thing"]


async def test_racing_resends_store_one_message(vera):
    await vera.session()
    wanted = [
        vera.post("/chat/messages", client_id="race", content="Go", attachments=None)
        for _ in range(12)
    ]
    answers = await asyncio.gather(*wanted)
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert sorted({answer.status_code for answer in answers}) in ([200, 201], [201], [200])
    events = (await vera.events(since=0))["events"]
    assert [event["client_id"] for event in events if event.get("role") == "user"] == ["race"]


async def test_messages_stand_in_the_order_they_were_written(vera):
    async with vera.connect() as socket:
        names = [f"m{number}" for number in range(20)]
        for name in names:
            await socket.send("message", client_id=name, content=name)
        for name in names:
            await socket.expect("ack", client_id=name)
        await socket.sync()
        events = (await vera.events(since=0))["events"]
        assert [e["client_id"] for e in events if e.get("role") == "user"] == names


async def test_every_device_hears_every_message(vera, stack):
    phone = VisitorClient(stack.site.servers[-1].url)
    async with vera.connect() as socket:
        phone.token = vera.token
        async with phone.connect() as other:
            ack = await socket.say("From the desk")
            heard = await other.seen("message", id=ack["id"], seconds=3)
            assert heard["seq"] == ack["seq"]
            ack = await other.say("From the phone")
            assert await socket.seen("message", id=ack["id"], seconds=3)


# Going on after a break


async def test_a_client_goes_on_where_it_was(vera):
    async with vera.connect() as socket:
        for number in range(5):
            await socket.say(f"Number {number}")
        await socket.drain(1)
        known = max(socket.seqs)
        epoch = vera.last["epoch"]
    await vera.post("/chat/messages", client_id=new_id(), content="While away")
    async with vera.connect(f"?epoch={epoch}&since={known}") as socket:
        assert (await socket.expect("message", content="While away"))["seq"] > known
        await socket.sync()
        assert is_gap_free(socket.seqs, known)


async def test_everything_is_replayed_in_pages_and_in_order(vera):
    async with vera.connect() as socket:
        for number in range(230):
            await socket.send("message", client_id=f"n{number}", content=str(number))
        await socket.expect("ack", client_id="n229", seconds=40)
        await socket.drain(1)
    async with vera.connect() as again:
        await again.expect("message", client_id="n229", seconds=20)
        assert is_gap_free(again.seqs)
        await again.send("resume", since=200)
        await again.expect("message", seq=201)


async def test_resume_sends_what_came_after(vera):
    async with vera.connect() as socket:
        for number in range(3):
            await socket.say(f"Number {number}")
        await socket.drain(1)
        head = max(socket.seqs)
        before = len(socket.frames)
        await socket.send("resume", since=0)
        while head not in [frame.get("seq") for frame in socket.frames[before:]]:
            await socket.receive()
        replayed = [frame["seq"] for frame in socket.frames[before:] if "seq" in frame]
        assert replayed[:head] == list(range(1, head + 1))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?since=99", "ahead"),
        ("?since=99999999999999999999999", "ahead"),
        ("?since=-1", "ahead"),
        ("?since=one", "ahead"),
        ("?since=%D9%A1", "ahead"),
        ("?epoch=00000000-0000-0000-0000-000000000000&since=1", "epoch"),
        ("?epoch=rubbish&since=0", "epoch"),
    ],
)
async def test_an_unknown_place_is_reset_and_never_a_silent_hole(vera, query, reason):
    async with vera.connect() as socket:
        await socket.say("Before")
        await socket.drain(0.7)
    async with vera.connect(query) as socket:
        assert (await socket.expect("reset"))["reason"] == reason
        ack = await socket.say("After")
        await socket.seen("message", id=ack["id"])
        # Live events go on from the head; the rest is there for the asking.
        assert "Before" not in [frame.get("content") for frame in socket.frames]
        await socket.send("resume", since=0)
        assert (await socket.expect("message", seq=1))["content"] == "Before"


async def test_resume_beyond_the_head_is_reset(vera):
    async with vera.connect() as socket:
        await socket.say()
        await socket.send("resume", since=1000)
        assert (await socket.expect("reset"))["reason"] == "ahead"


# Refusals


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("{", "bad_json", None),
        ("", "bad_json", None),
        ("   ", "bad_json", None),
        ('{"type": "ping"} {}', "bad_json", None),
        ('{"type": "read", "seq": NaN}', "bad_json", None),
        ('{"type": "read", "seq": 1e999}', "bad_json", None),
        ('{"type": "read", "seq": ' + "9" * 5000 + "}", "bad_json", None),
        ('{"type": "ping", "type": "ping"}', "bad_json", None),
        ('{"type": "ping", "x": ' + "[" * 17 + "]" * 17 + "}", "bad_json", None),
        ("[" * 9000, "bad_json", None),
        ("[]", "bad_frame", None),
        ("null", "bad_frame", None),
        ('"ping"', "bad_frame", None),
        ("7", "bad_frame", None),
        ("{}", "unknown_type", "type"),
        ('{"type": "nonsense"}', "unknown_type", "type"),
        ('{"type": "on_frame"}', "unknown_type", "type"),
        ('{"type": "websocket.disconnect"}', "unknown_type", "type"),
        ('{"type": 7}', "invalid_field", "type"),
        ('{"type": ["ping"]}', "invalid_field", "type"),
        ('{"type": "message"}', "invalid_field", "client_id"),
        ('{"type": "message", "client_id": "a"}', "invalid_field", "content"),
        ('{"type": "message", "client_id": "", "content": "x"}', "invalid_field", "client_id"),
        ('{"type": "message", "client_id": "a b", "content": "x"}', "invalid_field", "client_id"),
        ('{"type": "message", "client_id": "é", "content": "x"}', "invalid_field", "client_id"),
        ('{"type": "message", "client_id": "a\\n", "content": "x"}', "invalid_field", "client_id"),
        (
            '{"type": "message", "client_id": "' + "a" * 65 + '", "content": "x"}',
            "invalid_field",
            "client_id",
        ),
        ('{"type": "message", "client_id": 1, "content": "x"}', "invalid_field", "client_id"),
        ('{"type": "message", "client_id": "a", "content": null}', "invalid_field", "content"),
        ('{"type": "message", "client_id": "a", "content": ["x"]}', "invalid_field", "content"),
        (
            '{"type": "message", "client_id": "a", "content": "x", "attachments": ["../x"]}',
            "invalid_field",
            "attachments[0]",
        ),
        ('{"type": "typing", "is_typing": "yes"}', "invalid_field", "is_typing"),
        ('{"type": "typing", "is_typing": 1}', "invalid_field", "is_typing"),
        ('{"type": "read", "seq": "1"}', "invalid_field", "seq"),
        ('{"type": "read", "seq": true}', "invalid_field", "seq"),
        ('{"type": "read", "seq": 1.5}', "invalid_field", "seq"),
        ('{"type": "read", "seq": -1}', "invalid_field", "seq"),
        ('{"type": "read", "seq": 9007199254740993}', "invalid_field", "seq"),
        ('{"type": "resume", "since": null}', "invalid_field", "since"),
        ('{"type": "resume", "since": -1}', "invalid_field", "since"),
        ('{"type": "rating", "score": 0}', "invalid_field", "score"),
        ('{"type": "rating", "score": 6}', "invalid_field", "score"),
        ('{"type": "rating", "score": 3, "comment": 7}', "invalid_field", "comment"),
        ('{"type": "page", "url": 7}', "invalid_field", "url"),
        (b"binary", "binary_not_supported", None),
        (b"", "binary_not_supported", None),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_broken_frame_is_an_error_and_the_socket_lives(vera, text, code, field):
    async with vera.connect() as socket:
        await socket.send_raw(text)
        error = await socket.expect("error")
        assert (error["code"], error.get("field")) == (code, field)
        assert error["retryable"] is False
        assert error["message"]
        await socket.sync()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_message"),
        (" \n\t\u00a0\u2003", "empty_message"),
        ("a\x00b", "invalid_text"),
        ("\ud800", "invalid_text"),
        ("ok \udfff\ud800", "invalid_text"),
        ("x" * 4001, "too_long"),
        ("😀" * 4001, "too_long"),
    ],
    ids=lambda text: ascii(text)[:20],
)
async def test_words_that_cannot_be_a_message_are_refused(vera, content, code):
    # Only an escape can carry half a character, and escaped emoji would be too large a frame.
    as_ascii = "😀" not in content
    async with vera.connect() as socket:
        frame = {"type": "message", "client_id": "bad", "content": content}
        await socket.send_raw(json.dumps(frame, ensure_ascii=as_ascii))
        error = await socket.expect("error", client_id="bad")
        assert (error["code"], error["field"]) == (code, "content")
        await socket.say("The next one is not held up", "bad")
    body = json.dumps({"client_id": "worse", "content": content}, ensure_ascii=as_ascii)
    response = await vera.request("POST", "/chat/messages", content=body)
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    "content",
    [
        "x" * 4000,
        "😀" * 4000,
        "e" + "\u0301" * 500,
        "👩‍👩‍👧‍👦 🇩🇪",
        "\u202eevil\u2066",
        "مرحبا שלום",
    ],
    ids=lambda text: ascii(text)[:20],
)
async def test_every_other_text_is_kept_exactly(vera, content):
    async with vera.connect() as socket:
        await socket.send_raw(
            json.dumps(
                {"type": "message", "client_id": "kept", "content": content}, ensure_ascii=False
            )
        )
        message = await socket.expect("message", client_id="kept")
        assert message["content"] == content


async def test_unknown_extra_fields_are_ignored(vera):
    async with vera.connect() as socket:
        await socket.send(
            "message",
            client_id="mine",
            content="Hi",
            role="operator",
            seq=99,
            status="closed",
            sender_kind="bot",
            author={"name": "Olga"},
            conversation_id=str(uuid.uuid4()),
        )
        message = await socket.expect("message", client_id="mine")
        assert (message["role"], message["seq"]) == ("user", 1)
        assert message["author"]["name"] != "Olga"


async def test_five_broken_frames_in_a_minute_close_the_socket(vera):
    async with vera.connect() as socket:
        for _ in range(5):
            await socket.send_raw("{")
        assert await socket.close_code() == 4400
        assert [f["code"] for f in socket.frames if f["type"] == "error"] == ["bad_json"] * 5


async def test_a_large_frame_is_refused_and_a_huge_one_ends_the_socket(vera):
    async with vera.connect() as socket:
        await socket.send("message", client_id="large", content="x" * (20 * 1024))
        error = await socket.expect("error", client_id="large")
        assert error["code"] == "too_large"
        await socket.sync()
        await socket.send("message", client_id="huge", content="x" * (64 * 1024))
        assert await socket.close_code() in (4009, 1009)
    response = await vera.post("/chat/messages", client_id="large", content="x" * (20 * 1024))
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_the_limit_of_a_frame_counts_bytes(vera):
    async with vera.connect() as socket:
        frame = {"type": "message", "client_id": "bytes", "content": "é" * 11_000}
        await socket.send_raw(json.dumps(frame, ensure_ascii=False))
        assert (await socket.expect("error", client_id="bytes"))["code"] == "too_large"


# Who may come in


async def refused(client: VisitorClient, **options) -> int:
    async with client.dial(**options) as socket:
        code = await socket.close_code()
        assert [frame for frame in socket.frames if frame["type"] == "connected"] == []
        return code


async def test_a_ticket_opens_one_socket(vera):
    opened = await vera.session()
    async with vera.dial() as socket:
        await socket.expect("connected")
        assert await refused(vera, ticket=opened["ticket"]) == 4401
        await socket.sync()


async def test_a_ticket_is_used_up_in_every_process(vera, stack):
    opened = await vera.session()
    async with vera.dial() as socket:
        await socket.expect("connected")
    other = opened["ws_url"].replace(stack.visitor.ws_url, stack.site.servers[-1].ws_url)
    assert await refused(vera, ticket=opened["ticket"], url=other) == 4401


async def test_racing_sockets_with_one_ticket_let_one_in(vera, stack):
    await vera.session()
    urls = [vera.last["ws_url"].replace(stack.visitor.ws_url, s.ws_url) for s in stack.site.servers]

    async def race(url):
        async with vera.dial(url=url) as socket:
            try:
                await socket.expect("connected", seconds=5)
            except Exception:
                return socket.connection.close_code
            return "in"

    outcomes = await asyncio.gather(*(race(url) for url in urls * 4))
    assert sorted(outcomes, key=str) == [4401] * (len(outcomes) - 1) + ["in"]


@pytest.mark.parametrize("ticket", ["", "x", "a.b.c", "~" * 600])
async def test_a_bad_ticket_opens_nothing(vera, ticket):
    await vera.session()
    assert await refused(vera, ticket=ticket) == 4401


async def test_no_ticket_and_two_tickets_open_nothing(vera):
    opened = await vera.session()
    assert await refused(vera, protocols=["chat.v1"]) == 4401
    ticket = f"ticket.{opened['ticket']}"
    assert await refused(vera, protocols=["chat.v1", ticket, "ticket.other"]) == 4401


async def test_a_client_of_another_protocol_opens_nothing(vera):
    opened = await vera.session()
    assert await refused(vera, protocols=["chat.v9", f"ticket.{opened['ticket']}"]) == 4401


async def test_a_token_is_no_ticket(vera):
    opened = await vera.session()
    assert await refused(vera, ticket=opened["token"]) == 4401
    assert await refused(vera, protocols=["chat.v1"], query=f"?ticket={opened['ticket']}") == 4401


async def test_a_ticket_opens_nobody_elses_conversation(vera, stack):
    victor = VisitorClient(stack.url)
    async with victor.connect() as socket:
        await socket.say("A secret")
        await vera.session()
        assert await refused(vera, url=victor.last["ws_url"]) == 4401
    await vera.session()
    nowhere = f"{stack.visitor.ws_url}/ws/chat/{uuid.uuid4()}/"
    assert await refused(vera, url=nowhere) == 4401


@pytest.mark.parametrize("path", ["/ws/chat/", "/ws/chat/x/", "/ws/", "/", "/ws/chat/%00/"])
async def test_an_unknown_address_closes_cleanly(vera, stack, path):
    await vera.session()
    assert await refused(vera, url=stack.visitor.ws_url + path) == 4400
    assert "Traceback" not in stack.visitor.output()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://localhost:{port}",
        "http://127.0.0.1.evil.example:{port}",
        "https://evil.example/http://127.0.0.1:{port}",
    ],
)
async def test_a_foreign_page_is_refused_everywhere(vera, stack, origin):
    page = origin.format(port=stack.visitor.port)
    await vera.session()
    assert await refused(vera, origin=page) == 4403
    vera.origin = page
    response = await vera.try_session()
    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in response.headers
    for path in ("/chat/events", "/chat/conversations", "/chat/unread"):
        response = await vera.get(path)
        assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")
    response = await vera.post("/chat/messages", client_id="foreign", content="Hi")
    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")


async def test_the_sites_own_page_may_use_its_widget(vera, stack):
    vera.origin = stack.url
    response = await vera.try_session()
    assert response.headers["access-control-allow-origin"] == stack.url
    assert "access-control-allow-credentials" not in response.headers
    assert "Origin" in response.headers["vary"]
    async with vera.connect() as socket:
        await socket.say()


async def test_an_eleventh_socket_is_one_too_many(vera):
    await vera.session()
    sockets: list[Socket] = []
    contexts = []
    for _ in range(10):
        await vera.session()
        context = vera.dial()
        sockets.append(await context.__aenter__())
        contexts.append(context)
        await sockets[-1].expect("connected")
    await vera.session()
    assert await refused(vera) == 4429
    for socket in sockets:
        await socket.sync()
    await contexts[0].__aexit__(None, None, None)
    await asyncio.sleep(0.2)
    async with vera.connect():
        pass
    for context in contexts[1:]:
        await context.__aexit__(None, None, None)
