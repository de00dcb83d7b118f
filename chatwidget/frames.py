"""What a visitor's client may say, typed: the frames of the socket and of ``POST frames``.

A message's own limits (blank, too long, unstorable) are decided where it is stored, the same for
every channel; pages and titles are claims that are clipped, never refused.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta

ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Attachments = Annotated[list[uuid.UUID], Meta(max_length=10)]


class MessageFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Words, files, or the choice of a suggested reply."""

    client_id: ClientId
    content: str
    attachments: Attachments | None = None
    quick_reply: Annotated[str, Meta(max_length=200)] | None = None


class TypingFrame(msgspec.Struct, frozen=True, kw_only=True):
    """The visitor began or stopped typing."""

    is_typing: bool


class ReadFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up to ``seq`` was seen."""

    seq: Seq


class ResumeFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Send what came after ``since`` again."""

    since: Seq


class StopFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Stop the answer that is streaming."""


class RequestHumanFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a person."""


class RequestBotFrame(msgspec.Struct, frozen=True, kw_only=True):
    """While queued: back to the bot."""


class PageFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Where the visitor is now. A claim: it is shown, never followed."""

    url: str
    title: str | None = None


class RatingFrame(msgspec.Struct, frozen=True, kw_only=True):
    """How it was, 1 to 5."""

    score: Annotated[int, Meta(ge=1, le=5)]
    comment: Annotated[str, Meta(max_length=2000)] | None = None


class PingFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Is anybody there?"""


CLIENT_FRAMES: dict[str, type[Any]] = {
    "message": MessageFrame,
    "typing": TypingFrame,
    "read": ReadFrame,
    "resume": ResumeFrame,
    "stop": StopFrame,
    "request_human": RequestHumanFrame,
    "request_bot": RequestBotFrame,
    "page": PageFrame,
    "rating": RatingFrame,
    "ping": PingFrame,
}
"""Every ``type`` of a visitor's client and its fields; unknown extra fields are ignored."""


class PageClaim(msgspec.Struct, frozen=True):
    """The page on which the chat was opened."""

    url: str | None = None
    title: str | None = None
    referrer: str | None = None


class SessionBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of ``POST session``. ``null`` is the same as absent."""

    widget: str
    token: str | None = None
    identity: str | None = None
    page: PageClaim | None = None
    locale: str | None = None


class QuestionBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of ``POST /api/chatbot``."""

    query: str
    stream: bool | None = None
    language: str | None = None
    widget: str | None = None
