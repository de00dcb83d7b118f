"""Rates on the visitor's wire, with the limits of the contract as they are."""

from __future__ import annotations

import asyncio

import pytest

from tests.chatwidget.wire import VisitorClient, new_id

pytestmark = pytest.mark.slow


@pytest.fixture
def server(make_site):
    """A process of its own for each test: limits are counted in memory."""
    return make_site("sqlite", RATE_LIMITS="1", TRUSTED_PROXIES="127.0.0.1").start()


@pytest.fixture
def vera(server):
    return VisitorClient(server.url)


async def test_thirty_messages_in_ten_seconds_are_enough(vera):
    async with vera.connect() as socket:
        for number in range(33):
            await socket.send("message", client_id=f"m{number}", content="Hello")
        for number in range(30):
            await socket.expect("ack", client_id=f"m{number}")
        for number in range(30, 33):
            error = await socket.seen("error", client_id=f"m{number}")
            assert (error["code"], error["retryable"]) == ("rate_limited", True)
            assert 0 < error["retry_after"] <= 10
        # What is stored may be sent again, though the window is full.
        again = await socket.say("Hello", "m3")
        assert again["seq"] >= 1
        response = await vera.post("/chat/messages", client_id="http", content="Hello")
        assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
        assert int(response.headers["retry-after"]) >= 1
        await asyncio.sleep(error["retry_after"] + 0.2)
        await socket.say("Hello", "m32")
    words = [e["client_id"] for e in (await vera.events(since=0))["events"] if "client_id" in e]
    assert words == [*(f"m{number}" for number in range(30)), "m32"]


async def test_resends_take_nobodys_place(vera):
    async with vera.connect() as socket:
        for _ in range(50):
            await socket.send("message", client_id="same", content="Hello")
        for _ in range(50):
            await socket.expect("ack", client_id="same")
        for number in range(29):
            await socket.say("Hello", f"new{number}")
        assert [frame for frame in socket.frames if frame["type"] == "error"] == []


async def test_ten_refusals_of_rate_close_the_socket(vera):
    async with vera.connect() as socket:
        for number in range(45):
            await socket.send("message", client_id=f"m{number}", content="Hello")
        assert await socket.close_code() == 4429
        errors = [frame for frame in socket.frames if frame["type"] == "error"]
        assert len(errors) == 10
        assert {error["code"] for error in errors} == {"rate_limited"}


async def test_a_hundred_frames_in_ten_seconds_are_enough(vera):
    async with vera.connect() as socket:
        for _ in range(103):
            await socket.send("ping")
        error = await socket.expect("error")
        assert error["code"] == "rate_limited"
        assert error["retry_after"] > 0
        assert len([frame for frame in socket.frames if frame["type"] == "pong"]) == 100


async def test_sixty_new_guests_a_minute_come_from_one_address(server):
    async def arrive(address, token=None):
        guest = VisitorClient(server.url)
        response = await guest.request(
            "POST",
            "/chat/session",
            json={"widget": "demo", "token": token},
            headers={"X-Forwarded-For": address},
        )
        return response

    first = (await arrive("2001:db8:1:2::1")).json()
    for number in range(59):
        response = await arrive(f"2001:db8:1:2::{number + 2:x}")
        assert response.status_code == 201
    refused = await arrive("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 0 < refused.json()["retry_after"] <= 60
    # Who is known here already is no new guest, and another line is another address.
    assert (await arrive("2001:db8:1:2::1", first["token"])).status_code == 201
    assert (await arrive("2001:db8:1:3::1")).status_code == 201
    spoofed = await arrive("203.0.113.9, 2001:db8:1:2::1")
    assert spoofed.status_code == 429


async def test_three_hundred_messages_come_from_one_address(server):
    clients = [VisitorClient(server.url) for _ in range(11)]
    for client in clients:
        await client.session()

    async def talk(client):
        async with client.dial() as socket:
            await socket.expect("connected")
            for _ in range(28):
                await socket.send("message", client_id=new_id(), content="Hello")
            answers = []
            while len(answers) < 28:
                frame = await socket.receive()
                if frame["type"] in ("ack", "error"):
                    answers.append(frame["type"])
            return answers

    answers = await asyncio.gather(*(talk(client) for client in clients))
    assert sum(answer.count("ack") for answer in answers) == 300


async def test_questions_are_limited_too(vera):
    answers = [await vera.post("/api/chatbot", query="Pay?", widget="demo") for _ in range(32)]
    statuses = [answer.status_code for answer in answers]
    assert 429 in statuses[30:] or statuses.count(200) == 32
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 429]
    assert set(refused) <= {"rate_limited"}
