"""Presence: a lease in the database that every sign of life renews."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inbox.actions.journal import Journal
from inbox.actions.queueing import back_in_line, is_abandoned
from inbox.assignment.attendance import tell_presence_soon
from inbox.assignment.people import lease_began
from inbox.assignment.queue import drain_soon
from inbox.database import retrying
from inbox.models import Conversation, HandledBy, Operator, Status
from inbox.realtime.publish import publish_control

TOUCH_SECONDS = 1.0
"""Signs of life closer together than this are written once."""


def _set_available(*, operator: Operator, available: bool) -> Operator:
    """Whether the queue may give this operator conversations; also a sign of life.

    Going away keeps what one has: only new conversations go to others.
    """
    with transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(
            available=available, last_seen_at=timezone.now()
        )
        transaction.on_commit(lambda: publish_control("operator", id=operator.pk))
        tell_presence_soon()
        if available:
            drain_soon()
    operator.refresh_from_db(fields=["available", "last_seen_at"])
    return operator


set_available = retrying(_set_available)


def _touch(*, operator_id: int) -> None:
    """A sign of life: a heartbeat of the operator's page or anything that they did.

    Who was gone and is available may be given conversations again at once.
    """
    now = timezone.now()
    row = Operator.objects.filter(pk=operator_id)
    was = row.values_list("last_seen_at", "available").first()
    if was is None:
        return
    seen_at, available = was
    if seen_at is not None and now - seen_at < dt.timedelta(seconds=TOUCH_SECONDS):
        return
    # Never backwards: a slower process may carry an older moment.
    row.filter(Q(last_seen_at=None) | Q(last_seen_at__lt=now)).update(last_seen_at=now)
    if available and (seen_at is None or seen_at < lease_began(now)):
        tell_presence_soon()
        drain_soon()


touch = retrying(_touch)


def set_capacity(*, operator: Operator, capacity: int) -> None:
    """How many conversations at once the queue may give; more room is used at once."""
    with transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(capacity=capacity)
        drain_soon()


def expire_presence() -> int:
    """Queue again what operators who are gone left unanswered; answered ones stay theirs.

    Returns:
        How many conversations went back into the queue.
    """
    gone = Q(operator=None) | Q(operator__user__is_active=False)
    gone |= Q(operator__last_seen_at=None)
    gone |= Q(operator__last_seen_at__lt=lease_began(timezone.now()))
    left = Conversation.objects.open().filter(
        gone, handled_by=HandledBy.OPERATOR, waiting_since__isnull=False
    )
    ids = left.order_by("waiting_since").values_list("id", flat=True)
    return sum([_queue_again(conversation_id) for conversation_id in ids])


@retrying
def _queue_again(conversation_id: uuid.UUID) -> bool:
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal.conversations.get(conversation_id)
        if (
            conversation is None
            or conversation.status != Status.OPEN
            or conversation.waiting_since is None
            or not is_abandoned(conversation, journal)
        ):
            return False
        back_in_line(journal, conversation)
        journal.write()
    return True
