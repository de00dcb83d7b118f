"""Conversations with a past: `python -m benchmarks.references.tutorial.history COUNT MESSAGES
MISSED` prints, by name, the id after which so many messages are missing."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from benchmarks.references.tutorial.models import Conversation, Message  # noqa: E402

CONTENT = "The lamp that I ordered has not come yet. Could you see where it is?"


def fill(count: int, messages: int, missed: int) -> dict[str, int]:
    """Make the rows."""
    conversations = Conversation.objects.bulk_create(
        Conversation(name=f"past-{number}") for number in range(count)
    )
    written = Message.objects.bulk_create(
        (
            Message(conversation=conversation, role="user", content=CONTENT)
            for conversation in conversations
            for _ in range(messages)
        ),
        batch_size=1000,
    )
    last_seen = written[messages - missed - 1 :: messages]
    return {
        conversation.name: message.pk
        for conversation, message in zip(conversations, last_seen, strict=True)
    }


print(json.dumps(fill(*map(int, sys.argv[1:]))))
