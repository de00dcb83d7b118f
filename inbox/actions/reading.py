"""Read marks: monotone, kept in both numberings, told without a number."""

from __future__ import annotations

import uuid

from django.db import transaction

from inbox.database import retrying
from inbox.errors import RefusedError, not_found
from inbox.models import Conversation, Event, Operator, ReadMarker, Role
from inbox.realtime.publish import publish_ephemeral


def _mark_read(*, conversation_id: uuid.UUID, seq: int, operator: Operator | None = None) -> bool:
    """Note how far somebody has read.

    It takes no lock on the conversation: a mark orders nothing.

    Args:
        seq: in the reader's own numbering; what is beyond the head counts as the head.
        operator: who read; None is the visitor.

    Returns:
        Whether the mark moved. It never moves back.

    Raises:
        InboxError: ``not_found``, ``invalid_field`` (``seq`` below zero).
    """
    if seq < 0:
        raise RefusedError("invalid_field", field="seq")
    heads = (
        Conversation.objects.filter(pk=conversation_id).values_list("head", "visitor_head").first()
    )
    if heads is None:
        raise not_found()
    if operator is None:
        number, visitor_number = _of_visitor(conversation_id, min(seq, heads[1]))
    else:
        number, visitor_number = _of_operator(conversation_id, min(seq, heads[0]))
    with transaction.atomic():
        if not _advance(conversation_id, operator, number, visitor_number):
            return False
        role = Role.OPERATOR if operator else Role.USER
        frame = {"type": "read", "role": role.value}
        transaction.on_commit(
            lambda: publish_ephemeral(
                conversation_id,
                {**frame, "upto": visitor_number},
                operator_frame={**frame, "upto": number},
            )
        )
    return True


mark_read = retrying(_mark_read)


def _advance(
    conversation_id: uuid.UUID, operator: Operator | None, number: int, visitor_number: int
) -> bool:
    marks = ReadMarker.objects.filter(conversation_id=conversation_id, operator=operator)
    if not marks.exists():
        mark = ReadMarker(conversation_id=conversation_id, operator=operator)
        ReadMarker.objects.bulk_create([mark], ignore_conflicts=True)
    behind = (
        marks.filter(seq__lt=number) if operator else marks.filter(visitor_seq__lt=visitor_number)
    )
    return bool(behind.update(seq=number, visitor_seq=visitor_number))


def _of_visitor(conversation_id: uuid.UUID, visitor_number: int) -> tuple[int, int]:
    """Both numbers of what a visitor has read; 0 is before the first event."""
    row = Event.objects.filter(conversation_id=conversation_id, visitor_seq=visitor_number)
    return row.values_list("seq", flat=True).first() or 0, visitor_number


def _of_operator(conversation_id: uuid.UUID, number: int) -> tuple[int, int]:
    """Both numbers of what an operator has read; hidden events have none for the visitor."""
    rows = Event.objects.filter(
        conversation_id=conversation_id, seq__lte=number, visitor_seq__isnull=False
    )
    return number, rows.order_by("-seq").values_list("visitor_seq", flat=True).first() or 0
