"""What operators do with a conversation: take, hand back, close, reopen, snooze.

Each is one transaction on the locked row. Callers have found the conversation through a query
that the operator may see; here it is only asked whether the step is possible now.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.utils import timezone

from inbox.actions.assigning import assign, transfer
from inbox.actions.guards import actor_of, refuse_closed
from inbox.actions.handoff import give_to_bot, reroute
from inbox.actions.journal import Journal
from inbox.actions.ownership import set_owner
from inbox.actions.queueing import wake_up
from inbox.assignment import lines
from inbox.assignment.people import is_here
from inbox.assignment.queue import drain_soon
from inbox.database import retrying
from inbox.errors import RefusedError
from inbox.models import Conversation, HandledBy, Operator, Status, Visitor

__all__ = ["assign", "close", "hand_back", "reopen", "snooze", "take", "transfer", "wake"]


def _take(*, conversation_id: uuid.UUID, operator: Operator, force: bool = False) -> Conversation:
    """Answer this conversation oneself from now on, away or full as one may be.

    Args:
        force: take it even from a colleague.

    Raises:
        InboxError: ``not_found``; ``conversation_closed``; ``taken`` (409, with ``operator``)
            when a colleague holds it.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        refuse_closed(conversation)
        is_mine = conversation.operator_id == operator.pk
        if is_mine and conversation.status == Status.OPEN:
            return conversation
        if conversation.operator is not None and not is_mine and not force:
            raise _taken(conversation.operator)
        if is_mine:
            wake_up(journal, conversation, actor=actor_of(operator))
        else:
            conversation.status, conversation.snoozed_until = Status.OPEN, None
            set_owner(
                journal,
                conversation,
                handled_by=HandledBy.OPERATOR,
                operator=operator,
                actor=actor_of(operator),
            )
            journal.add_system_line(conversation, lines.joined(conversation, operator))
            drain_soon()
        journal.write()
    return conversation


take = retrying(_take)


def _hand_back(*, conversation_id: uuid.UUID, operator: Operator) -> Conversation:
    """Give the conversation back to its bot, which begins with a clean context.

    Raises:
        InboxError: ``not_found``, ``conversation_closed``, ``no_bot`` (409).
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        give_to_bot(journal, conversation, actor=actor_of(operator))
    return conversation


hand_back = retrying(_hand_back)


def _close(*, conversation_id: uuid.UUID, operator: Operator | None = None) -> Conversation:
    """End the conversation; the visitor's next message begins another one.

    Closing what is closed changes nothing. ``operator`` is None when no person closes it.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        if conversation.is_closed:
            return conversation
        set_owner(journal, conversation, handled_by=HandledBy.NOBODY, announce=False)
        conversation.status = Status.CLOSED
        conversation.closed_at = journal.now
        conversation.snoozed_until = conversation.waiting_since = None
        journal.add_change(conversation, actor=actor_of(operator))
        journal.write()
        Visitor.objects.filter(pk=conversation.visitor_id, session_id=conversation.id).update(
            session_id=uuid.uuid4()
        )
        drain_soon()
    return conversation


close = retrying(_close)


def _reopen(*, conversation_id: uuid.UUID, operator: Operator | None = None) -> Conversation:
    """Open a closed or snoozed conversation again; an open one stays as it is.

    A closed one goes to the operator who had it last if they are at their page, else to
    whoever the router says. The visitor sees it again unless they have begun another.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        if conversation.status == Status.SNOOZED:
            wake_up(journal, conversation, actor=actor_of(operator))
            journal.write()
        elif conversation.is_closed:
            conversation.status, conversation.closed_at = Status.OPEN, None
            _point_visitor_back(conversation)
            last = conversation.last_operator
            if last is not None and (last == operator or is_here(last, journal.now)):
                set_owner(
                    journal,
                    conversation,
                    handled_by=HandledBy.OPERATOR,
                    operator=last,
                    actor=actor_of(operator),
                )
                journal.add_system_line(conversation, lines.joined(conversation, last))
                journal.write()
            else:
                reroute(journal, conversation, actor=actor_of(operator))
    return conversation


reopen = retrying(_reopen)


def _snooze(
    *, conversation_id: uuid.UUID, until: dt.datetime, operator: Operator | None = None
) -> Conversation:
    """Put the conversation away until a moment or until the visitor writes.

    Raises:
        InboxError: ``not_found``, ``conversation_closed``, ``invalid_field`` (``until`` is
            not in the future or has no time zone).
    """
    if timezone.is_naive(until) or until <= timezone.now():
        raise RefusedError("invalid_field", field="until")
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        refuse_closed(conversation)
        conversation.status, conversation.snoozed_until = Status.SNOOZED, until
        # Not for the visitor: their words are kept, and writing wakes it.
        journal.add_change(conversation, actor=actor_of(operator), visible=False)
        journal.write()
        drain_soon()
    return conversation


snooze = retrying(_snooze)


def _wake(*, conversation_id: uuid.UUID) -> bool:
    """End a snooze whose time has come; False when there was none any more."""
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal.conversations.get(conversation_id)
        if (
            conversation is None
            or conversation.status != Status.SNOOZED
            or (conversation.snoozed_until and conversation.snoozed_until > journal.now)
        ):
            return False
        wake_up(journal, conversation, actor="snooze")
        journal.write()
    return True


wake = retrying(_wake)


def _taken(holder: Operator) -> RefusedError:
    return RefusedError(
        "taken", status=409, extra={"operator": {"id": holder.pk, "name": holder.name}}
    )


def _point_visitor_back(conversation: Conversation) -> None:
    """Let the visitor see a reopened conversation, unless they have begun another since."""
    visitor = Visitor.objects.select_for_update().get(pk=conversation.visitor_id)
    if not Conversation.objects.filter(pk=visitor.session_id).exists():
        visitor.session_id = conversation.id
        visitor.save(update_fields=["session_id"])
