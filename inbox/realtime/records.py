"""Durable events as values: one record, two audiences, two numberings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

import msgspec
from django.db.models import Q

from inbox.models import Attachment, Event, EventKind, Message

Audience = Literal["visitor", "operator"]

PAGE_SIZE = 200
"""Events that one page of a replay holds at most."""

encode_json = msgspec.json.Encoder().encode


@lru_cache(maxsize=256)
def timestamp(moment: dt.datetime) -> str:
    """The wire's time: UTC, ISO 8601 with milliseconds and ``Z``."""
    utc = moment.astimezone(dt.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One durable event as the bus and the hub carry it."""

    conversation_id: str
    seq: int
    """Operators' number."""
    visitor_seq: int | None
    """Visitor's number; None when the visitor may not see it."""
    kind: str
    body: dict[str, Any]
    """The frame's fields for everybody."""
    operator_body: dict[str, Any] = {}
    """Fields that only operators are sent."""

    def number(self, audience: Audience) -> int | None:
        """This event's ``seq`` for a reader of that audience; None when hidden."""
        return self.seq if audience == "operator" else self.visitor_seq

    def frame(self, audience: Audience) -> dict[str, Any]:
        """The wire frame; call it for the visitor only when ``visitor_seq`` is set."""
        if audience == "visitor":
            return {"type": self.kind, "seq": self.visitor_seq, **self.body}
        return {
            "type": self.kind,
            "seq": self.seq,
            "conversation_id": self.conversation_id,
            **self.body,
            **self.operator_body,
        }


def attachment_body(attachment: Attachment) -> dict[str, Any]:
    """The wire's description of a file."""
    return {
        "id": str(attachment.id),
        "name": attachment.name,
        "size": attachment.size,
        "type": attachment.content_type,
        "url": attachment.file.url if attachment.file else "",
    }


def message_body(message: Message, attachments: Iterable[Attachment] = ()) -> dict[str, Any]:
    """The wire's ``message`` fields that everybody is sent."""
    author: dict[str, Any] = {"name": message.author_name}
    if message.author_avatar:
        author["avatar"] = message.author_avatar
    body: dict[str, Any] = {
        "id": str(message.id),
        "role": message.role,
        "author": author,
        "content": message.content,
        "attachments": [attachment_body(file) for file in attachments],
        "sources": message.sources,
        "quick_replies": message.quick_replies,
        "timestamp": timestamp(message.created_at),
    }
    if message.client_id:
        body["client_id"] = message.client_id
    return body


def message_operator_body(message: Message) -> dict[str, Any]:
    """The fields of a ``message`` that only operators are sent."""
    body: dict[str, Any] = {"kind": message.kind}
    if message.outcome:
        body["outcome"] = message.outcome
    return body


def to_record(event: Event) -> Record:
    """One stored event as a record; its message must be loaded."""
    if event.kind == EventKind.MESSAGE and event.message is not None:
        message = event.message
        body = message_body(message, message.attachments.all())
        operator_body = message_operator_body(message)
    else:
        body, operator_body = event.payload, {}
    return Record(
        conversation_id=str(event.conversation_id),
        seq=event.seq,
        visitor_seq=event.visitor_seq,
        kind=event.kind,
        body=body,
        operator_body=operator_body,
    )


class PageRequest(msgspec.Struct, frozen=True):
    """What one reader is missing: events of a conversation after ``since`` in its numbering."""

    conversation_id: uuid.UUID
    audience: Audience
    since: int


def load_pages(requests: list[PageRequest]) -> list[list[Record]]:
    """Read the next page of many readers with a constant number of statements.

    Args:
        requests: at most a few hundred; each gets its own page.

    Returns:
        For each request up to ``PAGE_SIZE`` records in order, empty when nothing is missing.
    """
    wanted = Q()
    for request in set(requests):
        numbering = "seq" if request.audience == "operator" else "visitor_seq"
        wanted |= Q(
            **{
                "conversation_id": request.conversation_id,
                f"{numbering}__gt": request.since,
                f"{numbering}__lte": request.since + PAGE_SIZE,
            }
        )
    events = (
        Event.objects.filter(wanted)
        .select_related("message")
        .prefetch_related("message__attachments")
        .order_by("conversation_id", "seq")
    )
    by_conversation: dict[str, list[Record]] = {}
    for event in events:
        record = to_record(event)
        by_conversation.setdefault(record.conversation_id, []).append(record)
    return [_page(by_conversation.get(str(r.conversation_id), []), r) for r in requests]


def _page(records: list[Record], request: PageRequest) -> list[Record]:
    last = request.since + PAGE_SIZE
    return [
        record
        for record in records
        if (number := record.number(request.audience)) is not None
        and request.since < number <= last
    ]
