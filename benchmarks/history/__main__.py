"""Fills the database of the product's environment, then says who is in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402 -- after the apps are loaded

from chatwidget.tokens import VisitorToken, issue_token  # noqa: E402
from inbox.models import Conversation, Event, EventKind, HandledBy, Message, Role, Visitor  # noqa: E402

WIDGET = "demo"
CONTENT = "The lamp that I ordered has not come yet. Could you see where it is?"


def fill(visitors: int, messages: int) -> list[str]:
    """Make the rows and return the visitors' tokens."""
    people = Visitor.objects.bulk_create(Visitor(widget_key=WIDGET) for _ in range(visitors))
    conversations = Conversation.objects.bulk_create(
        Conversation(
            id=person.session_id,
            visitor=person,
            widget_key=WIDGET,
            handled_by=HandledBy.BOT,
            head=messages,
            visitor_head=messages,
            updated_at=timezone.now(),
        )
        for person in people
    )
    for start in range(0, len(conversations), 200):
        _write(conversations[start : start + 200], messages)
    return [
        issue_token(VisitorToken(visitor=person.public_id, widget=WIDGET, epoch=0))
        for person in people
    ]


def _write(conversations: Sequence[Conversation], count: int) -> None:
    now = timezone.now()
    written = [
        Message(conversation=conversation, role=Role.USER, content=CONTENT, created_at=now)
        for conversation in conversations
        for _ in range(count)
    ]
    Message.objects.bulk_create(written)
    Event.objects.bulk_create(
        Event(
            conversation=message.conversation,
            seq=number % count + 1,
            visitor_seq=number % count + 1,
            kind=EventKind.MESSAGE,
            message=message,
            created_at=now,
        )
        for number, message in enumerate(written)
    )


print(json.dumps(fill(int(sys.argv[1]), int(sys.argv[2]))))
