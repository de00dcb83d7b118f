"""What is wrong with the widget's settings, with the fix; run by ``manage.py check``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.urls import NoReverseMatch, reverse

from chatwidget.addresses import networks
from chatwidget.assets import LAUNCHER, PANEL, load_asset
from chatwidget.conf import chatwidget_settings
from inbox.conf import inbox_settings

Bound = tuple[str, Callable[[], float], float, float]
BOUNDS: list[Bound] = [
    ("RATE_FACTOR", lambda: chatwidget_settings.RATE_FACTOR, 0.001, 1e6),
    ("GUEST_TOKEN_DAYS", lambda: chatwidget_settings.GUEST_TOKEN_DAYS, 1, 3650),
    ("KNOWN_TOKEN_HOURS", lambda: chatwidget_settings.KNOWN_TOKEN_HOURS, 1, 24 * 30),
    ("TICKET_SECONDS", lambda: chatwidget_settings.TICKET_SECONDS, 5, 60),
    ("LONG_POLL_SECONDS", lambda: chatwidget_settings.LONG_POLL_SECONDS, 1, 25),
    ("MAX_SOCKETS", lambda: chatwidget_settings.MAX_SOCKETS, 1, 1000),
]
"""Setting, how to read it, least and greatest sensible value."""


@register("frontdesk")
def check_widget(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Everything below."""
    return [
        *check_bounds(),
        *check_proxies(),
        *check_addresses(),
        *check_assets(),
    ]


def check_bounds() -> Iterable[CheckMessage]:
    """Numbers that are none, or that break a promise."""
    for name, read, least, most in BOUNDS:
        hint = f"Write a number from {least:g} to {most:g}."
        try:
            value = read()
        except (TypeError, ValueError):
            yield Error(f"CHATWIDGET_{name} is not a number.", hint=hint, id="chatwidget.E001")
            continue
        if not least <= value <= most:
            yield Error(
                f"CHATWIDGET_{name} = {value:g} will not do.", hint=hint, id="chatwidget.E002"
            )


def check_proxies() -> Iterable[CheckMessage]:
    """A wrong entry would make every request fail."""
    try:
        networks(inbox_settings.TRUSTED_PROXIES)
    except ValueError as error:
        yield Error(
            f"INBOX_TRUSTED_PROXIES: {error}",
            hint="Write addresses or networks such as 10.0.0.0/8.",
            id="chatwidget.E003",
        )


def check_addresses() -> Iterable[CheckMessage]:
    """The widget's URLs are included."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return
    try:
        reverse("chatwidget:session")
    except NoReverseMatch:
        yield Warning(
            "The widget has no address.",
            hint='Add to urlpatterns: path("", include("chatwidget.urls"))',
            id="chatwidget.W001",
        )


def check_assets() -> Iterable[CheckMessage]:
    """The built files came with the package."""
    for name in (LAUNCHER, PANEL):
        try:
            load_asset(name)
        except OSError:
            yield Error(
                f"The widget's file {name} is missing.",
                hint="Install the package anew, or run ./dev build in a checkout.",
                id="chatwidget.E004",
            )
