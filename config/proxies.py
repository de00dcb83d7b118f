"""Believes `X-Forwarded-Proto` from the trusted proxies alone, and corrects the scope's scheme.

Only the scheme is settled here; the client's address is the apps' own business.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Scope = dict[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}


class ForwardedScheme:
    """Wraps an ASGI application; `trusted` are addresses or networks such as 10.0.0.0/8."""

    def __init__(self, application: Application, trusted: Iterable[str]) -> None:
        self._application = application
        self._trusted = [ipaddress.ip_network(entry, strict=False) for entry in trusted]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if self._trusted and scope["type"] in {"http", "websocket"} and self._is_trusted(scope):
            scope = {**scope, "scheme": self._scheme(scope)}
        await self._application(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        client = scope.get("client")
        if not client:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)

    @staticmethod
    def _scheme(scope: Scope) -> str:
        sent = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        # The nearest proxy writes last; earlier entries may be the client's invention.
        word = sent[-1].decode("latin-1").split(",")[-1].strip().lower() if sent else ""
        present = str(scope.get("scheme") or ("ws" if scope["type"] == "websocket" else "http"))
        if word not in WEBSOCKET_SCHEMES:
            return present
        return WEBSOCKET_SCHEMES[word] if scope["type"] == "websocket" else word
