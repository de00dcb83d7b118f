"""The visitor's wire without a socket: long poll, event stream, CORS, and the answer API."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.chatwidget.wire import VisitorClient

pytestmark = pytest.mark.slow

SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def stack_env():
    return {"WIDGET_ORIGINS": f"{SHOP},http://localhost:3000"}


@pytest.fixture(scope="module", autouse=True)
def _listed_origins(stack):
    """The demo's set-up alone writes the widget's origins."""
    stack.site.manage("demo_setup")


@pytest.fixture
def vera(stack):
    return VisitorClient(stack.url)


# Long poll


async def test_a_poll_answers_at_once_when_there_is_something(vera):
    await vera.session()
    await vera.post("/chat/messages", client_id="a", content="Hello")
    page = await vera.events(since=0)
    assert {"session_id", "epoch", "head", "events"} == set(page)
    assert page["session_id"] == vera.last["session_id"]
    assert page["epoch"] == vera.last["epoch"]
    assert page["events"][0]["client_id"] == "a"
    assert page["head"] >= page["events"][-1]["seq"]


async def test_a_poll_waits_for_what_comes(vera, stack):
    await vera.session()
    await vera.post("/chat/messages", client_id="a", content="Hello")
    said = await vera.events(since=0)
    while "assistant" not in {e["role"] for e in said["events"] if e["type"] == "message"}:
        said = await vera.events(since=said["head"])
    head = said["head"]
    waiting = asyncio.create_task(vera.events(since=head, epoch=vera.last["epoch"]))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    phone = VisitorClient(stack.site.servers[-1].url)
    phone.token = vera.token
    said_at = time.monotonic()
    await phone.post("/chat/messages", client_id="b", content="News")
    page = await waiting
    assert time.monotonic() - said_at < 3
    assert page["events"][0]["seq"] == head + 1


async def test_a_poll_hears_the_first_word_of_all(vera):
    await vera.session()
    waiting = asyncio.create_task(vera.events(since=0))
    await asyncio.sleep(0.5)
    await vera.post("/chat/messages", client_id="a", content="Hello")
    assert (await waiting)["events"][0]["client_id"] == "a"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"since": 99}, "ahead"),
        ({"since": -1}, "ahead"),
        ({"since": "one"}, "ahead"),
        ({"since": 0, "epoch": "another"}, "epoch"),
    ],
)
async def test_a_poll_of_an_unknown_place_is_reset(vera, query, reason):
    await vera.session()
    await vera.post("/chat/messages", client_id="a", content="Hello")
    assert await vera.events(**query) == {"reset": reason}


async def test_a_wrong_session_is_an_error_of_the_field(vera):
    await vera.session()
    response = await vera.get("/chat/events", session_id="rubbish")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_field")
    assert response.json()["field"] == "session_id"


# Event stream


class Stream:
    def __init__(self, lines):
        self._lines = lines
        self.comments = 0

    async def event(self, seconds=10.0):
        """The next event as ``(id or None, frame)``."""
        found: dict[str, str] = {}
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                if not line:
                    if found:
                        return found.get("id"), json.loads(found["data"])
                elif line.startswith(":"):
                    self.comments += 1
                else:
                    name, _, value = line.partition(": ")
                    found[name] = value
        raise AssertionError("the stream ended")

    async def expect(self, type, **fields):
        while True:
            number, frame = await self.event()
            if frame["type"] == type and fields.items() <= frame.items():
                return number, frame


@asynccontextmanager
async def stream(client, headers=None, **query):
    wanted = client.headers() | {"Accept": "text/event-stream"} | (headers or {})
    async with (
        httpx2.AsyncClient(base_url=client.url, timeout=20) as http,
        http.stream("GET", "/chat/events", headers=wanted, params=query) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response.aiter_lines())


async def test_a_stream_carries_numbers_for_what_lasts_and_none_for_the_rest(vera):
    await vera.session()
    async with stream(vera, since=0) as events:
        number, connected = await events.event()
        assert number is None
        assert connected["type"] == "connected"
        assert connected["session_id"] == vera.last["session_id"]
        await vera.post("/chat/messages", client_id="a", content="Hello")
        number, message = await events.expect("message", client_id="a")
        assert number == str(message["seq"]) == "1"
        await vera.post("/chat/frames", type="read", seq=1)
        number, read = await events.expect("read")
        assert number is None
        assert read["upto"] == 1


async def test_a_stream_goes_on_where_it_was_cut(vera):
    await vera.session()
    for number in range(3):
        await vera.post("/chat/messages", client_id=f"m{number}", content=str(number))
    async with stream(vera, since=0) as events:
        _, second = await events.expect("message", client_id="m1")
    cut = {"Last-Event-ID": str(second["seq"])}
    async with stream(vera, headers=cut) as events:
        await events.event()
        number, frame = await events.event()
        assert frame["seq"] == second["seq"] + 1
        assert number == str(frame["seq"])


async def test_a_stream_of_an_unknown_place_says_reset_and_goes_on(vera):
    await vera.session()
    await vera.post("/chat/messages", client_id="a", content="Before")
    async with stream(vera, since=99) as events:
        assert (await events.expect("reset"))[1]["reason"] == "ahead"
        await vera.post("/chat/messages", client_id="b", content="After")
        _, frame = await events.expect("message")
        while frame.get("role") != "user":
            _, frame = await events.expect("message")
        assert frame["content"] == "After"


async def open_line(server, client):
    """The status of an event stream on a bare connection, and what closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [
        "GET /chat/events?since=0 HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Accept: text/event-stream",
        f"Authorization: Bearer {client.token}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(10):
        status = int((await reader.readline()).split()[1])
        if status == 200:
            await reader.readuntil(b'"connected"')
    return status, writer.close


async def test_streams_count_as_sockets(vera, stack):
    await vera.session()
    opened = [await open_line(stack.visitor, vera) for _ in range(11)]
    assert [status for status, _ in opened] == [200] * 10 + [429]
    for _, close in opened:
        close()
    for _ in range(50):
        status, close = await open_line(stack.visitor, vera)
        close()
        if status == 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the places of closed streams were not given back")


# Frames by HTTP


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "typing", "is_typing": True},
        {"type": "read", "seq": 1},
        {"type": "resume", "since": 0},
        {"type": "stop"},
        {"type": "request_human"},
        {"type": "page", "url": "https://shop.example/" + "x" * 5000, "title": "T" * 2000},
        {"type": "rating", "score": 5, "comment": "Good"},
        {"type": "ping"},
    ],
    ids=lambda frame: frame["type"],
)
async def test_every_frame_works_over_http(vera, frame):
    await vera.session()
    await vera.post("/chat/messages", client_id="a", content="Hello")
    response = await vera.post("/chat/frames", **frame)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "message", "client_id": "a", "content": "x"}, "unknown_type"),
        ({"type": "nonsense"}, "unknown_type"),
        ({"type": "rating", "score": 9}, "invalid_field"),
        ({}, "unknown_type"),
    ],
)
async def test_a_wrong_frame_over_http_is_refused(vera, frame, code):
    await vera.session()
    response = await vera.post("/chat/frames", **frame)
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize("token", [None, "x", "a.b.c", "x" * 5000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/chat/events"),
        ("GET", "/chat/unread"),
        ("GET", "/chat/conversations"),
        ("GET", "/chat/conversations/00000000-0000-0000-0000-000000000000/events"),
        ("POST", "/chat/messages"),
        ("POST", "/chat/frames"),
    ],
)
async def test_without_a_good_token_nothing_opens(vera, method, path, token):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    response = await vera.request(method, path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_token_in_the_address_is_no_token(vera):
    await vera.session()
    response = await vera.request(
        "GET", "/chat/unread", headers={}, params={"token": vera.token, "ticket": "x"}
    )
    assert response.status_code == 401


async def test_a_wrong_method_is_refused_in_json(vera):
    for method, path in (("GET", "/chat/session"), ("DELETE", "/chat/events")):
        response = await vera.request(method, path)
        assert response.status_code == 405
        assert response.json()["code"] == "method_not_allowed"
        assert response.headers["allow"]


# Other sites' pages


async def test_a_listed_page_may_ask_and_read_the_answer(vera):
    preflight = await vera.request(
        "OPTIONS",
        "/chat/session",
        headers={"Origin": SHOP, "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    vera.origin = SHOP
    response = await vera.try_session()
    assert response.status_code == 201
    assert response.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in response.headers
    assert "Origin" in response.headers["vary"]
    async with vera.connect() as socket:
        await socket.say("From the shop")
    # Refusals can be read too.
    vera.token = "x"
    refused = await vera.get("/chat/unread")
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == SHOP


async def test_a_page_that_is_not_listed_reads_nothing(vera):
    for origin in ("https://evil.example", "null", "http://shop.example", f"{SHOP}:8443"):
        preflight = await vera.request("OPTIONS", "/chat/session", headers={"Origin": origin})
        assert "access-control-allow-origin" not in preflight.headers


async def test_an_origin_of_one_widget_opens_no_other(vera):
    vera.widget, vera.origin = "default", SHOP
    response = await vera.try_session()
    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")


# Files


@pytest.mark.parametrize("name", ["widget.js", "panel.js"])
async def test_the_widgets_files_are_for_any_page(vera, name):
    headers = {"Accept-Encoding": "identity"}
    plain = await vera.request("GET", f"/chat/{name}", headers=headers)
    assert plain.status_code == 200
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["access-control-allow-origin"] == "*"
    assert "max-age=300" in plain.headers["cache-control"]
    assert "cookie" not in plain.headers.get("vary", "").lower()
    assert "set-cookie" not in plain.headers
    zipped = await vera.request("GET", f"/chat/{name}", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == plain.content
    assert zipped.headers["etag"] != plain.headers["etag"]
    known = headers | {"If-None-Match": plain.headers["etag"]}
    assert (await vera.request("GET", f"/chat/{name}", headers=known)).status_code == 304
    digest = plain.headers["etag"].strip('"')
    pinned = await vera.request("GET", f"/chat/{name}?v={digest}", headers=headers)
    assert "immutable" in pinned.headers["cache-control"]
    assert (await vera.request("POST", f"/chat/{name}")).status_code == 405


# The page without scripts


async def test_the_plain_page_carries_a_whole_conversation(vera):
    async with httpx2.AsyncClient(base_url=vera.url, timeout=30) as browser:
        page = await browser.get("/chat/", params={"widget": "demo"})
        assert page.status_code == 200
        assert 'name="token" value=""' in page.text
        assert "<script" not in page.text
        fields = {"widget": "demo", "token": "", "client_id": "form", "do": "send"}
        sent = await browser.post("/chat/", data=fields | {"content": "<b>Hello</b> & more"})
        assert sent.status_code == 200
        assert "&lt;b&gt;Hello&lt;/b&gt; &amp; more" in sent.text
        token = sent.text.partition('name="token" value="')[2].partition('"')[0]
        assert token
        again = await browser.post(
            "/chat/", data=fields | {"token": token, "content": "<b>Hello</b> & more"}
        )
        assert again.text.count("&lt;b&gt;Hello") == 1
        looked = await browser.post("/chat/", data={"widget": "demo", "token": token, "do": "look"})
        assert "Hello" in looked.text
        human = await browser.post("/chat/", data={"widget": "demo", "token": token, "do": "human"})
        assert human.status_code == 200
        empty = await browser.post("/chat/", data=fields | {"token": token, "client_id": "e"})
        assert empty.status_code == 400
        assert 'role="alert"' in empty.text
        assert "set-cookie" not in sent.headers
        foreign = await browser.post("/chat/", data=fields, headers={"Origin": "https://evil.ex"})
        assert foreign.status_code == 403
        assert (await browser.get("/chat/", params={"widget": "nowhere"})).status_code == 404
        assert (await browser.put("/chat/")).status_code == 405


# Single questions


async def test_the_answer_api_answers_and_cites(vera):
    response = await vera.post("/api/chatbot", query="Can I return a lamp?", widget="demo")
    assert response.status_code == 200, response.text
    body = response.json()
    assert set(body) == {"answer", "sources"}
    assert body["answer"]
    assert all({"url", "title", "snippet"} <= set(source) for source in body["sources"])
    assert (await vera.post("/api/chatbot", query="Can I pay?", stream=None)).status_code == 200


async def test_the_answer_api_streams_records_in_order(vera):
    body = {"query": "Can I return a lamp?", "stream": True, "widget": "demo", "language": None}
    response = await vera.request("POST", "/api/chatbot", json=body)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    *records, rest = response.text.split("\n\n")
    assert rest == ""
    assert all(record.startswith("DATA:") for record in records)
    found = [json.loads(record.removeprefix("DATA:")) for record in records]
    assert [found[0]["type"], found[-1]["type"]] == ["sources", "end"]
    assert {record["type"] for record in found[1:-1]} == {"text"}
    assert isinstance(found[0]["data"], list)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "invalid_field", "query"),
        ({"query": 7}, 400, "invalid_field", "query"),
        ({"query": ""}, 400, "empty_message", "query"),
        ({"query": " \n"}, 400, "empty_message", "query"),
        ({"query": "a\x00b"}, 400, "invalid_text", "query"),
        ({"query": "\ud800"}, 400, "invalid_text", "query"),
        ({"query": "x" * 4001}, 400, "too_long", "query"),
        ({"query": "x" * 30_000}, 413, "too_large", None),
        ({"query": "x", "stream": "yes"}, 400, "invalid_field", "stream"),
        ({"query": "x", "language": 5}, 400, "invalid_field", "language"),
        ({"query": "x", "widget": "nowhere"}, 404, "unknown_widget", None),
    ],
    ids=str,
)
async def test_a_wrong_question_is_refused(vera, body, status, code, field):
    for stream_wanted in (False, True):
        content = json.dumps({"stream": stream_wanted} | body)
        response = await vera.request("POST", "/api/chatbot", content=content)
        refused = response.json()
        assert (response.status_code, refused["code"]) == (status, code)
        assert refused.get("field") == field


async def test_the_widgets_origins_hold_for_the_answer_api(vera):
    vera.origin = "https://evil.example"
    response = await vera.post("/api/chatbot", query="Hello?", widget="demo")
    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")
    vera.origin = SHOP
    response = await vera.post("/api/chatbot", query="Can I pay?", widget="demo")
    assert response.headers["access-control-allow-origin"] == SHOP
