"""The operator's wire against real servers: Vera on one process, Olga on another."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import uuid
from typing import Any

import httpx2
import pytest
import websockets

from tests.chatwidget.wire import VisitorClient

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack_env():
    return {"BOTS_BACKEND": "scripted", "SCRIPTED_TOKENS": "40", "SCRIPTED_RATE": "40"}


class Operator:
    """An operator's browser: a session cookie, REST and one socket."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.client = httpx2.AsyncClient(base_url=url, timeout=20)
        self.frames: list[dict[str, Any]] = []

    async def sign_in(self) -> Operator:
        page = await self.client.get("/login/")
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', page.text).group(1)
        form = {"csrfmiddlewaretoken": token, "username": self.name, "password": self.name}
        answer = await self.client.post("/login/", data=form, headers={"Referer": self.url})
        assert answer.status_code == 302, answer.text
        return self

    async def act(self, conversation: str, action: str, **body: Any) -> httpx2.Response:
        return await self.client.post(
            f"/api/v1/conversations/{conversation}/{action}/",
            json=body,
            headers={"X-CSRFToken": self.client.cookies["csrftoken"], "Referer": self.url},
        )

    @contextlib.asynccontextmanager
    async def connect(self):
        cookie = f"sessionid={self.client.cookies['sessionid']}"
        async with websockets.connect(
            self.url.replace("http", "ws") + "/ws/inbox/",
            additional_headers={"Cookie": cookie},
            origin=self.url,
            close_timeout=2,
        ) as self.socket:
            await self.expect("connected")
            yield self

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def expect(self, kind: str, seconds: float = 5, **fields: Any) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                frame = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if frame["type"] == kind and fields.items() <= frame.items():
                    return frame


@pytest.fixture
async def olga(stack):
    return await Operator(stack.operator.url, "operator").sign_in()


async def test_a_conversation_nobody_knew_is_told_within_a_second(stack, olga):
    vera = VisitorClient(stack.url)
    async with olga.connect(), vera.connect() as socket:
        began = time.monotonic()
        await socket.say("Hello")
        session = vera.last["session_id"]
        await olga.expect("summary", conversation_id=session)
        assert time.monotonic() - began < 1.5


async def test_a_lost_layer_costs_three_seconds_and_nothing_else(stack, olga, request):
    if stack.visitor is stack.operator:
        pytest.skip("needs two processes")
    redis = request.getfixturevalue("redis_server")
    vera = VisitorClient(stack.url)
    async with olga.connect(), vera.connect() as socket:
        redis.kill()
        try:
            await asyncio.sleep(0.5)
            began = time.monotonic()
            await socket.say("Anybody?")
            await olga.expect("summary", conversation_id=vera.last["session_id"], seconds=6)
            assert time.monotonic() - began < 3.5
        finally:
            redis.start()


async def test_taking_over_stops_the_bot_for_good(stack, olga):
    vera = VisitorClient(stack.url)
    async with olga.connect(), vera.connect() as socket:
        await socket.say("Tell me a long story")
        session = vera.last["session_id"]
        await olga.expect("summary", conversation_id=session)
        await olga.say("subscribe", conversation_id=session, since=0)
        await olga.expect("text_delta", conversation_id=session)
        answer = await olga.act(session, "take")
        assert answer.status_code == 200, answer.text
        await olga.expect("conversation", handled_by="operator")
        at = len(olga.frames)
        await asyncio.sleep(1.5)
        await olga.say("ping")
        await olga.expect("pong")
        late = {frame["type"] for frame in olga.frames[at:]}
        assert not late & {"text_delta", "response_start", "sources"}
        seqs = [frame["seq"] for frame in olga.frames if "seq" in frame]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_a_reply_reaches_the_visitor_and_a_note_does_not(stack, olga):
    vera = VisitorClient(stack.url)
    async with olga.connect(), vera.connect() as socket:
        await socket.say("Hello")
        session = vera.last["session_id"]
        await olga.expect("summary", conversation_id=session)
        await olga.act(session, "take")
        for kind in ("note", "reply"):
            body = {"client_id": uuid.uuid4().hex, "content": f"a {kind}", "kind": kind}
            assert (await olga.act(session, "messages", **body)).status_code == 201
        told = await socket.expect("message", role="operator")
        assert told["content"] == "a reply"
        assert "kind" not in told
        numbers = socket.seqs
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_foreign_page_cannot_ride_on_the_login(stack, olga):
    cookie = f"sessionid={olga.client.cookies['sessionid']}"
    async with websockets.connect(
        olga.url.replace("http", "ws") + "/ws/inbox/",
        additional_headers={"Cookie": cookie},
        origin="https://evil.example",
    ) as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd.code == 4403


async def test_signing_out_ends_the_socket(stack, olga):
    async with olga.connect():
        await olga.client.post(
            "/logout/",
            data={"csrfmiddlewaretoken": olga.client.cookies["csrftoken"]},
            headers={"Referer": olga.url},
        )
        with pytest.raises(websockets.ConnectionClosed) as closed:
            async with asyncio.timeout(6):
                while True:
                    await olga.socket.recv()
    assert closed.value.rcvd.code == 4401
