"""X-Forwarded-Proto counts when a trusted proxy says it, and nobody else's word does."""

from __future__ import annotations

import pytest

from config.proxies import ForwardedScheme


async def scheme_seen(scope, *, trusted=("10.0.0.0/8", "::1")):
    """The scheme that the application behind the wrapper sees."""
    seen = {}

    async def application(scope, receive, send):
        seen.update(scope)

    await ForwardedScheme(application, trusted)(scope, None, None)
    return seen.get("scheme")


def scope(client, *forwarded, kind="http", scheme="http"):
    headers = [(b"x-forwarded-proto", value) for value in forwarded]
    return {"type": kind, "scheme": scheme, "client": client, "headers": headers}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (scope(["10.1.2.3", 1], b"https"), "https"),
        (scope(["::1", 1], b"https"), "https"),
        (scope(["10.1.2.3", 1], b"https", kind="websocket", scheme="ws"), "wss"),
        (scope(["10.1.2.3", 1], b"http", kind="websocket", scheme="wss"), "ws"),
        (scope(["192.0.2.9", 1], b"https"), "http"),
        (scope(["10.1.2.3", 1]), "http"),
        (scope(["10.1.2.3", 1], b"gopher"), "http"),
        (scope(["10.1.2.3", 1], b"https", b"http"), "http"),
        (scope(["10.1.2.3", 1], b"https, http"), "http"),
        (scope(None, b"https"), "http"),
        (scope(["a-unix-socket", 1], b"https"), "http"),
        (scope(["10.1.2.3", 1], kind="websocket", scheme=None), "ws"),
    ],
)
async def test_only_a_trusted_proxy_decides_the_scheme(given, expected):
    assert await scheme_seen(given) == expected


async def test_without_proxies_the_scope_is_left_alone():
    assert await scheme_seen(scope(["127.0.0.1", 1], b"https"), trusted=()) == "http"


async def test_other_kinds_of_scope_pass():
    assert await scheme_seen({"type": "lifespan"}) is None
