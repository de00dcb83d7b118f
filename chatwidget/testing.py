"""Builders for tests of a site that carries the widget."""

from __future__ import annotations

import time
from typing import Any

import jwt

from chatwidget.models import Widget

TEST_SECRET = "a-secret-for-tests-alone-0123456789abcdef"  # noqa: S105 -- for tests alone


def make_widget(key: str = "test", **fields: Any) -> Widget:
    """A widget without bot whose host signs with ``TEST_SECRET``."""
    defaults = {"bot_key": "", "identity_secret": TEST_SECRET}
    return Widget.objects.create(key=key, **{**defaults, **fields})


def sign_identity(widget: Widget, subject: str, **claims: Any) -> str:
    """What the host's server gives to the page: the identity of ``subject`` for five minutes."""
    wanted = {"sub": subject, "aud": widget.key, "exp": int(time.time()) + 300, **claims}
    return jwt.encode(wanted, widget.identity_secret, algorithm="HS256")
