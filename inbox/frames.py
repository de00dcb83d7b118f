"""What an operator's page may say over its socket, typed; commands go over HTTP."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Subscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Follow a conversation after ``since``; ``html`` asks for rendered pieces beside frames."""

    conversation_id: uuid.UUID
    since: Seq = 0
    html: bool = False


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Follow it no longer."""

    conversation_id: uuid.UUID


class Typing(msgspec.Struct, frozen=True, kw_only=True):
    """The operator began or stopped writing a reply."""

    conversation_id: uuid.UUID
    is_typing: bool


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """Available or away."""

    available: bool


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """Is anybody there?"""


CLIENT_FRAMES: dict[str, type[Any]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "typing": Typing,
    "presence": Presence,
    "ping": Ping,
}
"""Every ``type`` of an operator's client and its fields; unknown extra fields are ignored."""
