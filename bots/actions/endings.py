"""How a turn ends: each ending is one guarded transaction with what readers are told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from bots.actions.counting import count_ends
from bots.actions.leases import Claim, held
from bots.models import ToolCall, ToolCallStatus, Turn, TurnStatus
from bots.tools.builtin import HAND_OFF
from inbox.actions.answering import bot_may_write, finish_answer
from inbox.actions.handoff import hand_off, hand_to_person
from inbox.actions.journal import Journal
from inbox.assignment.packet import Packet
from inbox.database import retrying
from inbox.models import Conversation
from inbox.realtime.batches import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of a turn beside its answer."""

    error_code: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    first_token_ms: int | None = None
    duration_ms: int | None = None
    response_id: str = ""
    trace: dict[str, Any] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Column → value."""
        return {
            "error_code": self.error_code[:64],
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "first_token_ms": self.first_token_ms,
            "duration_ms": self.duration_ms,
            "response_id": self.response_id[:200],
            "trace": self.trace,
        }


def finish(
    turn: Turn,
    claim: Claim,
    record: Record,
    *,
    content: str,
    sources: list[dict[str, Any]],
    outcome: str = TurnStatus.DONE,
) -> bool:
    """Store the answer and end the turn.

    Args:
        turn: as claimed, with the revision that readers see.
        content: the whole text; empty only for an end without answer, such as ``cancelled``.

    Returns:
        Whether it was stored; False when the claim or the conversation was lost.
    """
    return finish_answer(
        conversation_id=turn.conversation_id,
        ownership=turn.ownership,
        turn_key=str(turn.key),
        message_id=turn.message_id,
        content=content,
        author_name=turn.bot.name,
        author_avatar=turn.bot.avatar_url,
        sources=sources,
        outcome=outcome,
        answered=outcome == TurnStatus.DONE,
        also=_ending(turn, claim, record, content=content, outcome=outcome),
    )


def fail(turn: Turn, claim: Claim, record: Record, *, apology: str, packet: Packet | None) -> bool:
    """End the turn as failed with words that a visitor may read.

    Args:
        packet: also give the conversation to a person, in the same transaction.

    Returns:
        Whether it was stored.
    """
    return _fail(turn, claim, record, apology, packet)


@retrying
def _fail(turn: Turn, claim: Claim, record: Record, apology: str, packet: Packet | None) -> bool:
    with transaction.atomic():
        stored = finish(turn, claim, record, content=apology, sources=[], outcome=TurnStatus.FAILED)
        if stored and packet is not None:
            hand_off(conversation_id=turn.conversation_id, ownership=turn.ownership, packet=packet)
    return stored


@retrying
def hand_over(
    turn: Turn,
    claim: Claim,
    record: Record,
    *,
    packet: Packet,
    text: str = "",
    sources: list[dict[str, Any]] | None = None,
) -> bool:
    """Give the conversation to a person; what the bot said until now stays as its answer.

    Args:
        text, sources: what readers were shown of this turn.

    Returns:
        Whether it was handed over; False when somebody else was faster.
    """
    with transaction.atomic():
        journal = Journal.lock([turn.conversation_id])
        conversation = journal.conversations.get(turn.conversation_id)
        if conversation is None or not bot_may_write(conversation, turn.ownership):
            return False
        # The transition itself ends the turn, as every transition does, with this text.
        ours = held(claim).update(checkpoint=text, sources=sources or [], **record.fields())
        if not ours:
            return False
        hand_to_person(journal, conversation, packet, actor=f"bot:{turn.bot.key}")
        journal.write()
        ToolCall.objects.filter(
            turn_id=turn.pk, name=HAND_OFF.name, status=ToolCallStatus.RUNNING
        ).update(status=ToolCallStatus.DONE, code="ok", finished_at=Now())
    return True


def drop(turn: Turn, claim: Claim, record: Record) -> None:
    """End a turn that has nothing to answer any more; readers who saw its beginning are told."""
    ended = finish(turn, claim, record, content="", sources=[], outcome=TurnStatus.CANCELLED)
    if not ended:
        # Its conversation is somebody else's already: nobody waits for this one.
        rows = Turn.objects.held(claim.turn_id, claim.fence).update(
            status=TurnStatus.CANCELLED, lease_until=None, finished_at=Now(), **record.fields()
        )
        if rows:
            count_ends(TurnStatus.CANCELLED)


def _ending(
    turn: Turn, claim: Claim, record: Record, *, content: str, outcome: str
) -> Callable[[Journal, Conversation], bool]:
    def end(journal: Journal, conversation: Conversation) -> bool:
        turn.is_followed = conversation.head > turn.last_seq
        ours = held(claim).update(
            status=outcome,
            lease_until=None,
            checkpoint="",
            said="",
            finished_at=Now(),
            **record.fields(),
        )
        if ours:
            count_ends(outcome)
            # With the transaction's own frames: a take-over right behind it must find the
            # stream ended, or its end would come late and be dropped.
            ending = Ending(
                turn=str(turn.key),
                revision=turn.revision,
                outcome=outcome,
                full_content=content,
                message_id=str(turn.message_id),
            )
            journal.end_stream(conversation, ending)
        return bool(ours)

    return end
