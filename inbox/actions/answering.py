"""How a bot's answer becomes a message: only while the ownership number still matches."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from inbox.actions.journal import Journal
from inbox.actions.ownership import stop_bot
from inbox.database import retrying
from inbox.models import Conversation, HandledBy, Role, Status


def _finish_answer(
    *,
    conversation_id: uuid.UUID,
    ownership: int,
    turn_key: str,
    message_id: uuid.UUID,
    content: str,
    author_name: str,
    author_avatar: str = "",
    sources: Sequence[dict[str, Any]] = (),
    quick_replies: Sequence[str] = (),
    outcome: str = "done",
    answered: bool = True,
    also: Callable[[Journal, Conversation], bool] | None = None,
) -> bool:
    """Store a bot's answer if the bot still answers this conversation.

    Args:
        ownership: the number under which the answer was begun.
        turn_key: makes the answer unique; a second one of the same turn stores nothing.
        content: the text; empty stores no message, but ``also`` still runs.
        answered: whether the visitor's words count as answered now.
        also: runs inside the transaction with the locked row, before the message is added:
            the caller ends its own row there. False means that the caller lost its claim,
            and nothing is written.

    Returns:
        Whether it was stored; False when a person has taken over, the conversation has
        moved on, or ``also`` refused.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        if conversation_id not in journal:
            return False
        conversation = journal[conversation_id]
        if not bot_may_write(conversation, ownership):
            return False
        if also is not None and not also(journal, conversation):
            transaction.set_rollback(True)
            return False
        if content:
            journal.add_message(
                conversation,
                role=Role.ASSISTANT,
                content=content,
                author_name=author_name,
                author_avatar=author_avatar,
                sources=sources,
                quick_replies=quick_replies,
                outcome=outcome,
                message_id=message_id,
                dedupe_key=f"t{turn_key}",
                actor=f"bot:{conversation.bot_key}",
            )
        if answered and outcome == "done":
            conversation.waiting_since = None
        journal.write()
    return True


finish_answer = retrying(_finish_answer)


def bot_may_write(conversation: Conversation, ownership: int) -> bool:
    """Whether an answer begun under this ownership number may still be stored."""
    return (
        conversation.ownership == ownership
        and conversation.handled_by == HandledBy.BOT
        and conversation.status != Status.CLOSED
    )


def _stop_answer(*, conversation_id: uuid.UUID) -> bool:
    """End the streaming answer at the visitor's wish; what was shown is stored as cancelled.

    The bot keeps the conversation. Returns whether there was something to stop.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        if conversation_id not in journal:
            return False
        stopped = stop_bot(journal, journal[conversation_id], outcome="cancelled")
        journal.write()
    return stopped


stop_answer = retrying(_stop_answer)
