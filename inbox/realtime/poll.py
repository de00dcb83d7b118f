"""The head poll: one look per process at what a lost hint left behind."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import uuid
from typing import TYPE_CHECKING

from django.utils import timezone

from inbox.conf import inbox_settings
from inbox.database import in_thread
from inbox.models import Conversation
from inbox.outages import Outage
from inbox.realtime import metrics
from inbox.realtime.batches import Change
from inbox.realtime.summaries import as_change

if TYPE_CHECKING:
    from inbox.realtime.hub import Hub

logger = logging.getLogger("frontdesk.poll")

CHUNK = 500
OVERLAP_SECONDS = 30
"""How far back the look for changed conversations reaches: longer than any transaction may
run and than clocks of servers differ."""

Head = tuple[uuid.UUID, int, int, int]


def read_heads(ids: list[str]) -> list[Head]:
    """``(id, head, visitor_head, ownership)`` of conversations that somebody reads here."""
    heads: list[Head] = []
    for start in range(0, len(ids), CHUNK):
        rows = Conversation.objects.filter(id__in=ids[start : start + CHUNK])
        heads += rows.values_list("id", "head", "visitor_head", "ownership")
    return heads


def read_recent(since: dt.datetime) -> list[Change]:
    """Conversations that changed since, as changes without records."""
    rows = (
        Conversation.objects.select_related("visitor", "operator__user", "team")
        .filter(updated_at__gte=since)
        .order_by("-updated_at")[:CHUNK]
    )
    return [as_change(row) for row in rows]


class HeadPoll:
    """Looks every ``INBOX_HEAD_POLL_SECONDS`` and wakes readers that are behind."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[None] | None = None
        self._outage = Outage(logger, "the database for the head poll")

    def start(self) -> None:
        """Begin looking, once."""
        if self._task is None:
            self._task = self._hub.loop.create_task(self._run())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(inbox_settings.HEAD_POLL_SECONDS)
            try:
                await self.look()
            except Exception as error:
                self._outage.away(error)
            else:
                self._outage.back()

    async def look(self) -> None:
        """One look; used by the loop and by tests."""
        hub = self._hub
        if hub.topics:
            for head in await in_thread(read_heads, list(hub.topics)):
                self._catch_up(*head)
        if hub.watchers:
            since = timezone.now() - dt.timedelta(seconds=OVERLAP_SECONDS)
            for change in await in_thread(read_recent, since):
                if hub.remember_head(change.conversation_id, change.head):
                    metrics.poll_catches.inc()
                    for watcher in tuple(hub.watchers):
                        watcher.on_change(change)

    def _catch_up(self, id: uuid.UUID, head: int, visitor_head: int, ownership: int) -> None:
        topic = self._hub.topics.get(str(id))
        if topic is None:
            return
        topic.head = max(topic.head, head)
        topic.visitor_head = max(topic.visitor_head, visitor_head)
        topic.ownership = max(topic.ownership, ownership)
        for reader in tuple(topic.readers):
            target = topic.head if reader.audience == "operator" else topic.visitor_head
            if reader.cursor < target and not reader.pumping:
                metrics.poll_catches.inc()
                self._hub.pump(reader)
