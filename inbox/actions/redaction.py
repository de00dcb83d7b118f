"""Taking words out of the record for good, from every copy that the core keeps."""

from __future__ import annotations

import uuid
from functools import partial

from django.db import transaction

from inbox.actions.guards import actor_of
from inbox.actions.journal import Journal
from inbox.database import retrying
from inbox.errors import not_found
from inbox.models import Attachment, Conversation, Event, EventKind, Handoff, Message, Operator
from inbox.texts import clip

QUOTED_LENGTHS = (1000, 300, 200, 140)
"""How long the clips are that a hand-off packet quotes."""


def _redact(*, message_id: uuid.UUID, operator: Operator | None = None) -> Message:
    """Empty a message, delete its files, and tell readers; its place and number stay.

    Raises:
        InboxError: ``not_found``.
    """
    where = Message.objects.filter(pk=message_id).values_list("conversation_id", flat=True).first()
    if where is None:
        raise not_found()
    with transaction.atomic():
        journal = Journal.lock([where])
        conversation = journal[where]
        message = Message.objects.get(pk=message_id)
        if message.redacted_at is not None:
            return message
        words = message.content
        names = _delete_files(message)
        message.content, message.sources, message.quick_replies = "", [], []
        message.redacted_at = journal.now
        message.save(update_fields=["content", "sources", "quick_replies", "redacted_at"])
        _forget_earlier_versions(message)
        _forget_quotes(conversation, words)
        if conversation.preview == clip(words or names, 160):
            conversation.preview = ""
        journal.add_update(conversation, message, reason="redacted", actor=actor_of(operator))
        journal.write()
    return message


redact = retrying(_redact)


def _delete_files(message: Message) -> str:
    """Delete the attachments; the files go when the transaction has committed."""
    files = list(Attachment.objects.filter(message=message).order_by("position"))
    for attachment in files:
        stored = attachment.file
        if stored:
            transaction.on_commit(partial(stored.storage.delete, str(stored.name)))
        attachment.delete()
    return ", ".join(attachment.name for attachment in files)


def _forget_earlier_versions(message: Message) -> None:
    """An edit's event holds the text as it was edited to."""
    edits = Event.objects.filter(
        conversation_id=message.conversation_id,
        kind=EventKind.MESSAGE_UPDATED,
        payload__id=str(message.pk),
    )
    for event in edits:
        event.payload = {**event.payload, "content": None, "reason": "redacted"}
        event.save(update_fields=["payload"])


def _forget_quotes(conversation: Conversation, words: str) -> None:
    """Hand-off packets quote what was said."""
    quotes = {words.strip(), *(clip(words, length) for length in QUOTED_LENGTHS)} - {""}
    fields = ("summary", "tried", "question", "suggested_reply")
    for packet in Handoff.objects.filter(conversation=conversation):
        for field in fields:
            text = getattr(packet, field)
            for quote in sorted(quotes, key=len, reverse=True):
                text = text.replace(quote, "…")
            setattr(packet, field, text)
        packet.save(update_fields=fields)
