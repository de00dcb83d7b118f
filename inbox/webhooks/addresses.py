"""Which addresses the server may call for somebody else. The attack is SSRF: a URL that names,
resolves to, or later re-resolves to something inside the network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# ``is_global`` calls these public although they lead to, or wrap, private addresses.
_WRAPPERS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # local NAT64
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "192.88.99.0/24",  # 6to4 relays
    )
)


class AddressNotAllowedError(Exception):
    """The host leads to an address that must not be called."""


def is_allowed(address: Address, private: Sequence[Network] = ()) -> bool:
    """Whether an address is public, or lies in a network that the host project named."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in private if network.version == address.version):
        return True
    if address.is_multicast or not address.is_global:
        return False
    return not any(address in net for net in _WRAPPERS if net.version == address.version)


async def resolve(host: str, port: int, private: Sequence[Network] = ()) -> str:
    """One address of a host, after checking **every** address that it has.

    The caller connects to exactly this address, so that a name which resolves differently a
    moment later (DNS rebinding) changes nothing.

    Raises:
        AddressNotAllowedError: the host has an address that must not be called, or none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressNotAllowedError("the host name does not resolve") from error
    addresses = [str(entry[4][0]) for entry in found]
    for text in addresses:
        if "%" in text or not is_allowed(ipaddress.ip_address(text), private):
            raise AddressNotAllowedError("the address is not public")
    if not addresses:
        raise AddressNotAllowedError("the host name does not resolve")
    return addresses[0]
