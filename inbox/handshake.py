"""Whether a socket's handshake comes from a page of the site itself."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

PORTS = {"http": 80, "https": 443}


def request_of(scope: dict[str, Any]) -> HttpRequest:
    """A request with the socket's headers, so that Django's own rules for Host and proxies
    decide for sockets as they do for pages."""
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
    return ASGIRequest({**scope, "method": "GET", "scheme": scheme}, BytesIO())


def is_own_page(request: HttpRequest) -> bool:
    """Whether the page that asks is the site's, as the request's own Host names it.

    A foreign page would ride on the operator's cookie (cross-site WebSocket hijacking).
    Programs send no Origin, and no browser can be made to leave it out.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    # Behind a proxy that ends TLS and that nobody declared as trusted, we look like http.
    own = {_address(f"{scheme}://{host}") for scheme in (request.scheme or "http", "https")}
    return _address(origin) in own - {None}


def _address(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a plain origin; None for anything else."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    if parts.path or parts.query or parts.fragment or origin != origin.strip():
        return None
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]
