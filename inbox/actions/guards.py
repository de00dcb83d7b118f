"""What several transitions ask and say in the same words."""

from __future__ import annotations

from inbox.errors import RefusedError
from inbox.models import Conversation, Operator


def actor_of(operator: Operator | None) -> str:
    """How an event names the operator who did it."""
    return f"operator:{operator.pk}" if operator else ""


def refuse_closed(conversation: Conversation) -> None:
    """A closed conversation changes only after it is reopened."""
    if conversation.is_closed:
        raise RefusedError("conversation_closed", status=409)
