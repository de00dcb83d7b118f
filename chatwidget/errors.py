"""Refusals that only the widget's edge knows; the base and the codes are the core's."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from inbox.errors import InboxError, RefusedError

SIGN_IN_FIRST = _("Please sign in to use the chat.")

MESSAGES = {
    "method_not_allowed": _("This address does not understand that method."),
}
"""Codes beside the core's, and their text for people."""


def invalid_token(message: str | None = None) -> RefusedError:
    """No token, a forged or late one, or one that was revoked."""
    return RefusedError("invalid_token", message, status=401)


def origin_not_allowed() -> RefusedError:
    """A page that the widget does not list."""
    return RefusedError("origin_not_allowed", status=403)


def unknown_widget() -> RefusedError:
    """No enabled widget has this key."""
    return RefusedError("unknown_widget", status=404)


def blocked() -> RefusedError:
    """An operator has blocked this visitor."""
    return RefusedError("blocked", status=403)


def too_large() -> InboxError:
    """A body above the limit of its address."""
    return InboxError("too_large", status=413)


def method_not_allowed() -> InboxError:
    """HTTP 405."""
    return InboxError("method_not_allowed", str(MESSAGES["method_not_allowed"]), status=405)
