"""Into the queue: the one place that puts a locked conversation in line for a person."""

from __future__ import annotations

from inbox.actions.journal import Journal
from inbox.actions.ownership import set_owner
from inbox.assignment import lines
from inbox.assignment.packet import Packet, complete, said_so_far, store
from inbox.assignment.people import People, is_here, lease_began
from inbox.assignment.queue import drain_soon
from inbox.models import Conversation, Event, EventKind, HandledBy, Status


def put_in_queue(
    journal: Journal,
    conversation: Conversation,
    *,
    people: People,
    team_id: int | None = None,
    packet: Packet | None = None,
    actor: str = "",
) -> None:
    """Queue a locked conversation, tell the visitor the truth, and drain after commit.

    Args:
        people: who is there now.
        team_id: the line it joins; None leaves the team as it is.
        packet: what the bot knew; stored with the transition. None: no bot was at it.
    """
    waits_since = conversation.queued_at
    conversation.status, conversation.snoozed_until = Status.OPEN, None
    set_owner(
        journal,
        conversation,
        handled_by=HandledBy.QUEUE,
        team=people.teams.get(team_id) if team_id else None,
        outcome="handed_over" if packet else "cancelled",
        actor=actor,
    )
    # Moving from one line to another does not begin the wait anew.
    conversation.queued_at = waits_since or journal.now
    conversation.waiting_since = conversation.waiting_since or journal.now
    if packet:
        # After set_owner: what the bot had said of a cut answer is part of what was tried.
        said = said_so_far(conversation, journal)
        store(complete(packet, conversation, said), conversation, seq=conversation.head)
    journal.add_system_line(conversation, lines.waiting(conversation, people))
    drain_soon()


def back_in_line(
    journal: Journal,
    conversation: Conversation,
    *,
    people: People | None = None,
    actor: str = "presence",
) -> None:
    """Queue again what an operator left unanswered; the wait counts from the visitor's words."""
    conversation.queued_at = conversation.waiting_since
    put_in_queue(journal, conversation, people=people or People.load(journal.now), actor=actor)


def wake_up(journal: Journal, conversation: Conversation, *, actor: str) -> None:
    """Open a locked snoozed conversation again; to the visitor it was never away."""
    conversation.status = Status.OPEN
    conversation.snoozed_until = None
    journal.add_change(conversation, actor=actor, visible=False)
    if conversation.waiting_since is not None and is_abandoned(conversation, journal):
        back_in_line(journal, conversation)
    drain_soon()


def is_abandoned(conversation: Conversation, journal: Journal) -> bool:
    """Whether the operator of this locked conversation is gone.

    Being given a conversation counts as a sign of life for that conversation: a colleague
    who was handed one on purpose has the length of the lease to come to their page.
    """
    operator = conversation.operator
    if conversation.handled_by != HandledBy.OPERATOR:
        return False
    if operator is None or not operator.user.is_active:
        return True
    if is_here(operator, journal.now):
        return False
    given = (
        Event.objects.filter(
            conversation=conversation,
            kind=EventKind.CONVERSATION,
            created_at__gte=lease_began(journal.now),
            # A label or the end of a snooze, which visitors are not told of, gives nothing.
            visitor_seq__isnull=False,
        )
        .order_by("-seq")
        .first()
    )
    return given is None or given.payload.get("operator", {}).get("id") != operator.pk
