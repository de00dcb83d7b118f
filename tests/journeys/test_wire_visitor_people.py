"""The visitor's wire where people act: operators close and block, hosts vouch for somebody."""

from __future__ import annotations

import time
import uuid

import httpx2
import jwt
import pytest
from django.core import signing

from chatwidget.tokens import SEPARATOR, TICKET_SALT
from tests.chatwidget.wire import VisitorClient, new_id
from tests.support.sites import IDENTITY_SECRET, SECRET_KEY

pytestmark = pytest.mark.slow


@pytest.fixture
def vera(stack):
    return VisitorClient(stack.url)


class Desk:
    """Olga at her desk, by REST, at the process that is not the visitor's."""

    def __init__(self, url, token):
        self.url = url
        self.headers = {"Authorization": f"Token {token}"}

    async def call(self, method, path, **body):
        async with httpx2.AsyncClient(base_url=self.url, timeout=20) as client:
            response = await client.request(
                method, f"/api/v1/{path}", headers=self.headers, json=body or None
            )
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    async def do(self, verb, conversation_id, **body):
        return await self.call("POST", f"conversations/{conversation_id}/{verb}/", **body)

    async def reply(self, conversation_id, content):
        return await self.do(
            "messages", conversation_id, client_id=new_id(), content=content, kind="reply"
        )

    async def visitor_of(self, conversation_id):
        return (await self.call("GET", f"conversations/{conversation_id}/"))["visitor"]


@pytest.fixture(scope="module")
def olga_token(stack):
    return stack.site.manage("frontdesk", "token", "operator2").split()[-1]


@pytest.fixture
def olga(stack, olga_token):
    return Desk(stack.operator.url, olga_token)


def identity(subject="vera", **changes):
    claims = {"sub": subject, "aud": "demo", "exp": int(time.time()) + 300, **changes}
    return jwt.encode(claims, IDENTITY_SECRET, algorithm="HS256")


# Operators act


async def test_an_operators_words_arrive_in_time_and_are_marked_read(vera, olga):
    async with vera.connect() as socket:
        await socket.say("Is anybody there?")
        here = vera.last["session_id"]
        await olga.do("take", here)
        change = await socket.expect("conversation", handled_by="operator", seconds=3)
        assert change["operator"]["name"]
        await olga.reply(here, "I am here")
        message = await socket.expect("message", role="operator", seconds=3)
        assert message["content"] == "I am here"
        assert (await vera.get("/chat/unread")).json()["unread"] >= 1
        await socket.send("read", seq=message["seq"])
        read = await socket.expect("read", role="user")
        assert read["upto"] == message["seq"]
        assert (await vera.get("/chat/unread")).json() == {"unread": 0}
        await olga.do("read", here, seq=10**6)
        assert (await socket.expect("read", role="operator"))["upto"] >= message["seq"]
    async with vera.connect() as socket:
        reads = socket.frames[0]["reads"]
        assert reads["user"] == message["seq"]
        assert reads["operator"] >= message["seq"]
        assert socket.frames[0]["conversation"]["operator"] == change["operator"]


async def test_a_private_note_is_neither_a_hole_nor_a_hint(vera, olga):
    async with vera.connect() as socket:
        await socket.say("Hello")
        here = vera.last["session_id"]
        await olga.do("take", here)
        await olga.do("messages", here, client_id=new_id(), content="A secret", kind="note")
        await olga.reply(here, "In public")
        await socket.expect("message", content="In public")
        await socket.sync()
        assert socket.seqs == list(range(1, len(socket.seqs) + 1))
    assert "A secret" not in str(socket.frames)
    assert "A secret" not in str((await vera.events(since=0))["events"])


async def test_words_after_the_end_open_the_next_conversation(vera, olga):
    async with vera.connect() as socket:
        await socket.say("Hello")
        ended = vera.last["session_id"]
        await olga.do("close", ended)
        await socket.expect("conversation", status="closed")
        ack = await socket.say("One more thing", "more")
        assert ack["seq"] == 1
        reset = await socket.expect("reset")
        assert reset["reason"] == "closed"
        assert reset["session_id"] != ended
        # The socket goes on in the new one.
        assert (await socket.expect("message", client_id="more"))["seq"] == 1
        await socket.say("And another")
        assert (await vera.session())["session_id"] == reset["session_id"]
        # A resend of what was said before the end still finds it.
        assert (await socket.say("One more thing", "more"))["id"] == ack["id"]
    rows = (await vera.get("/chat/conversations")).json()["results"]
    assert [row["status"] for row in rows] == ["open", "closed"]
    assert [row["id"] for row in rows] == [reset["session_id"], ended]
    page = (await vera.get(f"/chat/conversations/{ended}/events", since=0)).json()
    assert page["session_id"] == ended
    assert page["events"][0]["content"] == "Hello"
    assert page["events"][-1]["status"] == "closed"


