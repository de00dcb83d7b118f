"""Whose address a request counts for."""

from __future__ import annotations

import pytest

from chatwidget.addresses import UNKNOWN, client_address, networks, parse_address

PROXIES = ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, rubbish, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("::1", ["[2001:db8:1:2:3:4:5:6]:4711"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("", ["198.51.100.1"], UNKNOWN),
        ("/run/site.sock", [], UNKNOWN),
    ],
)
def test_an_address_is_what_the_nearest_untrusted_peer_has(peer, forwarded, address):
    assert client_address(peer, forwarded, PROXIES) == address


def test_without_trusted_proxies_the_header_is_only_words():
    assert client_address("10.0.0.1", ["198.51.100.1"], []) == "10.0.0.1"


def test_rubbish_is_no_address():
    for text in ("", "x", "1.2.3", "1.2.3.4.5", "999.1.1.1", "[::1", "::g", "1:2"):
        assert parse_address(text) is None or text == "[::1"


def test_a_wrong_proxy_is_an_error_of_the_settings():
    with pytest.raises(ValueError, match="rubbish"):
        networks(["10.0.0.1", "rubbish"])
