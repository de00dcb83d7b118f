"""Which pages may use a widget: exact scheme, host and port, decided by pure functions.

An Origin header protects visitors from other people's pages, since browsers write it truthfully;
it is not authentication, since nothing else has to. This module knows no request and no model.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

NULL_ORIGIN = "null"
DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*"
)
_IPV6 = re.compile(r"\[[0-9a-f:.]{2,45}\]")


def parse_origin(text: str) -> str | None:
    """The one spelling of an origin (``https://shop.example`` or ``http://[::1]:8000``), or None.

    Anything beyond scheme, host and port is refused, so ``https://good.example@evil.example``,
    a path, a wildcard or a trailing dot never becomes an origin. Hosts are ASCII, as browsers
    send them: an international name stands in its ``xn--`` form.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not text.isascii() or text != text.strip():
        return None
    netloc = parts.netloc.lower()
    host = netloc.rpartition(":")[0] if port is not None else netloc
    if not (_HOST.fullmatch(host) or _IPV6.fullmatch(host)):
        return None
    if text.lower() != f"{scheme}://{netloc}":
        return None
    if port == 0:
        return None
    shown = "" if port in (None, DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host}{shown}"


def split_origins(text: str) -> list[str]:
    """The origins of a one-per-line field in their one spelling; ``null`` may be among them."""
    found = []
    for line in text.splitlines():
        word = line.strip().lower()
        origin = word if word == NULL_ORIGIN else parse_origin(word)
        if origin and origin not in found:
            found.append(origin)
    return found


def own_origins(scheme: str, host: str) -> frozenset[str]:
    """The site itself, as a request's own scheme and (checked) Host name it.

    The ``https`` page of the same host counts too: behind a proxy that ends TLS and that nobody
    declared as trusted, the request looks like ``http``. The other way round would let a page
    that somebody tampered with on the wire pass as the site.
    """
    web_scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    found = (parse_origin(f"{web_scheme}://{host}"), parse_origin(f"https://{host}"))
    return frozenset(origin for origin in found if origin)


def is_allowed(origin: str, allowed: Collection[str], own: Collection[str] = ()) -> bool:
    """Whether a page of ``origin`` may use a widget that lists ``allowed``.

    ``null`` (a sandboxed frame, a file, a redirect) counts only where it is listed by name.
    """
    if origin == NULL_ORIGIN:
        return NULL_ORIGIN in allowed
    parsed = parse_origin(origin)
    return parsed is not None and (parsed in own or parsed in allowed)
