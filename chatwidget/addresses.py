"""Whose address a request counts for, behind trusted proxies and in IPv6."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
UNKNOWN = "unknown"
"""A peer without an address, such as a Unix socket; all of them share their limits."""


def parse_address(text: str) -> Address | None:
    """An address as proxies write it: bare, with a port, in brackets, mapped into IPv6."""
    word = text.strip()
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ipaddress.ip_address(word.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def networks(entries: Iterable[str]) -> list[Network]:
    """The trusted proxies of a setting; a wrong entry raises ``ValueError``."""
    return [ipaddress.ip_network(entry, strict=False) for entry in entries]


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Iterable[str]) -> str:
    """The subject of limits: an IPv4 address or the /64 network of an IPv6 one.

    ``X-Forwarded-For`` is read from the right and only while the one who wrote an entry is a
    trusted proxy; what stands further left is whatever the client invented.
    """
    proxies = networks(trusted)
    nearest = parse_address(peer)
    entries = [word for line in forwarded_for for word in line.split(",")]
    while nearest is not None and entries and any(nearest in network for network in proxies):
        before = parse_address(entries.pop())
        if before is None:
            break
        nearest = before
    return _subject(nearest)


def _subject(address: Address | None) -> str:
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        # One line at home has 2**64 addresses.
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
