"""Every refusal of the product: one base, a stable code each, a text safe to show.

InboxError
├── ProtocolError        a frame or body that breaks the protocol
├── RefusedError         well-formed, but not allowed or not possible now
└── TryAgainError        database or server trouble; nothing was stored
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class CloseCode(IntEnum):
    """WebSocket close codes of the contract. Daphne lets an application send 1000 and 3000-4999."""

    GOING_AWAY = 1001
    TOO_BIG = 4009
    OVERLOADED = 4013
    PROTOCOL = 4400
    UNAUTHORIZED = 4401
    ORIGIN = 4403
    FLOODING = 4429
    BLOCKED = 4499


MESSAGES = {
    "bad_json": _("This is not valid JSON."),
    "bad_frame": _("A frame is one JSON object."),
    "invalid_field": _("A field has a wrong type or value."),
    "unknown_type": _("This type of frame is not known."),
    "binary_not_supported": _("Only text frames are understood."),
    "empty_message": _("The message is empty."),
    "invalid_text": _("The text contains characters that cannot be stored."),
    "client_id_conflict": _("This client_id was used for another message."),
    "rate_limited": _("That was too much at once; wait a moment."),
    "too_large": _("This is too large."),
    "too_long": _("The message is too long."),
    "try_again": _("It did not work this time; please try again."),
    "not_found": _("This does not exist."),
    "origin_not_allowed": _("This page may not use the chat."),
    "unknown_widget": _("This widget does not exist."),
    "invalid_token": _("The token is not valid."),
    "taken": _("A colleague is answering this conversation."),
    "stale": _("Something was written meanwhile."),
    "blocked": _("This conversation is closed to new messages."),
    "no_permission": _("You may not do this."),
    "conversation_closed": _("This conversation is closed."),
    "no_bot": _("No bot can answer here right now."),
}
"""Code → text safe to show to people. ``docs/reference/errors.md`` lists each."""


class InboxError(Exception):
    """A refusal. Refused means nothing was stored.

    Attributes:
        code: stable machine word, a key of ``MESSAGES`` or of another app's own table.
        retryable: whether the same request may succeed later.
        retry_after: seconds to wait before that, if known.
        field: path of the offending field, dots between names.
        status: the HTTP status of this refusal.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int = 400,
        retryable: bool = False,
        retry_after: float | None = None,
        field: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self._message = message
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after
        self.field = field
        self.extra = extra or {}

    @property
    def message(self) -> str:
        """The text for people, in the active language."""
        return str(self._message or MESSAGES.get(self.code, self.code))

    def as_dict(self) -> dict[str, Any]:
        """The wire's ``{code, message, retryable, retry_after?, field?}``."""
        body: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
        }
        if self.retry_after is not None:
            body["retry_after"] = round(self.retry_after, 1)
        if self.field:
            body["field"] = self.field
        return {**body, **self.extra}


class ProtocolError(InboxError):
    """A frame that breaks the protocol; five in a minute close the socket with 4400."""


class RefusedError(InboxError):
    """A request that is understood and refused."""


class TryAgainError(InboxError):
    """Database or server trouble: nothing was stored, the same request may be repeated."""

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__("try_again", status=503, retryable=True, retry_after=retry_after)


def not_found() -> RefusedError:
    """The same answer for what does not exist and for what one may not see."""
    return RefusedError("not_found", status=404)


def rate_limited(retry_after: float) -> RefusedError:
    """Too many of something; ``retry_after`` is in seconds."""
    return RefusedError(
        "rate_limited", status=429, retryable=True, retry_after=max(0.1, retry_after)
    )
