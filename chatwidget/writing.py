"""What a visitor's frames do, whichever way they came: by socket or by HTTP.

Limits are counted here; everything else is the core's actions.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from chatwidget.frames import MessageFrame
from chatwidget.limits import ADDRESS_MESSAGES, MESSAGES, RESENDS, limiter
from inbox.actions.posting import Draft, Posted, VisitorSender
from inbox.database import in_thread
from inbox.errors import rate_limited
from inbox.models import Message
from inbox.realtime.committer import commit
from inbox.realtime.publish import publish_ephemeral
from inbox.realtime.records import timestamp

TYPING_SECONDS = 2.0
"""The same typing state again within this time tells operators nothing new."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """A visitor at one door: who they are, what they look at, where from."""

    visitor_id: int
    session_id: uuid.UUID
    address: str
    name: str
    bot_key: str
    team_id: int | None
    typing: tuple[bool, float] = field(default=(False, 0.0))
    sender: VisitorSender = field(init=False)
    """The core's word for this visitor."""

    def __post_init__(self) -> None:
        self.sender = VisitorSender(
            visitor_id=self.visitor_id, bot_key=self.bot_key, team_id=self.team_id
        )


async def post_message(visit: Visit, frame: MessageFrame) -> Posted:
    """Store a message; returns after its transaction has committed.

    A resend of what is stored counts generously: a client that comes back after a cut repeats
    what it does not know to have arrived.
    """
    checks = ((MESSAGES, str(visit.visitor_id)), (ADDRESS_MESSAGES, visit.address))
    wait = limiter.hit(*checks)
    if wait is not None and not await _is_stored(visit, frame.client_id):
        raise rate_limited(wait)
    posted = await commit(
        Draft(
            sender=visit.sender,
            conversation_id=visit.session_id,
            client_id=frame.client_id,
            content=frame.content,
            attachments=tuple(frame.attachments or ()),
            quick_reply=frame.quick_reply or "",
        )
    )
    if posted.duplicate and wait is None:
        limiter.refund(*checks)
    return posted


async def _is_stored(visit: Visit, client_id: str) -> bool:
    wait = limiter.hit((RESENDS, str(visit.visitor_id)))
    if wait is not None:
        raise rate_limited(wait)
    key = f"v{visit.visitor_id}:{client_id}"
    return await in_thread(Message.objects.filter(dedupe_key=key).exists)


def ack_body(posted: Posted) -> dict[str, Any]:
    """``{client_id, id, seq, timestamp}``."""
    return {
        "client_id": posted.client_id,
        "id": str(posted.id),
        "seq": posted.seq,
        "timestamp": timestamp(posted.timestamp),
    }


def tell_typing(visit: Visit, *, is_typing: bool) -> None:
    """Show operators that the visitor types; repeats are dropped."""
    was_typing, told_at = visit.typing
    now = time.monotonic()
    if was_typing == is_typing and now - told_at < TYPING_SECONDS:
        return
    visit.typing = (is_typing, now)
    frame = {
        "type": "typing",
        "role": "user",
        "is_typing": is_typing,
        "author": {"name": visit.name},
    }
    publish_ephemeral(visit.session_id, frame, audience="operator")
