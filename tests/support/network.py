"""Keeps the test process on this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class OutboundConnectionError(ConnectionRefusedError):
    """A test tried to reach another machine."""


def is_local(family: int, address: Any) -> bool:
    """Loopback addresses and everything that is no network address at all."""
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    host = address[0].split("%")[0]
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def only_loopback() -> Iterator[None]:
    """While open, connecting elsewhere raises OutboundConnectionError."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, original: Any = original) -> Any:
            if not is_local(self.family, address):
                raise OutboundConnectionError(f"Tests stay on this machine, not {address!r}.")
            return original(self, address)

        patch.setattr(socket.socket, name, guarded)
    try:
        yield
    finally:
        patch.undo()
