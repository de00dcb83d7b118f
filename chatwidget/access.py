"""Who may come in: the page's origin, the widget, the visitor behind a token.

Nothing here trusts a cookie: a token travels in a header that no foreign page can make a browser
send. The one exception, the site's own session, counts only for pages of the site itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from chatwidget.addresses import client_address
from chatwidget.errors import blocked, invalid_token, origin_not_allowed, unknown_widget
from chatwidget.models import Widget
from chatwidget.origins import is_allowed, own_origins
from chatwidget.tokens import VisitorToken, read_token
from inbox.conf import inbox_settings
from inbox.models import Visitor

BEARER = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A visitor whose token was verified, at the widget it was issued for."""

    visitor: Visitor
    widget: Widget
    token: VisitorToken


def request_of(scope: dict[str, Any]) -> HttpRequest:
    """A request with a socket's headers, so that Django's own rules for Host, scheme and
    proxies decide for sockets as they do for pages."""
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
    return ASGIRequest({**scope, "method": "GET", "scheme": scheme}, BytesIO())


def own_origins_of(request: HttpRequest) -> frozenset[str]:
    """The site itself; nothing when ``ALLOWED_HOSTS`` does not know the request's Host."""
    try:
        return own_origins(request.scheme or "http", request.get_host())
    except DisallowedHost:
        return frozenset()


def is_own_page(request: HttpRequest) -> bool:
    """Whether a page of the site itself asks; False without an Origin."""
    return is_allowed(request.headers.get("Origin", ""), (), own_origins_of(request))


def is_secure(request: HttpRequest) -> bool:
    """Whether the browser speaks TLS, also where an undeclared proxy hides it."""
    return request.is_secure() or (
        is_own_page(request) and request.headers["Origin"].startswith("https:")
    )


def allows_origin(request: HttpRequest, widget: Widget) -> bool:
    """Whether the asking page may use this widget. Programs send no Origin and may."""
    origin = request.headers.get("Origin")
    return origin is None or is_allowed(origin, widget.origins, own_origins_of(request))


def check_origin(request: HttpRequest, widget: Widget) -> None:
    """Refuse a page that the widget does not list."""
    if not allows_origin(request, widget):
        raise origin_not_allowed()


def any_widget_allows(request: HttpRequest) -> bool:
    """Whether the asking page may use some widget: all that a preflight can know."""
    return any(allows_origin(request, widget) for widget in Widget.objects.filter(enabled=True))


def find_widget(key: str) -> Widget:
    """The enabled widget of this key."""
    if "\x00" not in key and key.isascii():
        widget = Widget.objects.filter(key=key, enabled=True).first()
        if widget is not None:
            return widget
    raise unknown_widget()


def find_visitor(token: VisitorToken) -> Visitor | None:
    """The visitor of a token that was not revoked since.

    A guest's token opens nothing of the person whom that guest turned out to be: somebody else
    may have prepared it.
    """
    visitor = Visitor.objects.filter(
        public_id=token.visitor, widget_key=token.widget, token_epoch=token.epoch
    ).first()
    return visitor if visitor is not None and visitor.verified == token.known else None


def find_caller(request: HttpRequest) -> Caller:
    """The visitor of the request's ``Authorization: Bearer`` header; asks the database."""
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(BEARER):
        raise invalid_token()
    token = read_token(header[len(BEARER) :].strip())
    visitor = find_visitor(token) if token else None
    if token is None or visitor is None:
        raise invalid_token()
    widget = find_widget(token.widget)
    check_origin(request, widget)
    if visitor.blocked_at is not None:
        raise blocked()
    return Caller(visitor=visitor, widget=widget, token=token)


def address_of(request: HttpRequest) -> str:
    """The subject of limits per address."""
    forwarded = request.headers.get("X-Forwarded-For")
    lines: Iterable[str] = [forwarded] if forwarded else []
    peer = request.META.get("REMOTE_ADDR", "")
    return client_address(peer, list(lines), inbox_settings.TRUSTED_PROXIES)
