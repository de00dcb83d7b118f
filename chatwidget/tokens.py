"""What we sign for browsers: a visitor's token (kept) and a ticket (used once for a socket).

Both are Django signatures with a salt each, so that one never passes for the other, and follow
``SECRET_KEY_FALLBACKS``. Whether the visitor still exists is the caller's business.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.core import signing

from chatwidget.conf import chatwidget_settings

# A ticket travels as a WebSocket subprotocol, which must be an HTTP token: no ":" as separator.
SEPARATOR = "."
TOKEN_SALT = "chatwidget.visitor"  # noqa: S105 -- a salt is public
TICKET_SALT = "chatwidget.ticket"
MAX_CHARS = 512
"""Longer texts are refused before any hash is computed over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorToken:
    """Who a browser is, for one widget. ``known``: the host vouched for the person."""

    visitor: uuid.UUID
    widget: str
    epoch: int
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The right to open one socket; ``jti`` is what the database remembers."""

    jti: str
    visitor: uuid.UUID
    widget: str
    epoch: int
    expires_at: dt.datetime


def _signer(salt: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=salt, sep=SEPARATOR)


def _read(salt: str, text: str, max_age: dt.timedelta) -> dict[str, Any] | None:
    # Our own texts are ASCII; anything else must not reach the decoder below the signature.
    if len(text) > MAX_CHARS or not text.isascii():
        return None
    try:
        value = _signer(salt).unsign_object(text, max_age=max_age)
    except (signing.BadSignature, ValueError):
        return None
    return value if isinstance(value, dict) else None


def issue_token(token: VisitorToken) -> str:
    """The text that the browser keeps."""
    return _signer(TOKEN_SALT).sign_object(
        {"v": token.visitor.hex, "w": token.widget, "e": token.epoch, "k": token.known}
    )


def read_token(text: str) -> VisitorToken | None:
    """The token, or None for what is forged, too old or not one at all."""
    value = _read(TOKEN_SALT, text, dt.timedelta(days=chatwidget_settings.GUEST_TOKEN_DAYS))
    if value is None:
        return None
    hours = dt.timedelta(hours=chatwidget_settings.KNOWN_TOKEN_HOURS)
    if value["k"] and _read(TOKEN_SALT, text, hours) is None:
        return None
    return VisitorToken(
        visitor=uuid.UUID(value["v"]), widget=value["w"], epoch=value["e"], known=value["k"]
    )


def ticket_lifetime() -> dt.timedelta:
    """Never more than the contract's 60 s."""
    return dt.timedelta(seconds=min(60, chatwidget_settings.TICKET_SECONDS))


def issue_ticket(token: VisitorToken) -> str:
    """A ticket of ``[A-Za-z0-9._-]`` for one socket of this visitor."""
    return _signer(TICKET_SALT).sign_object(
        {
            "j": secrets.token_urlsafe(12),
            "v": token.visitor.hex,
            "w": token.widget,
            "e": token.epoch,
        }
    )


def read_ticket(text: str, now: dt.datetime) -> Ticket | None:
    """The ticket, or None for what is forged or late. Whether it was used, the database knows."""
    value = _read(TICKET_SALT, text, ticket_lifetime())
    if value is None:
        return None
    return Ticket(
        jti=value["j"],
        visitor=uuid.UUID(value["v"]),
        widget=value["w"],
        epoch=value["e"],
        # Counted from now, not from its issue: remembering it a minute too long costs a row.
        expires_at=now + ticket_lifetime(),
    )
