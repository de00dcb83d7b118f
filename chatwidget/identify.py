"""Whom the host vouches for in this request: by signature, or by the site's own login."""

from __future__ import annotations

import logging

from django.http import HttpRequest

from chatwidget.access import is_own_page
from chatwidget.conf import chatwidget_settings
from chatwidget.errors import SIGN_IN_FIRST, invalid_token
from chatwidget.identity import USER_PREFIX, Identity, InvalidIdentity, read_identity
from chatwidget.models import Widget

logger = logging.getLogger("frontdesk.chatwidget")


def identify(request: HttpRequest, widget: Widget, signed: str | None = None) -> Identity | None:
    """The person behind this request, or None for a guest; may ask the database.

    Raises:
        InboxError: ``invalid_token`` for a signed identity that is not good, and for a guest
            where the widget is for known people only.
    """
    identity = _signed(widget, signed) if signed else _site_user(request)
    if identity is None and not widget.anonymous:
        raise invalid_token(str(SIGN_IN_FIRST))
    return identity


def _signed(widget: Widget, signed: str) -> Identity:
    try:
        return read_identity(signed, secret=widget.identity_secret, audience=widget.key)
    except InvalidIdentity as error:
        logger.warning("an identity for widget %s was refused: %s", widget.key, error)
        raise invalid_token() from None


def _site_user(request: HttpRequest) -> Identity | None:
    user = getattr(request, "user", None)
    if not chatwidget_settings.SITE_USERS or user is None or not is_own_page(request):
        # Without a page of ours as Origin the cookie proves nothing: any page can send it.
        return None
    if not user.is_authenticated:
        return None
    return Identity(
        external_id=f"{USER_PREFIX}{user.pk}",
        name=user.get_full_name() or user.get_username(),
        email=getattr(user, user.get_email_field_name(), "") or "",
        user_id=user.pk,
    )