async def test_a_rating_is_taken_after_the_end_too(vera, olga):
    async with vera.connect() as socket:
        await socket.say("Hello")
        ended = vera.last["session_id"]
        await olga.do("close", ended)
        await socket.expect("conversation", status="closed")
        await socket.send("rating", score=4, comment="Good")
        await socket.sync()
    await vera.session()
    assert (await vera.post("/chat/frames", type="rating", score=5)).status_code == 204
    rows = (await vera.get("/chat/conversations")).json()["results"]
    assert rows[0]["rating"] == 5


async def test_http_readers_hear_the_end_before_the_next_beginning(vera, olga):
    await vera.session()
    await vera.post("/chat/messages", client_id="a", content="Hello")
    before = await vera.events(since=0)
    since = before["events"][-1]["seq"]
    ended = vera.last["session_id"]
    await olga.do("take", ended)
    await olga.reply(ended, "Goodbye")
    await olga.do("close", ended)
    page = await vera.events(since=since, epoch=before["epoch"])
    assert page["session_id"] == ended
    assert page["events"][-1]["status"] == "closed"
    assert "Goodbye" in [event.get("content") for event in page["events"]]
    last = page["events"][-1]["seq"]
    await vera.post("/chat/messages", client_id="b", content="Hello again")
    next_session = (await vera.session())["session_id"]
    assert next_session != ended
    told = await vera.events(since=last, session_id=ended)
    assert told == {"reset": "closed", "session_id": next_session}
    assert (await vera.events(since=0))["events"][0]["content"] == "Hello again"


async def test_a_blocked_visitor_is_out_everywhere_at_once(vera, olga):
    async with vera.connect() as socket:
        await socket.say("Spam")
        visitor = await olga.visitor_of(vera.last["session_id"])
        spare = (await vera.session())["ticket"]
        await olga.call("POST", f"visitors/{visitor['id']}/block/")
        assert await socket.close_code(3) == 4499
    async with vera.dial(ticket=spare) as socket:
        assert await socket.close_code() == 4499
    assert (await vera.try_session()).status_code == 403
    for response in (
        await vera.get("/chat/events"),
        await vera.post("/chat/messages", client_id="more", content="More spam"),
        await vera.try_session(),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "blocked")
    await olga.call("POST", f"visitors/{visitor['id']}/unblock/")
    async with vera.connect() as socket:
        await socket.say("Sorry")


async def test_revoked_tokens_and_tickets_are_worth_nothing(vera, olga):
    async with vera.connect() as socket:
        await socket.say("Hello")
        here, spare = vera.last["session_id"], (await vera.session())["ticket"]
        visitor = await olga.visitor_of(here)
        await olga.call("POST", f"visitors/{visitor['id']}/revoke/")
        assert await socket.close_code(3) == 4401
    async with vera.dial(ticket=spare) as socket:
        assert await socket.close_code() == 4401
    for path in ("/chat/events", "/chat/unread", f"/chat/conversations/{here}/events"):
        response = await vera.get(path)
        assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    response = await vera.post("/chat/messages", client_id="x", content="x")
    assert response.status_code == 401
    assert (await vera.session())["session_id"] != here


async def test_asking_for_a_person_changes_who_answers(vera):
    async with vera.connect() as socket:
        await socket.say("Hello")
        await socket.send("request_human")
        await socket.seen("conversation", handled_by="queue")
        await socket.sync()
    assert (await vera.session())["conversation"]["handled_by"] == "queue"
    async with vera.connect() as socket:
        place = await socket.expect("queue", seconds=3)
        assert place["position"] >= 1


# Tickets and time


def late_ticket(opened, *, age):
    """A ticket as this site would have signed it ``age`` seconds ago."""
    signer = signing.TimestampSigner(key=SECRET_KEY, salt=TICKET_SALT, sep=SEPARATOR)
    value = signer.unsign_object(opened["ticket"]) | {"j": new_id()[:16]}
    signer.timestamp = lambda: signing.b62_encode(int(time.time()) - age)
    return signer.sign_object(value)


async def test_a_ticket_lives_for_a_minute(vera):
    opened = await vera.session()
    async with vera.dial(ticket=late_ticket(opened, age=30)) as socket:
        await socket.expect("connected")
    async with vera.dial(ticket=late_ticket(opened, age=62)) as socket:
        assert await socket.close_code() == 4401


# Who it is


