"""The queue: oldest first, to the least busy operator who is present and has room.

Each assignment is a transaction of its own that locks the operator, then the conversation;
two processes draining at once therefore never give anybody more than they can hold.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from enum import Enum, auto

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inbox.actions.journal import Journal
from inbox.actions.ownership import set_owner
from inbox.assignment import lines
from inbox.assignment.desk import Desk, load_of
from inbox.assignment.positions import publish_positions
from inbox.conf import inbox_settings
from inbox.database import retrying
from inbox.models import Conversation, HandledBy, Operator, Status
from inbox.outages import tell

logger = logging.getLogger("frontdesk.queue")

PASS_SIZE = 50
"""Conversations looked at before presence is read again."""


class Outcome(Enum):
    """What became of one attempt to give a conversation to an operator."""

    GIVEN = auto()
    FULL = auto()
    """The operator left, or another process gave them their last place."""
    MOVED = auto()
    """Somebody else took the conversation out of this line."""


def drain(*, limit: int = 500) -> int:
    """Give waiting conversations to operators until nobody has room or nobody waits.

    Returns:
        How many were given.
    """
    given = 0
    while given < limit:
        desk = Desk.load(timezone.now())
        waiting = list(_waiting(desk, min(PASS_SIZE, limit - given))) if desk.has_room() else []
        if not waiting:
            break
        outcomes = [_place(desk, conversation_id, team_id) for conversation_id, team_id in waiting]
        given += outcomes.count(Outcome.GIVEN)
        if Outcome.GIVEN not in outcomes and Outcome.MOVED not in outcomes:
            break
    return given


def drain_soon() -> None:
    """Drain after the present transaction has committed, in this thread."""
    transaction.on_commit(drain_now)


def drain_now() -> None:
    """Drain and tell those who wait where they stand; trouble is logged, the sweep repeats it.

    It runs after somebody else's commit, whose caller must not fail for it.
    """
    try:
        drain()
        publish_positions()
    except Exception as error:
        tell(logger, "draining the queue failed; the next sweep tries again", error)


def _waiting(desk: Desk, limit: int) -> Iterator[tuple[uuid.UUID, int | None]]:
    """The oldest conversations that one of the free operators may take."""
    teams = desk.teams_with_room()
    rows = Conversation.objects.queued().filter(Q(team=None) | Q(team__in=teams))
    yield from rows.values_list("id", "team_id")[:limit]


def _place(desk: Desk, conversation_id: uuid.UUID, team_id: int | None) -> Outcome:
    while (operator_id := desk.pick(team_id)) is not None:
        outcome = _give(operator_id, conversation_id)
        if outcome is Outcome.FULL:
            desk.fill(operator_id)
            continue
        if outcome is Outcome.GIVEN:
            desk.add(operator_id)
        return outcome
    return Outcome.FULL


def _give_once(operator_id: int, conversation_id: uuid.UUID) -> Outcome:
    with transaction.atomic():
        operator = _lock_present(operator_id)
        if operator is None or load_of(operator) >= operator.capacity:
            return Outcome.FULL
        journal = Journal.lock([conversation_id])
        conversation = journal.conversations.get(conversation_id)
        if conversation is None or not _waits_for(conversation, operator):
            return Outcome.MOVED
        set_owner(
            journal,
            conversation,
            handled_by=HandledBy.OPERATOR,
            operator=operator,
            actor="queue",
        )
        journal.add_system_line(conversation, lines.joined(conversation, operator))
        journal.write()
    return Outcome.GIVEN


_give = retrying(_give_once)


def _lock_present(operator_id: int) -> Operator | None:
    # NO KEY UPDATE: inserting a message that refers to this operator need not wait, so a
    # batch that holds the conversation can never stand in a circle with us.
    return (
        Operator.objects.present(timezone.now(), inbox_settings.PRESENCE_LEASE_SECONDS)
        .select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(pk=operator_id)
        .first()
    )


def _waits_for(conversation: Conversation, operator: Operator) -> bool:
    return (
        conversation.status == Status.OPEN
        and conversation.handled_by == HandledBy.QUEUE
        and (
            conversation.team_id is None or operator.teams.filter(pk=conversation.team_id).exists()
        )
    )
