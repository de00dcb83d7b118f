"""One page of events for a visitor who reads over HTTP, waiting for the next one if asked to.

A client that names no conversation follows the visitor's own: what was said in one that closed
while it looked away is served first, then it is told that the next one has begun.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from chatwidget.reading import Mailbox, VisitorReader
from chatwidget.standing import Standing, latest_closed, load_standing, place
from inbox.database import in_thread
from inbox.errors import not_found
from inbox.models import Visitor
from inbox.realtime.hub import get_hub
from inbox.realtime.records import PageRequest, load_pages

CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reader says about its place."""

    session_id: uuid.UUID | None = None
    since: str | None = None
    epoch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader goes on: after ``since`` of ``standing``; or the ``reset`` it is told."""

    standing: Standing
    since: int
    reset: dict[str, Any] | None = None
    successor: uuid.UUID | None = None
    """For a closed conversation: the one that the visitor's next message begins."""

    def reset_frame(self) -> dict[str, Any]:
        """The same refusal as a frame."""
        told = dict(self.reset or {})
        return {"type": "reset", "reason": told.pop("reset", CLOSED), **told}


def find_place(visitor_id: int, asked: Asked) -> Place:
    """Decide which conversation is read and whether the reader's place is known; asks the
    database."""
    visitor = Visitor.objects.get(pk=visitor_id)
    standing = _standing_of(visitor, asked)
    since, reason = place(asked.since, asked.epoch, standing)
    if reason is not None:
        return Place(standing=standing, since=since, reset={"reset": reason})
    if not standing.is_closed or standing.session_id == visitor.session_id:
        return Place(standing=standing, since=since)
    if since >= standing.head and load_standing(visitor).conversation is not None:
        moved = {"reset": CLOSED, "session_id": str(visitor.session_id)}
        return Place(standing=standing, since=since, reset=moved)
    return Place(standing=standing, since=since, successor=visitor.session_id)


def _standing_of(visitor: Visitor, asked: Asked) -> Standing:
    standing = load_standing(visitor, asked.session_id)
    if standing.conversation is not None:
        return standing
    if asked.session_id not in (None, visitor.session_id):
        raise not_found()
    if asked.session_id is None and asked.since not in (None, "", "0"):
        ended = latest_closed(visitor)
        if ended is not None:
            return load_standing(visitor, ended.id)
    return standing


def load_page(standing: Standing, since: int) -> dict[str, Any]:
    """``{session_id, epoch, head, events}`` of one page; asks the database."""
    request = PageRequest(conversation_id=standing.session_id, audience="visitor", since=since)
    events = [record.frame("visitor") for record in load_pages([request])[0]]
    last = events[-1]["seq"] if events else since
    return {
        "session_id": str(standing.session_id),
        "epoch": standing.epoch,
        "head": max(standing.head, last),
        "events": events,
    }


async def next_page(visitor_id: int, asked: Asked, *, wait_seconds: float) -> dict[str, Any]:
    """The page after the reader's place, as soon as there is something in it.

    Returns:
        The page, empty when nothing came within ``wait_seconds``; or ``{reset, …}``.
    """
    deadline = asyncio.get_running_loop().time() + wait_seconds
    found = await in_thread(find_place, visitor_id, asked)
    while True:
        if found.reset is not None:
            return found.reset
        page = await in_thread(load_page, found.standing, found.since)
        left = deadline - asyncio.get_running_loop().time()
        if page["events"] or left <= 0:
            return page
        await _something_new(found, left)
        again = Asked(session_id=found.standing.session_id, since=str(found.since))
        found = await in_thread(find_place, visitor_id, again)


async def _something_new(found: Place, seconds: float) -> None:
    """Wait until an event is due: in the conversation that is read, or the first of its
    successor."""
    hub, mailbox = get_hub(), Mailbox()
    readers = [VisitorReader(found.standing, sink=mailbox, since=found.since)]
    if found.successor is not None:
        next_standing = Standing(session_id=found.successor, epoch=found.standing.epoch)
        readers.append(VisitorReader(next_standing, sink=mailbox, since=0))
    starts = [reader.cursor for reader in readers]
    until = hub.loop.time() + seconds
    for reader in readers:
        hub.subscribe(reader)
    try:
        while [reader.cursor for reader in readers] == starts and hub.loop.time() < until:
            await mailbox.wait(until - hub.loop.time())
    finally:
        for reader in readers:
            hub.unsubscribe(reader)
