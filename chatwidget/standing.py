"""Where a visitor stands: the conversation they see, its head, who has read how far."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Q
from django.utils import timezone

from inbox.conf import inbox_settings
from inbox.models import (
    Conversation,
    Event,
    EventKind,
    HandledBy,
    Installation,
    ReadMarker,
    Role,
    Status,
    Visitor,
)
from inbox.realtime.records import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One visitor in one conversation, which its first message may have yet to begin."""

    session_id: uuid.UUID
    epoch: str
    conversation: Conversation | None = None
    reads: dict[str, int] = field(default_factory=dict)
    """Wire role → the last number that side has read, in the visitor's numbering."""

    @property
    def head(self) -> int:
        """The last number in the visitor's numbering."""
        return self.conversation.visitor_head if self.conversation else 0

    @property
    def ownership(self) -> int:
        """The ownership number that belongs to what the visitor is told."""
        return self.conversation.ownership if self.conversation else 0

    @property
    def is_closed(self) -> bool:
        """Whether this conversation has ended."""
        return self.conversation is not None and self.conversation.is_closed


def load_standings(wanted: Sequence[tuple[int, uuid.UUID]]) -> list[Standing]:
    """The standing of many visitors with a constant number of statements.

    Args:
        wanted: visitor's row id and the conversation that they see. A conversation of somebody
            else is as good as none.
    """
    ids = {session_id for _, session_id in wanted}
    rows = Conversation.objects.filter(id__in=ids).select_related("operator__user").in_bulk()
    reads = _load_reads(ids)
    epoch = Installation.objects.current_epoch()
    standings = []
    for visitor_id, session_id in wanted:
        row = rows.get(session_id)
        is_theirs = row is not None and row.visitor_id == visitor_id
        standings.append(
            Standing(
                session_id=session_id,
                epoch=epoch,
                conversation=row if is_theirs else None,
                reads=reads.get(session_id, {}) if is_theirs else {},
            )
        )
    return standings


def load_standing(visitor: Visitor, session_id: uuid.UUID | None = None) -> Standing:
    """The standing of one visitor, by default in the conversation that they see now."""
    return load_standings([(visitor.pk, session_id or visitor.session_id)])[0]


def _load_reads(ids: set[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    found: dict[uuid.UUID, dict[str, int]] = {}
    rows = ReadMarker.objects.filter(conversation_id__in=ids).values_list(
        "conversation_id", "operator_id", "visitor_seq"
    )
    for conversation_id, operator_id, seq in rows:
        role = Role.USER.value if operator_id is None else Role.OPERATOR.value
        reads = found.setdefault(conversation_id, {})
        reads[role] = max(reads.get(role, 0), seq)
    return found


def conversation_body(conversation: Conversation | None) -> dict[str, Any] | None:
    """The wire's ``conversation`` for its visitor, who never hears of snoozing."""
    if conversation is None:
        return None
    snoozed = conversation.status == Status.SNOOZED
    body: dict[str, Any] = {
        "id": str(conversation.id),
        "status": Status.OPEN.value if snoozed else conversation.status,
        "handled_by": conversation.handled_by,
    }
    operator = conversation.operator
    if operator is not None and conversation.handled_by == HandledBy.OPERATOR:
        body["operator"] = {"id": operator.pk, "name": operator.name}
        if operator.avatar_url:
            body["operator"]["avatar"] = operator.avatar_url
    return body


def connected_frame(standing: Standing) -> dict[str, Any]:
    """The first frame of a socket or stream."""
    return {
        "type": "connected",
        "session_id": str(standing.session_id),
        "epoch": standing.epoch,
        "head": standing.head,
        "heartbeat_seconds": inbox_settings.HEARTBEAT_SECONDS,
        "limits": {
            "max_frame_bytes": inbox_settings.MAX_FRAME_BYTES,
            "max_message_chars": inbox_settings.MAX_MESSAGE_CHARS,
        },
        "conversation": conversation_body(standing.conversation),
        "reads": standing.reads,
        "timestamp": timestamp(timezone.now()),
    }


def reset_reason(standing: Standing, epoch: str | None, since: int) -> str | None:
    """Why a reader's place cannot be gone on from; None when it can."""
    if epoch is not None and epoch != standing.epoch:
        return "epoch"
    return "ahead" if since > standing.head else None


def place(since: str | None, epoch: str | None, standing: Standing) -> tuple[int, str | None]:
    """Where to go on from, and why not from where the client asked.

    After a reset live events go on from the head; the client asks for the rest.
    """
    if since is None or since == "":
        return 0, reset_reason(standing, epoch or None, 0)
    if not since.isascii() or not since.isdigit() or len(since) > 16:
        return standing.head, "ahead"
    reason = reset_reason(standing, epoch or None, int(since))
    return (standing.head if reason else int(since)), reason


def latest_closed(visitor: Visitor) -> Conversation | None:
    """The conversation that ended last."""
    return (
        Conversation.objects.filter(visitor=visitor, status=Status.CLOSED)
        .order_by("-closed_at", "-created_at")
        .first()
    )


def count_unread(visitor: Visitor) -> int:
    """Messages for the visitor behind their read mark.

    What was closed while they were away counts until they next open the chat.
    """
    conversation = Conversation.objects.filter(id=visitor.session_id, visitor=visitor).first()
    if conversation is None:
        conversation = latest_closed(visitor)
        seen = visitor.last_seen_at
        if conversation is None or (seen is not None and conversation.updated_at <= seen):
            return 0
    mark = ReadMarker.objects.filter(conversation=conversation, operator=None).aggregate(
        seq=Max("visitor_seq")
    )["seq"]
    return Event.objects.filter(
        Q(message__role=Role.ASSISTANT) | Q(message__role=Role.OPERATOR),
        conversation=conversation,
        kind=EventKind.MESSAGE,
        visitor_seq__gt=mark or 0,
    ).count()
