"""The contract on who is who: signed identities, the site's own login, addresses and proxies."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx2
import jwt
import pytest

from tests.support.contract import Operator, Visitor
from tests.support.sites import IDENTITY_SECRET, MakeSite, Server, Stack


def identity(sub: str, **claims: Any) -> str:
    """What the host's server signs for one of its users."""
    secret = claims.pop("secret", IDENTITY_SECRET)
    algorithm = claims.pop("algorithm", "HS256")
    payload = {"aud": "demo", "sub": sub, "exp": int(time.time()) + 600, **claims}
    return jwt.encode({k: v for k, v in payload.items() if v is not None}, secret, algorithm)


def person(name: str) -> str:
    return f"{name}-{time.monotonic_ns()}"


def ids_of(visitor: Visitor) -> list[str]:
    return [row["id"] for row in visitor.call("GET", "conversations").json()["results"]]


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    return Visitor(stack.visitor).start()


def test_a_signed_identity_finds_its_conversation_on_any_device(stack: Stack):
    sub = person("vera")
    phone = Visitor(stack.visitor, identity=identity(sub)).start()
    phone.post("hello")
    laptop = Visitor(stack.operator, identity=identity(sub)).start()
    assert laptop.id == phone.id
    assert ids_of(laptop) == [phone.id]


def test_a_signed_identity_is_verified_and_a_claimed_name_is_not(stack: Stack, vera: Visitor):
    olga = Operator(stack.operator)
    known = Visitor(stack.visitor, identity=identity(person("vera"), name="Vera Known")).start()
    known.post("hello")
    vera.post("hello")
    assert olga.conversation(known.id)["visitor"]["verified"] is True
    assert olga.conversation(known.id)["visitor"]["name"] == "Vera Known"
    assert olga.conversation(vera.id)["visitor"]["verified"] is False


@pytest.mark.parametrize(
    "claims",
    [
        {"secret": "another-secret-of-at-least-32-bytes-0123456789"},
        {"aud": "other"},
        {"aud": None},
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"exp": int(time.time()) + 7200},
        {"sub": None},
        {"sub": ""},
        {"algorithm": "HS512"},
        {"algorithm": "none", "secret": ""},
    ],
)
def test_an_identity_that_does_not_hold_is_refused(stack: Stack, claims: dict[str, Any]):
    others = {name: value for name, value in claims.items() if name != "sub"}
    sub = claims.get("sub", "vera")
    answer = Visitor(stack.visitor).post_session(identity=identity(sub, **others))
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == "invalid_token"


def test_a_guest_who_becomes_known_keeps_the_conversation(vera: Visitor):
    vera.post("hello")
    guest_id = vera.id
    vera.start(identity=identity(person("vera")))
    assert vera.id == guest_id
    assert vera.events(0)["events"][0]["content"] == "hello"


def test_a_guest_s_conversation_stays_in_the_list_of_who_has_an_open_one(stack: Stack):
    sub = person("vera")
    known = Visitor(stack.visitor, identity=identity(sub)).start()
    known.post("known")
    guest = Visitor(stack.visitor).start()
    guest.post("guest")
    guest_id = guest.id
    guest.start(identity=identity(sub))
    assert guest.id == known.id
    assert set(ids_of(guest)) == {known.id, guest_id}
    old = guest.call("GET", f"conversations/{guest_id}/events", params={"since": 0})
    assert old.json()["events"][0]["content"] == "guest"


def test_a_token_of_one_person_is_worth_nothing_beside_another_s_identity(stack: Stack):
    first = Visitor(stack.visitor, identity=identity(person("vera"))).start()
    first.post("private")
    other = Visitor(stack.visitor, token=first.token, identity=identity(person("oscar"))).start()
    assert other.id != first.id
    assert ids_of(other) == []


def test_a_known_person_s_token_alone_shows_the_next_nobody_s_history(stack: Stack):
    known = Visitor(stack.visitor, identity=identity(person("vera"))).start()
    known.post("private")
    answer = Visitor(stack.visitor, token=known.token).post_session()
    if answer.status_code == 201:
        assert answer.json()["session_id"] != known.id
        assert answer.json()["unread"] == 0
    else:
        assert answer.json()["code"] == "invalid_token"


def test_the_site_s_own_login_counts_only_for_its_own_origin(stack: Stack):
    desk = Operator(stack.visitor, "admin")
    own = {"Origin": stack.visitor.url}
    body = {"widget": "demo"}
    first = desk.http.post("/chat/session", json=body, headers=own).json()
    again = desk.http.post("/chat/session", json=body, headers=own).json()
    assert again["session_id"] == first["session_id"]
    without = desk.http.post("/chat/session", json=body).json()
    foreign = desk.http.post("/chat/session", json=body, headers={"Origin": "https://evil.example"})
    assert without["session_id"] != first["session_id"]
    assert foreign.status_code == 403
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.http.get("/inbox/").text)
    assert csrf or desk.http.cookies["csrftoken"]
    guest = Visitor(stack.visitor, token=first["token"]).post_session()
    if guest.status_code == 201:
        assert guest.json()["session_id"] != first["session_id"]


def guests_until_refused(server: Server, address: str | None, count: int = 65) -> int:
    headers = {"X-Forwarded-For": address} if address else {}
    with httpx2.Client(base_url=server.url) as http:
        for number in range(count):
            answer = http.post("/chat/session", json={"widget": "demo"}, headers=headers)
            if answer.status_code == 429:
                body = answer.json()
                assert body["code"] == "rate_limited"
                assert body["retryable"] is True
                assert body["retry_after"] > 0
                return number
            assert answer.status_code == 201
    return count


def test_new_guests_are_limited_by_address_and_forwarded_ones_count_only_from_a_proxy(
    make_site: MakeSite,
):
    plain = make_site("sqlite", RATE_LIMITS="1").start()
    token = Visitor(plain).start().token
    assert guests_until_refused(plain, None) == 59
    assert guests_until_refused(plain, "203.0.113.7", 1) == 0
    assert Visitor(plain, token=token).post_session().status_code == 201
    plain.stop()
    behind = make_site("sqlite", RATE_LIMITS="1", TRUSTED_PROXIES="127.0.0.1").start()
    assert guests_until_refused(behind, "2001:db8::1", 60) == 60
    assert guests_until_refused(behind, "2001:db8::2", 1) == 0
    assert guests_until_refused(behind, "2001:db8:0:1::1", 1) == 1
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with httpx2.Client(base_url=behind.url, headers=headers) as http:
        session = http.post("/chat/session", json={"widget": "demo"}).json()
    assert session["ws_url"].startswith("wss://")
