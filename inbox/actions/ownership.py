"""Who answers: the one place where ``handled_by`` and the ownership number change."""

from __future__ import annotations

import uuid

from inbox.actions.journal import Journal
from inbox.models import Conversation, HandledBy, Operator, Role, Team
from inbox.ports import Interrupted, responders
from inbox.realtime.batches import Ending
from inbox.realtime.live import live_answers


def set_owner(
    journal: Journal,
    conversation: Conversation,
    *,
    handled_by: str,
    operator: Operator | None = None,
    team: Team | None = None,
    keep_team: bool = True,
    outcome: str = "cancelled",
    actor: str = "",
    announce: bool = True,
) -> None:
    """Give a conversation to somebody, ending what the bot was saying first.

    The ownership number rises, so whatever the bot writes later matches nothing. What readers
    were shown of its answer becomes the cancelled answer, before the ``conversation`` event.

    Args:
        journal: holds the locked row.
        handled_by: the new value; ``operator`` is required with ``operator`` and ignored
            otherwise.
        team: the new team; with ``keep_team`` None leaves the team as it is.
        outcome: how a running answer ends: ``cancelled`` or ``handed_over``.
        announce: whether to add the ``conversation`` event now; pass False when the caller
            changes more of the row and adds it itself.
    """
    stop_bot(journal, conversation, outcome=outcome)
    conversation.ownership += 1
    conversation.handled_by = handled_by
    if handled_by == HandledBy.OPERATOR:
        conversation.operator = operator
        conversation.last_operator = operator
    else:
        conversation.operator = None
    if team is not None or not keep_team:
        conversation.team = team
    conversation.queued_at = journal.now if handled_by == HandledBy.QUEUE else None
    if announce:
        journal.add_change(conversation, actor=actor)


def stop_bot(journal: Journal, conversation: Conversation, *, outcome: str) -> bool:
    """End unfinished bot work; True when an answer that readers saw was cut short."""
    cut = False
    for responder in responders():
        interrupted = responder.interrupt([conversation.id], outcome).get(conversation.id)
        if interrupted is not None:
            _store_shown_text(journal, conversation, interrupted, outcome)
            cut = True
    return cut


def _store_shown_text(
    journal: Journal, conversation: Conversation, interrupted: Interrupted, outcome: str
) -> None:
    content, sources = shown_text(conversation.id, interrupted)
    if content:
        journal.add_message(
            conversation,
            role=Role.ASSISTANT,
            content=content,
            author_name=interrupted.author_name,
            sources=sources,
            outcome=outcome,
            message_id=interrupted.message_id,
            dedupe_key=f"t{interrupted.turn_key}",
        )
    journal.end_stream(
        conversation,
        Ending(
            turn=interrupted.turn_key,
            revision=interrupted.revision,
            outcome=outcome,
            full_content=content,
            message_id=str(interrupted.message_id),
        ),
    )


def shown_text(
    conversation_id: uuid.UUID, interrupted: Interrupted
) -> tuple[str, list[dict[str, str]]]:
    """What readers were shown of an answer: the live text if this process has it, else the
    last checkpoint. From here on this process shows nothing more of it."""
    live = live_answers.freeze(str(conversation_id))
    if (
        live is not None
        and live.turn == interrupted.turn_key
        and live.revision >= interrupted.revision
        and live.complete
    ):
        return live.text, live.sources or interrupted.sources
    return interrupted.content, interrupted.sources
