"""A visitor's wishes beside messages: each is one action of the core, called in a thread."""

from __future__ import annotations

import uuid
from typing import Any

from chatwidget.frames import (
    PageFrame,
    RatingFrame,
    ReadFrame,
    RequestBotFrame,
    RequestHumanFrame,
    StopFrame,
)
from chatwidget.standing import latest_closed
from chatwidget.writing import Visit
from inbox.actions.answering import stop_answer
from inbox.actions.handoff import request_bot, request_human
from inbox.actions.rating import rate
from inbox.actions.reading import mark_read
from inbox.actions.visitors import visit_page
from inbox.database import in_thread
from inbox.models import Conversation, Visitor


async def perform(visit: Visit, frame: Any) -> uuid.UUID:
    """Do what a frame asks for.

    Returns:
        The conversation that the visitor is in afterwards: another one when a wish for a person
        began it because the one on the screen had ended.
    """
    match frame:
        case StopFrame():
            await in_thread(stop_answer, conversation_id=visit.session_id)
        case RequestHumanFrame():
            conversation = await in_thread(
                request_human,
                conversation_id=visit.session_id,
                visitor_id=visit.visitor_id,
                bot_key=visit.bot_key,
                team_id=visit.team_id,
            )
            return conversation.id
        case RequestBotFrame():
            await in_thread(request_bot, conversation_id=visit.session_id)
        case ReadFrame(seq=seq):
            await in_thread(_read, visit, seq)
        case RatingFrame(score=score, comment=comment):
            await in_thread(_rate, visit, score, comment or "")
        case PageFrame(url=url, title=title):
            await in_thread(visit_page, visitor_id=visit.visitor_id, url=url, title=title or "")
    return visit.session_id


def _read(visit: Visit, seq: int) -> None:
    mark_read(conversation_id=_seen_last(visit), seq=seq)


def _rate(visit: Visit, score: int, comment: str) -> None:
    rate(
        conversation_id=_seen_last(visit),
        score=score,
        comment=comment,
        visitor_id=visit.visitor_id,
    )


def _seen_last(visit: Visit) -> uuid.UUID:
    """The conversation on the screen; before its first message, the one that ended last: a
    rating may come after the end, and after a new page."""
    if not Conversation.objects.filter(id=visit.session_id).exists():
        ended = latest_closed(Visitor(pk=visit.visitor_id))
        if ended is not None:
            return ended.id
    return visit.session_id
