"""What an operator's list is told of a conversation."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language

from inbox.models import Conversation
from inbox.realtime.batches import Change
from inbox.realtime.records import timestamp


def summary_body(conversation: Conversation, language: str | None = None) -> dict[str, Any]:
    """The wire's ``summary`` frame of a conversation; visitor, team and operator must be loaded.

    Args:
        language: what ``get_language`` says, from callers with many conversations.
    """
    # Each look at a neighbour goes through Django's descriptors.
    visitor, team, operator = conversation.visitor, conversation.team, conversation.operator
    body: dict[str, Any] = {
        "type": "summary",
        "conversation_id": str(conversation.id),
        "head": conversation.head,
        "status": conversation.status,
        "handled_by": conversation.handled_by,
        "preview": conversation.preview,
        "preview_role": conversation.preview_role,
        "updated_at": timestamp(conversation.updated_at),
        "visitor": {
            "id": str(visitor.public_id),
            "name": visitor.name_in(language or get_language()),
            "verified": visitor.verified,
        },
    }
    if team is not None:
        body["team"] = {"id": conversation.team_id, "name": team.name}
    if conversation.snoozed_until is not None:
        body["snoozed_until"] = timestamp(conversation.snoozed_until)
    if operator is not None:
        body["operator"] = {"id": conversation.operator_id, "name": operator.name}
    if conversation.waiting_since is not None:
        body["waiting_since"] = timestamp(conversation.waiting_since)
    return body


def as_change(conversation: Conversation) -> Change:
    """A stored conversation as the change that its readers may have missed."""
    return Change(
        conversation_id=str(conversation.id),
        visitor_id=conversation.visitor_id,
        head=conversation.head,
        visitor_head=conversation.visitor_head,
        ownership=conversation.ownership,
        team_id=conversation.team_id,
        previous_team_id=conversation.team_id,
        operator_id=conversation.operator_id,
        summary=summary_body(conversation),
    )