async def test_a_signed_identity_is_the_same_person_everywhere(vera, stack):
    subject = new_id()
    opened = await vera.session(identity=identity(subject, name="Vera"))
    phone = VisitorClient(stack.url)
    assert (await phone.session(identity=identity(subject)))["session_id"] == opened["session_id"]
    other = VisitorClient(stack.url)
    assert (await other.session(identity=identity(new_id())))["session_id"] != opened["session_id"]


async def test_identity_wins_over_token(vera, stack):
    mine = await vera.session(identity=identity("one " + new_id()))
    theirs = await vera.session(identity=identity("two " + new_id()))
    assert theirs["session_id"] != mine["session_id"]


async def test_a_persons_token_needs_its_identity_again(vera):
    opened = await vera.session(identity=identity(new_id()))
    assert (await vera.get("/chat/unread")).status_code == 200
    assert (await vera.session())["session_id"] != opened["session_id"]


async def test_a_guest_who_becomes_known_keeps_the_conversation(vera):
    async with vera.connect() as socket:
        await socket.say("As a guest", "guest")
        old_token = vera.token
        subject = new_id()
        known = await vera.session(identity=identity(subject, name="Vera V."))
        assert known["session_id"] == vera.last["session_id"]
        assert known["head"] >= 1
        # Whoever else held the guest's token reads nothing of what follows.
        assert await socket.close_code(3) == 4401
    vera.token = old_token
    assert (await vera.get("/chat/events")).status_code == 401
    assert (await vera.session())["session_id"] != known["session_id"]
    await vera.session(identity=identity(subject))
    again = await vera.post("/chat/messages", client_id="guest", content="As a guest")
    assert again.status_code == 200


async def test_a_guests_conversation_joins_the_list_of_a_person_who_has_one(vera, stack):
    subject = new_id()
    desk = VisitorClient(stack.url)
    await desk.session(identity=identity(subject))
    await desk.post("/chat/messages", client_id="desk", content="From the desk")
    open_one = desk.last["session_id"]
    await vera.session()
    await vera.post("/chat/messages", client_id="phone", content="From the phone")
    guest_one = vera.last["session_id"]
    assert (await vera.session(identity=identity(subject)))["session_id"] == open_one
    rows = (await vera.get("/chat/conversations")).json()["results"]
    assert {row["id"] for row in rows} == {open_one, guest_one}


@pytest.mark.parametrize(
    "signed",
    [
        lambda: identity(aud="default"),
        lambda: identity(exp=int(time.time()) - 120),
        lambda: identity(exp=int(time.time()) + 7200),
        lambda: identity(subject=""),
        lambda: jwt.encode({"sub": "vera", "aud": "demo"}, IDENTITY_SECRET, algorithm="HS256"),
        lambda: jwt.encode({"sub": "vera", "aud": "demo", "exp": 2**40}, "", algorithm="none"),
        lambda: identity()[:-4] + "AAAA",
    ],
)
async def test_a_bad_identity_is_refused_and_makes_nobody(vera, signed):
    response = await vera.try_session(identity=signed())
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


async def test_the_sites_own_login_counts_on_its_own_pages_alone(vera, stack):
    vera.origin = stack.url
    async with httpx2.AsyncClient(base_url=stack.url, timeout=20) as browser:
        page = await browser.get("/login/")
        fields = {
            "username": "operator",
            "password": "operator",
            "csrfmiddlewaretoken": page.cookies["csrftoken"],
        }
        done = await browser.post("/login/", data=fields, headers={"Referer": stack.url})
        assert done.status_code == 302, done.text

        async def session(**headers):
            response = await browser.post("/chat/session", json={"widget": "demo"}, headers=headers)
            assert response.status_code == 201
            return response.json()["session_id"]

        signed_in = await session(Origin=stack.url)
        assert await session(Origin=stack.url) == signed_in
        # A program, or a page that a browser gave no Origin: the cookie proves nothing.
        assert await session() != signed_in


async def test_names_and_addresses_from_the_browser_are_claims(vera, olga):
    await vera.session(name="The boss", email="boss@shop.example", user="1", external_id="user:1")
    await vera.post("/chat/messages", client_id="a", content="Believe me", verified=True)
    visitor = await olga.visitor_of(vera.last["session_id"])
    assert visitor["verified"] is False
    assert "boss" not in str(visitor).lower()


# Other people's things


async def test_nobody_reads_what_is_not_theirs(vera, stack):
    victor = VisitorClient(stack.url)
    await victor.session()
    await victor.post("/chat/messages", client_id="a", content="A secret")
    foreign = victor.last["session_id"]
    await vera.session()
    for conversation_id in (foreign, str(uuid.uuid4())):
        response = await vera.get(f"/chat/conversations/{conversation_id}/events", since=0)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        response = await vera.get("/chat/events", session_id=conversation_id, since=0)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert (await vera.get("/chat/conversations")).json()["results"] == []
