"""The visitor's verdict on a conversation."""

from __future__ import annotations

import uuid

from django.db import transaction

from inbox.actions.journal import Journal
from inbox.database import retrying
from inbox.errors import RefusedError, not_found
from inbox.models import Conversation
from inbox.texts import check_text

SCORES = range(1, 6)
MAX_COMMENT_CHARS = 2000


def _rate(
    *, conversation_id: uuid.UUID, score: int, comment: str = "", visitor_id: int | None = None
) -> Conversation:
    """Keep a score of 1-5 and a comment, also after the end; a later one replaces it.

    Args:
        visitor_id: whose conversation it must be; None when the caller has made sure.

    Raises:
        InboxError: ``not_found``, ``invalid_field``, ``invalid_text``, ``too_long``.
    """
    if isinstance(score, bool) or score not in SCORES:
        raise RefusedError("invalid_field", field="score")
    check_text(comment, "comment")
    if len(comment) > MAX_COMMENT_CHARS:
        raise RefusedError("too_long", field="comment")
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        if visitor_id is not None and conversation.visitor_id != visitor_id:
            raise not_found()
        if (conversation.rating, conversation.rating_comment) != (score, comment):
            conversation.rating, conversation.rating_comment = score, comment
            # Operators' pages refresh by it; the visitor knows what they said.
            actor = f"visitor:{conversation.visitor_id}"
            journal.add_change(conversation, actor=actor, visible=False)
            journal.write()
    return conversation


rate = retrying(_rate)
