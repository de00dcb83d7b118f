"""Do the pages, the socket and the static files answer through the site's own ASGI application?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from asgiref.sync import async_to_sync
from channels.routing import get_default_application
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse

from inbox.errors import CloseCode
from inbox.ports import Finding

ANSWER_SECONDS = 10.0


def check_urls() -> Iterator[Finding]:
    """The inbox is included somewhere."""
    try:
        address = reverse("inbox:index")
    except NoReverseMatch:
        yield Finding(
            ok=False,
            title="URLs",
            detail="The inbox has no address.",
            fix='Add to urlpatterns: path("", include("inbox.urls"))',
        )
        return
    yield Finding(ok=True, title="URLs", detail=f"The inbox is at {address}")


def check_socket() -> Iterator[Finding]:
    """A socket without a login is accepted and closed with 4401, through the site's routing."""
    try:
        closed_with = async_to_sync(_knock)()
    except Exception as error:
        yield Finding(
            ok=False,
            title="Socket",
            detail=f"ASGI_APPLICATION fails: {type(error).__name__} {error}".strip(),
            fix="Compare asgi.py with “Into an existing project”.",
        )
        return
    yield Finding(
        ok=closed_with == CloseCode.UNAUTHORIZED,
        title="Socket",
        detail=f"/ws/inbox/ answers {closed_with or 'nothing'} to a stranger.",
        fix="Add chatwidget.routing.websocket_urlpatterns to the URLRouter in asgi.py.",
    )


async def _knock() -> int | None:
    """The close code that a stranger gets, or None when the application ends without one."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        raise ImproperlyConfigured("ASGI_APPLICATION is not set.")
    code: int | None = None
    closed = asyncio.Event()
    arriving = iter([{"type": "websocket.connect"}])

    async def receive() -> dict[str, Any]:
        for event in arriving:
            return event
        await closed.wait()
        return {"type": "websocket.disconnect", "code": code or 1006}

    async def send(event: dict[str, Any]) -> None:
        nonlocal code
        if event["type"] == "websocket.close":
            code = int(event.get("code") or 1000)
            closed.set()

    application: Any = get_default_application()
    async with asyncio.timeout(ANSWER_SECONDS):
        await application(_stranger(), receive, send)
    return code


def _stranger() -> dict[str, Any]:
    """The scope of a browser on the site's own page that never logged in."""
    host = _own_host()
    return {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "path": "/ws/inbox/",
        "raw_path": b"/ws/inbox/",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", host.encode()), (b"origin", f"http://{host}".encode())],
        "subprotocols": [],
        "client": ["127.0.0.1", 1],
        "server": [host, 80],
    }


def _own_host() -> str:
    for host in settings.ALLOWED_HOSTS:
        if host != "*":
            return str(host).lstrip(".")
    return "localhost"


def check_static() -> Iterator[Finding]:
    """The operators' page finds its script."""
    asset = "inbox/inbox.js"
    found = finders.find(asset)
    yield Finding(
        ok=bool(found),
        title="Static files",
        detail="The page's script is found." if found else f"{asset} is found nowhere.",
        fix="Add django.contrib.staticfiles and its AppDirectoriesFinder to the settings.",
    )


def check_security() -> Iterator[Finding]:
    """What must not be open on a site that the world sees."""
    yield Finding(
        ok=not settings.DEBUG,
        title="DEBUG",
        detail="on: pages show the code and its secrets." if settings.DEBUG else "off.",
        fix="Set DEBUG = False outside development.",
    )
    open_to_all = "*" in settings.ALLOWED_HOSTS
    yield Finding(
        ok=not open_to_all,
        title="ALLOWED_HOSTS",
        detail=("* lets any page pass as the site itself." if open_to_all else "names its hosts."),
        fix="List the site's own host names; the origin check rests on them.",
    )
