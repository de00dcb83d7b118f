"""A guest turns out to be a person who is known already: their conversations move over."""

from __future__ import annotations

import uuid

from django.db import transaction

from inbox.actions.journal import Journal
from inbox.errors import CloseCode
from inbox.models import Attachment, Conversation, Message, Role, Status, Visitor
from inbox.realtime.publish import publish_control


def merge_guest(*, guest_id: int, person_id: int) -> bool:
    """Hand a guest's conversations to a known person; inside the caller's transaction.

    Locks conversations before visitors, as closing does.

    Returns:
        False when there is nothing to merge: no such guest, blocked, or merged already.
    """
    pointers = Visitor.objects.filter(pk__in=[guest_id, person_id]).values_list(
        "session_id", flat=True
    )
    owned = Conversation.objects.filter(visitor_id=guest_id).values_list("id", flat=True)
    journal = Journal.lock([*pointers, *owned])
    visitors = {
        visitor.pk: visitor
        for visitor in Visitor.objects.select_for_update()
        .filter(pk__in=[guest_id, person_id])
        .order_by("pk")
    }
    guest, person = visitors.get(guest_id), visitors[person_id]
    if guest is None or guest.verified or guest.merged_into_id or guest.blocked_at:
        return False
    # What began between our look and our lock. Nothing can begin any more: a new row refers
    # to the guest, and we hold the guest.
    begun = set(owned.all()) - set(journal.conversations)
    if begun:
        journal.extend(begun)
    _move_pointer(guest, person)
    _move_conversations(journal, guest, person)
    _move_keys(guest, person)
    Attachment.objects.filter(visitor=guest).update(visitor=person)
    guest.merged_into = person
    guest.token_epoch += 1
    guest.save(update_fields=["session_id", "merged_into", "token_epoch"])
    person.save(update_fields=["session_id"])
    transaction.on_commit(
        lambda: publish_control("visitor", id=guest_id, close_code=int(CloseCode.UNAUTHORIZED))
    )
    return True


def _move_pointer(guest: Visitor, person: Visitor) -> None:
    """The guest's open conversation becomes the person's, unless they have one."""
    pointer, guest.session_id = guest.session_id, uuid.uuid4()
    if _is_open(pointer) and not _is_open(person.session_id):
        person.session_id = pointer


def _is_open(conversation_id: uuid.UUID) -> bool:
    rows = Conversation.objects.filter(pk=conversation_id)
    return rows.exclude(status=Status.CLOSED).exists()


def _move_conversations(journal: Journal, guest: Visitor, person: Visitor) -> None:
    Conversation.objects.filter(visitor=guest).update(visitor=person)
    for conversation in journal.conversations.values():
        if conversation.visitor_id == guest.pk:
            conversation.visitor = person
            if not conversation.is_closed:
                # Operators see who it is now; to the visitor nothing happened.
                journal.add_change(conversation, actor=f"visitor:{person.pk}", visible=False)
    journal.write()


def _move_keys(guest: Visitor, person: Visitor) -> None:
    """Resends by the same browser, which is now the person's, must find what is stored."""
    old, new = f"v{guest.pk}:", f"v{person.pk}:"
    messages = Message.objects.filter(
        conversation__visitor=person, role=Role.USER, dedupe_key__startswith=old
    )
    keys = messages.values_list("dedupe_key", flat=True)
    wanted = {key: new + key.removeprefix(old) for key in keys if key}
    # The person may have used the same client_id; then their own message keeps it.
    taken = set(
        Message.objects.filter(dedupe_key__in=wanted.values()).values_list("dedupe_key", flat=True)
    )
    for before, after in wanted.items():
        if after not in taken:
            Message.objects.filter(dedupe_key=before).update(dedupe_key=after)
