"""What a widget's fields may hold; messages say what to write instead."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from chatwidget.colours import MINIMUM_CONTRAST, contrast, is_hex
from chatwidget.origins import NULL_ORIGIN, parse_origin

MINIMUM_SECRET_BYTES = 32
MAX_STARTERS = 4
MAX_STARTER_CHARS = 80


def validate_origins(text: str) -> None:
    """One exact origin per line; no path, no wildcard."""
    for line in text.splitlines():
        word = line.strip()
        if word and word.lower() != NULL_ORIGIN and parse_origin(word.lower()) is None:
            raise ValidationError(
                _(
                    "“%(line)s” is not an origin. Write scheme, host and, if it is not the "
                    "usual one, port, such as https://shop.example; nothing behind it, no *."
                ),
                params={"line": word},
            )


def validate_secret(secret: str) -> None:
    """HS256 is only as strong as its key: 32 bytes or more."""
    if secret and len(secret.encode()) < MINIMUM_SECRET_BYTES:
        raise ValidationError(
            _("The secret has %(size)d bytes; it needs at least %(minimum)d."),
            params={"size": len(secret.encode()), "minimum": MINIMUM_SECRET_BYTES},
        )


def validate_accent(colour: str) -> None:
    """A hex colour on which white text can be read."""
    if not is_hex(colour):
        raise ValidationError(_("Write the colour like #3f4fdb."))
    ratio = contrast(colour, "#ffffff")
    if ratio < MINIMUM_CONTRAST:
        raise ValidationError(
            _(
                "White text on this colour has a contrast of %(ratio).1f:1; "
                "people need at least 4.5:1. Choose a darker colour."
            ),
            params={"ratio": ratio},
        )


def validate_starters(value: Any) -> None:
    """A list of at most four short texts."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValidationError(_("Write a list of texts."))
    if len(value) > MAX_STARTERS:
        raise ValidationError(_("At most four starters fit."))
    if any(not text.strip() or len(text) > MAX_STARTER_CHARS for text in value):
        raise ValidationError(_("A starter has 1 to 80 characters."))


def validate_web_address(address: str) -> None:
    """An absolute ``https`` or ``http`` address, or a path of this site.

    The widget puts it into ``href`` and ``src``, so ``javascript:`` must never pass.
    """
    if address.startswith("/") and not address.startswith(("//", "/\\")):
        return
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValidationError(_("Write an address such as https://shop.example/page or /page."))
