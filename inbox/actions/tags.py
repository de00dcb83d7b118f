"""Labels on conversations."""

from __future__ import annotations

import uuid

from django.db import transaction

from inbox.actions.guards import actor_of
from inbox.actions.journal import Journal
from inbox.database import retrying
from inbox.errors import RefusedError
from inbox.models import Operator, Tag
from inbox.texts import check_text

MAX_NAME_CHARS = 40


def _add_tag(*, conversation_id: uuid.UUID, name: str, operator: Operator | None = None) -> Tag:
    """Put a label on a conversation; a new name makes a new label, in any case of letters.

    Raises:
        InboxError: ``not_found``, ``invalid_field`` (empty), ``too_long``, ``invalid_text``.
    """
    check_text(name, "name")
    name = " ".join(name.split())
    if not name:
        raise RefusedError("invalid_field", field="name")
    if len(name) > MAX_NAME_CHARS:
        raise RefusedError("too_long", field="name")
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        tag = Tag.objects.filter(name__iexact=name).first() or Tag.objects.create(name=name)
        if not conversation.tags.filter(pk=tag.pk).exists():
            conversation.tags.add(tag)
            journal.add_change(conversation, actor=actor_of(operator), visible=False)
            journal.write()
    return tag


add_tag = retrying(_add_tag)


def _remove_tag(
    *,
    conversation_id: uuid.UUID,
    name: str = "",
    tag_id: int | None = None,
    operator: Operator | None = None,
) -> bool:
    """Take a label off, by name or id; False when it was not there."""
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        worn = (
            conversation.tags.filter(name__iexact=name)
            if tag_id is None
            else (conversation.tags.filter(pk=tag_id))
        )
        tag = worn.first()
        if tag is None:
            return False
        conversation.tags.remove(tag)
        journal.add_change(conversation, actor=actor_of(operator), visible=False)
        journal.write()
    return True


remove_tag = retrying(_remove_tag)
