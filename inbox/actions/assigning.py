"""Giving a conversation to a colleague or to a team."""

from __future__ import annotations

import uuid

from django.db import transaction

from inbox.actions.guards import actor_of, refuse_closed
from inbox.actions.journal import Journal
from inbox.actions.ownership import set_owner
from inbox.actions.queueing import put_in_queue
from inbox.assignment import lines
from inbox.assignment.desk import SEAT
from inbox.assignment.people import People, is_here
from inbox.assignment.queue import drain_soon
from inbox.conf import inbox_settings
from inbox.database import retrying
from inbox.errors import RefusedError
from inbox.models import Conversation, HandledBy, MessageKind, Operator, Role, Status, Team
from inbox.texts import check_text


def _assign(
    *, conversation_id: uuid.UUID, to: Operator, operator: Operator | None = None
) -> Conversation:
    """Let a colleague answer from now on, whoever answered before.

    Args:
        to: who answers; must have a seat in the inbox. Somebody of another team takes the
            conversation into a team of theirs, or they could not see it.
        operator: who decides.

    Raises:
        InboxError: ``not_found``, ``conversation_closed``, ``invalid_field`` (they may not
            work in the inbox).
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        _give_to_operator(journal, conversation, to, operator)
        journal.write()
    return conversation


assign = retrying(_assign)


def _transfer(
    *,
    conversation_id: uuid.UUID,
    operator: Operator | None = None,
    to_operator: Operator | None = None,
    to_team: Team | None = None,
    comment: str = "",
) -> Conversation:
    """Pass the conversation on to a colleague, or into the queue of a team.

    Args:
        operator: who decides.
        to_operator, to_team: exactly one of them.
        comment: becomes a private note of ``operator``; empty for none.

    Raises:
        InboxError: ``not_found``, ``conversation_closed``, ``too_long``, ``invalid_text``,
            ``invalid_field``.
    """
    if (to_operator is None) == (to_team is None):
        raise RefusedError("invalid_field", field="operator")
    _check_comment(comment)
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        refuse_closed(conversation)
        if comment.strip():
            _add_note(journal, conversation, comment, operator)
        if to_operator is not None:
            _give_to_operator(journal, conversation, to_operator, operator)
        elif to_team is not None:
            _give_to_team(journal, conversation, to_team, operator)
        journal.write()
    return conversation


transfer = retrying(_transfer)


def _give_to_operator(
    journal: Journal, conversation: Conversation, to: Operator, by: Operator | None
) -> None:
    refuse_closed(conversation)
    if not (to.user.is_active and to.user.has_perm(SEAT)):
        raise RefusedError("invalid_field", field="operator")
    if conversation.operator_id == to.pk and conversation.status == Status.OPEN:
        return
    conversation.status, conversation.snoozed_until = Status.OPEN, None
    set_owner(
        journal,
        conversation,
        handled_by=HandledBy.OPERATOR,
        operator=to,
        team=_team_they_see(conversation, to),
        keep_team=False,
        actor=actor_of(by),
    )
    line = lines.joined if is_here(to, journal.now) else lines.will_answer
    journal.add_system_line(conversation, line(conversation, to))
    drain_soon()


def _give_to_team(
    journal: Journal, conversation: Conversation, team: Team, by: Operator | None
) -> None:
    put_in_queue(
        journal,
        conversation,
        people=People.load(journal.now),
        team_id=team.pk,
        actor=actor_of(by),
    )


def _team_they_see(conversation: Conversation, operator: Operator) -> Team | None:
    if conversation.team is None or operator.user.has_perm("frontdesk_inbox.view_all"):
        return conversation.team
    teams = list(operator.teams.all())
    return conversation.team if conversation.team in teams else next(iter(teams), None)


def _add_note(
    journal: Journal, conversation: Conversation, comment: str, by: Operator | None
) -> None:
    journal.add_message(
        conversation,
        role=Role.OPERATOR,
        kind=MessageKind.NOTE,
        content=comment,
        author_name=by.name if by else "",
        author_avatar=by.avatar_url if by else "",
        operator=by,
        actor=actor_of(by),
    )


def _check_comment(comment: str) -> None:
    check_text(comment, "comment")
    if len(comment) > inbox_settings.MAX_MESSAGE_CHARS:
        raise RefusedError("too_long", field="comment")
