"""The first row of a conversation: inserted once, whoever comes first, under its visitor."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils import timezone

from inbox.models import Conversation, Visitor


def new_conversation(visitor: Visitor, *, bot_key: str, team_id: int | None) -> Conversation:
    """The conversation that a visitor's pointer promises, not stored yet."""
    return Conversation(
        id=visitor.session_id,
        visitor=visitor,
        widget_key=visitor.widget_key,
        bot_key=bot_key,
        team_id=team_id,
        language=visitor.language,
        updated_at=timezone.now(),
    )


def begin(conversations: Iterable[Conversation]) -> set[uuid.UUID]:
    """Insert conversations inside the caller's transaction, or find that they exist.

    Insert-or-nothing in id order: two processes that begin the same conversation end with one
    row, and neither waits for the other in a circle. Then the visitors are locked and looked
    at again: a merge or a reopening may have moved a pointer since it was read, and the
    foreign key, which is checked at commit, would not notice.

    Returns:
        The ids that their visitors still point at; rows of others are gone again.
    """
    rows = sorted(conversations, key=lambda conversation: conversation.id)
    ids = {row.id for row in rows}
    Conversation.objects.bulk_create(rows, ignore_conflicts=True)
    pointing = (
        Visitor.objects.select_for_update(no_key=True)
        .filter(session_id__in=ids, merged_into=None)
        .order_by("pk")
        .values_list("session_id", flat=True)
    )
    kept = set(pointing)
    if len(kept) < len(ids):
        Conversation.objects.filter(id__in=ids - kept, head=0).delete()
    return kept
