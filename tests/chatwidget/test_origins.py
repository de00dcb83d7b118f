"""Which pages may use a widget."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from chatwidget.origins import is_allowed, own_origins, parse_origin, split_origins
from chatwidget.validators import validate_origins

ALLOWED = ["https://good.example", "http://localhost:3000", "http://[::1]:8000"]


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://good.example", "https://good.example"),
        ("https://good.example:443", "https://good.example"),
        ("http://good.example:80", "http://good.example"),
        ("http://good.example:8000", "http://good.example:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_an_origin_has_one_spelling(text, origin):
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "good.example",
        "//good.example",
        "https://",
        "https://good.example/",
        "https://good.example/page",
        "https://good.example?x",
        "https://good.example#x",
        "https://good.example.",
        "https://*.example",
        "https://user@good.example",
        "https://good.example@evil.example",
        "https://good.example:0",
        "https://good.example:99999",
        "https://good.example:port",
        "https://good.example:",
        "https://good.example\n",
        " https://good.example",
        "https://good.example\x00.evil.example",
        "https://gооd.example",
        "ftp://good.example",
        "file:///tmp",
        "javascript://good.example",
        "https://[::1",
        "https://" + "a" * 300 + ".example",
    ],
)
def test_what_is_no_origin_is_refused(text):
    assert parse_origin(text) is None


@pytest.mark.parametrize(
    ("origin", "verdict"),
    [
        ("https://good.example", True),
        ("https://good.example:443", True),
        ("http://localhost:3000", True),
        ("http://[::1]:8000", True),
        ("http://good.example", False),
        ("https://good.example:8443", False),
        ("https://sub.good.example", False),
        ("https://good.example.evil.example", False),
        ("https://evilgood.example", False),
        ("http://localhost", False),
        ("http://localhost:3001", False),
        ("null", False),
        ("", False),
        ("*", False),
    ],
)
def test_only_listed_pages_are_allowed(origin, verdict):
    assert is_allowed(origin, ALLOWED) is verdict


def test_null_counts_only_where_it_is_listed_by_name():
    assert is_allowed("null", [*ALLOWED, "null"])
    assert not is_allowed("null", ALLOWED, own_origins("http", "null"))


def test_the_site_itself_is_always_allowed():
    own = own_origins("http", "shop.example:8000")
    assert is_allowed("http://shop.example:8000", [], own)
    assert not is_allowed("http://shop.example", [], own)


def test_the_site_behind_an_undeclared_tls_proxy_is_still_itself():
    own = own_origins("http", "shop.example")
    assert is_allowed("https://shop.example", [], own)


def test_a_page_that_lost_its_tls_is_not_the_site():
    own = own_origins("wss", "shop.example")
    assert not is_allowed("http://shop.example", [], own)
    assert is_allowed("https://shop.example", [], own)


def test_a_host_that_is_no_host_owns_nothing():
    assert own_origins("http", "bad host") == frozenset()


def test_the_field_holds_one_origin_per_line():
    text = "https://A.example\n\n  http://b.example:80 \nnull\nhttps://a.example\nrubbish\n"
    assert split_origins(text) == ["https://a.example", "http://b.example", "null"]


def test_the_field_refuses_what_would_never_match():
    validate_origins("https://a.example\n\nnull\n")
    for line in ["*", "https://a.example/", "a.example", "https://*.example"]:
        with pytest.raises(ValidationError):
            validate_origins(f"https://a.example\n{line}")
