"""Who may open the operators' page, and the policy that the browser holds it to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

TRUSTED_TYPES_POLICY = "frontdesk-inbox"
"""The one policy of the page's script: it lets the server's own fragments become nodes."""


def for_operators(view: View[P]) -> View[P]:
    """Only for accounts with ``view_inbox``: others sign in and come back, or are told why not."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.has_perm("frontdesk_inbox.view_inbox"):
            return with_policy(request, render(request, "inbox/forbidden.html", status=403))
        return with_policy(request, view(request, *args, **kwargs))

    return guarded


def with_policy(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The strict policy of the page: nothing inline, nothing from elsewhere, Trusted Types.

    The page reads what strangers wrote; should one of them ever get markup through, the
    browser still runs no script of theirs and sends nothing to their servers.
    """
    assets = _origin_of(static("inbox/inbox.js"))
    sources = f"'self' {assets}".strip()
    host = request.get_host()
    directives = {
        "default-src": "'none'",
        "script-src": sources,
        "style-src": sources,
        "img-src": f"{sources} data:",
        "media-src": sources,
        # 'self' covers web sockets in new browsers only.
        "connect-src": f"'self' ws://{host} wss://{host}",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
        "require-trusted-types-for": "'script'",
        "trusted-types": TRUSTED_TYPES_POLICY,
    }
    policy = "; ".join(f"{name} {value}" for name, value in directives.items())
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _origin_of(url: str) -> str:
    """The origin of static files when they live on a host of their own, else nothing."""
    parts = urlsplit(url)
    return f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else ""


def language_of(request: Any) -> str:
    """The language that the request was answered in."""
    return str(getattr(request, "LANGUAGE_CODE", ""))
