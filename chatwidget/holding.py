"""What each visitor holds open in this process, and the end of it when they are blocked or revoked.

A block or a revocation is told to every process by the hub. That message may be lost, or pass a
socket that is just coming in; so the rows are looked at as well, a few times a minute.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from django.db import DatabaseError

from inbox.database import in_thread
from inbox.errors import CloseCode
from inbox.models import Visitor
from inbox.outages import Outage
from inbox.realtime.batches import Control
from inbox.realtime.hub import Hub

logger = logging.getLogger("frontdesk.chatwidget")
_outage = Outage(logger, "the database for looking after open sockets")

WATCH_SECONDS = 5.0
CHUNK = 500

Standings = dict[int, tuple[int, bool]]
"""Visitor's row id → token epoch, and whether they are blocked."""


class Holder(Protocol):
    """Something that a visitor holds open: a socket or an event stream."""

    def close_soon(self, code: int) -> None:
        """End it with a close code."""


_held: dict[int, dict[Holder, int]] = {}
"""Visitor's row id → what they hold, each with the token epoch it was opened under."""

_watches: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def hold(visitor: Visitor, holder: Holder, hub: Hub) -> None:
    """Note that a visitor holds this open, until ``release``."""
    _held.setdefault(visitor.pk, {})[holder] = visitor.token_epoch
    hub.listeners.add(_on_control)
    watch = _watches.get(hub.loop)
    if watch is None or watch.done():
        for old in [loop for loop in _watches if loop.is_closed()]:
            del _watches[old]
        _watches[hub.loop] = hub.loop.create_task(_watch())


def release(visitor_id: int, holder: Holder) -> None:
    """It is closed."""
    held = _held.get(visitor_id, {})
    held.pop(holder, None)
    if not held:
        _held.pop(visitor_id, None)


def count_held(visitor_id: int) -> int:
    """How many sockets and streams this visitor holds open in this process."""
    return len(_held.get(visitor_id, ()))


def _on_control(control: Control) -> None:
    if control.kind == "visitor":
        for holder in tuple(_held.get(control.id, ())):
            holder.close_soon(control.close_code)


async def _watch() -> None:
    """One look after the other for as long as anything is held."""
    while _held:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            _end_what_lost_its_right(await in_thread(_read, list(_held)))
        except DatabaseError as error:
            _outage.away(error)
        else:
            _outage.back()


def _read(visitor_ids: list[int]) -> Standings:
    found: Standings = {}
    for start in range(0, len(visitor_ids), CHUNK):
        rows = Visitor.objects.filter(pk__in=visitor_ids[start : start + CHUNK])
        for pk, epoch, blocked_at in rows.values_list("pk", "token_epoch", "blocked_at"):
            found[pk] = (epoch, blocked_at is not None)
    # Whoever is not there any more was erased.
    return {pk: found.get(pk, (-1, False)) for pk in visitor_ids}


def _end_what_lost_its_right(standings: Standings) -> None:
    for visitor_id, (epoch, is_blocked) in standings.items():
        for holder, opened_under in tuple(_held.get(visitor_id, {}).items()):
            if is_blocked:
                holder.close_soon(CloseCode.BLOCKED)
            elif opened_under != epoch:
                holder.close_soon(CloseCode.UNAUTHORIZED)
