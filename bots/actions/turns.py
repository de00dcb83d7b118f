"""Turns begin and are interrupted inside the transactions of others: a message, a take-over.

A conversation is answered one turn at a time. What the visitor writes while a turn waits joins
it; what they write while one runs waits together for the next.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence

from django.db.models import F, Q
from django.db.models.functions import Now

from bots.actions.counting import count_ends
from bots.models import Bot, Turn, TurnStatus
from bots.running.hush import hush
from inbox.ports import AnswerRequest, Interrupted

logger = logging.getLogger("frontdesk.turns")


def enqueue(requests: Sequence[AnswerRequest]) -> list[Turn]:
    """Record that these messages want an answer, inside the transaction that stores them.

    Args:
        requests: in the order of the messages; their conversations' rows are locked.

    Returns:
        The turns that wait now, new ones and those that took more words in.
    """
    bots = Bot.objects.enabled().in_bulk({_bot_key(r) for r in requests}, field_name="key")
    waiting, answered = _known_turns(requests)
    new: dict[uuid.UUID, Turn] = {}
    grown: dict[uuid.UUID, Turn] = {}
    for request in requests:
        bot = bots.get(_bot_key(request))
        if bot is None:
            logger.error("no bot %r is enabled; its message waits", _bot_key(request))
            continue
        if request.message.pk in answered:
            continue
        conversation_id = request.conversation.pk
        if conversation_id in new:
            _take_in(new[conversation_id], request, bot)
        elif conversation_id in waiting:
            grown[conversation_id] = _take_in(waiting[conversation_id], request, bot)
        else:
            new[conversation_id] = _turn_for(request, bot)
    Turn.objects.bulk_create(new.values())
    Turn.objects.bulk_update(grown.values(), ["bot", "trigger", "last_seq", "ownership"])
    return [*new.values(), *grown.values()]


def interrupt(conversation_ids: Iterable[uuid.UUID], outcome: str) -> dict[uuid.UUID, Interrupted]:
    """End unfinished turns of locked conversations; their workers' claims are void from here on.

    Returns:
        By conversation the turns that readers may have seen something of.
    """
    turns = list(
        Turn.objects.unfinished()
        .filter(conversation_id__in=list(conversation_ids))
        .select_related("bot")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    running = [turn for turn in turns if turn.status == TurnStatus.RUNNING]
    for turn in running:
        hush(str(turn.key))
    _end(running, outcome)
    _end([turn for turn in turns if turn.status == TurnStatus.QUEUED], TurnStatus.CANCELLED)
    return {
        turn.conversation_id: Interrupted(
            conversation_id=turn.conversation_id,
            turn_key=str(turn.key),
            revision=turn.revision,
            message_id=turn.message_id,
            content=turn.checkpoint,
            sources=turn.sources,
            author_name=turn.bot.name,
        )
        for turn in running
    }


def _end(turns: list[Turn], status: str) -> None:
    if turns:
        Turn.objects.filter(pk__in=[turn.pk for turn in turns]).update(
            status=status,
            fence=F("fence") + 1,
            lease_until=None,
            checkpoint="",
            said="",
            finished_at=Now(),
        )
        count_ends(status, len(turns))


def _bot_key(request: AnswerRequest) -> str:
    return request.conversation.bot_key


def _known_turns(
    requests: Sequence[AnswerRequest],
) -> tuple[dict[uuid.UUID, Turn], set[uuid.UUID]]:
    """Waiting turns by conversation, and messages that a turn answers or has answered."""
    conversations = {request.conversation.pk for request in requests}
    messages = {request.message.pk for request in requests}
    known = (
        Turn.objects.filter(
            Q(conversation_id__in=conversations, status=TurnStatus.QUEUED)
            | Q(trigger_id__in=messages, status__in=[TurnStatus.RUNNING, TurnStatus.DONE])
        )
        # A claim of the waiting one may be under way: then its words are no longer ours to add to.
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    waiting: dict[uuid.UUID, Turn] = {}
    answered: set[uuid.UUID] = set()
    for turn in known:
        if turn.status == TurnStatus.QUEUED:
            waiting[turn.conversation_id] = turn
        else:
            answered.add(turn.trigger_id)
    return waiting, answered


def _take_in(turn: Turn, request: AnswerRequest, bot: Bot) -> Turn:
    turn.bot = bot
    turn.trigger = request.message
    turn.first_seq = min(turn.first_seq, request.seq)
    turn.last_seq = max(turn.last_seq, request.seq)
    turn.ownership = request.conversation.ownership
    return turn


def _turn_for(request: AnswerRequest, bot: Bot) -> Turn:
    return Turn(
        bot=bot,
        conversation=request.conversation,
        trigger=request.message,
        first_seq=request.seq,
        last_seq=request.seq,
        ownership=request.conversation.ownership,
    )
