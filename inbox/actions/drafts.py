"""Messages on their way in, and where they stand once stored."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from inbox.errors import TryAgainError
from inbox.models import MessageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorSender:
    """A visitor, by row id; the caller has verified the token."""

    visitor_id: int
    bot_key: str = "default"
    """The bot that a conversation begun by this message gets."""
    team_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSender:
    """An operator, by row id; the caller has checked that they may see the conversation."""

    operator_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message on its way in.

    Attributes:
        conversation_id: where the sender wrote it; a visitor's may not exist yet.
        client_id: 1-64 of ``[A-Za-z0-9_-]``, made by the sender; the same again is a resend.
        expected_seq: the last number the operator had read; refused as ``stale`` if older.
    """

    sender: VisitorSender | OperatorSender
    conversation_id: uuid.UUID
    client_id: str
    content: str
    kind: str = MessageKind.REPLY
    attachments: tuple[uuid.UUID, ...] = ()
    quick_reply: str = ""
    expected_seq: int | None = None

    @property
    def dedupe_key(self) -> str:
        """Unique per sender and ``client_id``: visitors everywhere, operators per conversation."""
        if isinstance(self.sender, VisitorSender):
            return f"v{self.sender.visitor_id}:{self.client_id}"
        return f"o{self.sender.operator_id}:{self.conversation_id}:{self.client_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a message stands. ``seq`` is in the sender's own numbering."""

    client_id: str
    id: uuid.UUID
    seq: int
    timestamp: dt.datetime
    conversation_id: uuid.UUID
    duplicate: bool


class Busy(TryAgainError):
    """Somebody else holds the conversation's row; the rest of the batch went on."""
