"""Reads identities that the host signed: JWT, HS256, short-lived, for exactly one widget.

Name and e-mail of a signed identity are the host's word; without a signature they are claims.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jwt

from chatwidget.validators import MINIMUM_SECRET_BYTES
from inbox.texts import clip

MAX_AGE_SECONDS = 3600
LEEWAY_SECONDS = 60
MAX_CHARS = 8192
MAX_SUBJECT_CHARS = 250
JWT_PREFIX = "jwt:"
USER_PREFIX = "user:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person whom the host vouches for. ``external_id`` is the key to their history."""

    external_id: str
    name: str = ""
    email: str = ""
    user_id: Any = None


class InvalidIdentity(Exception):
    """Why an identity is refused; for the host's log, not for visitors."""


def read_identity(text: str, *, secret: str, audience: str) -> Identity:
    """The person named by a signed identity; raises ``InvalidIdentity``.

    The algorithm is ours, never the header's; ``jku``, ``x5u`` and ``kid`` are not followed.
    ``exp`` is required and at most an hour away, so that a leaked identity ages quickly.
    """
    if len(secret.encode()) < MINIMUM_SECRET_BYTES:
        raise InvalidIdentity("this widget has no identity secret of 32 bytes or more")
    if len(text) > MAX_CHARS:
        raise InvalidIdentity("longer than 8 KB")
    claims = _verified_claims(text, secret, audience)
    if claims["exp"] > time.time() + MAX_AGE_SECONDS + LEEWAY_SECONDS:
        raise InvalidIdentity("exp is more than an hour away")
    subject = claims["sub"]
    if not subject.strip() or len(subject) > MAX_SUBJECT_CHARS or "\x00" in subject:
        raise InvalidIdentity("sub must be a text of 1 to 250 characters")
    return Identity(
        external_id=JWT_PREFIX + subject,
        name=_claim(claims, "name", 120),
        email=_claim(claims, "email", 254),
    )


def _verified_claims(text: str, secret: str, audience: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            secret,
            algorithms=["HS256"],
            audience=audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "aud", "sub"], "strict_aud": True},
        )
        if not isinstance(claims["exp"], (int, float)):
            raise TypeError("exp must be a number")
        claims["sub"].encode()
    # The claims are the host's, but the text is a stranger's: PyJWT lets through what int(),
    # the JSON parser and the base64 decoder raise for absurd values.
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidIdentity(f"{type(error).__name__}: {error}") from error
    return claims


def _claim(claims: dict[str, Any], name: str, limit: int) -> str:
    value = claims.get(name)
    return clip(value, limit) if isinstance(value, str) else ""
