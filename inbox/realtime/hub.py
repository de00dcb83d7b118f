"""The hub: who reads what in this process, and the delivery of batches to them."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from inbox.errors import InboxError
from inbox.realtime import metrics
from inbox.realtime.batcher import Batcher
from inbox.realtime.batches import Batch, Change, Control, Ephemeral, Tick
from inbox.realtime.bus import Bus
from inbox.realtime.live import live_answers
from inbox.realtime.poll import HeadPoll
from inbox.realtime.publish import attach_hub, attached_hub
from inbox.realtime.reader import EncodedRecord, Reader
from inbox.realtime.records import PAGE_SIZE, PageRequest, Record, load_pages
from inbox.realtime.wheel import Wheel
from inbox.runner import ensure_runner

logger = logging.getLogger("frontdesk.hub")

KNOWN_HEADS = 20_000
"""Conversations whose last summary is remembered, so that the head poll repeats none."""


class Watcher(Protocol):
    """A socket that hears of every change it may see: an operator's page."""

    def on_change(self, change: Change) -> None:
        """A conversation changed; decide whether this socket may know."""

    def on_control(self, control: Control) -> None:
        """A visitor's or operator's rights changed."""


class Topic:
    """Readers of one conversation in this process."""

    __slots__ = ("head", "ownership", "readers", "visitor_head")

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self.head = 0
        self.visitor_head = 0
        self.ownership = 0


class Hub:
    """Delivers on one event loop; every method but ``publish`` through ``publish()`` runs there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.topics: dict[str, Topic] = {}
        self.watchers: set[Watcher] = set()
        self.known_heads: OrderedDict[str, int] = OrderedDict()
        self.listeners: set[Callable[[Control], None]] = set()
        self.bus = Bus(self.deliver)
        self.poll = HeadPoll(self)
        self.wheel = Wheel(loop)
        self._pages: Batcher[PageRequest, list[Record]] = Batcher("pages", load_pages, 200)
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(self, reader: Reader, *, ownership: int = 0) -> None:
        """Register a reader and send it everything after its cursor, then live frames.

        ``ownership`` is the number that was read with the state the reader was told; nothing
        older of a bot reaches it.
        """
        topic = self.topics.setdefault(reader.conversation_id, Topic())
        topic.ownership = max(topic.ownership, ownership)
        topic.readers.add(reader)
        self.pump(reader)

    def unsubscribe(self, reader: Reader) -> None:
        """Forget a reader."""
        reader.closed = True
        topic = self.topics.get(reader.conversation_id)
        if topic is not None:
            topic.readers.discard(reader)
            if not topic.readers:
                del self.topics[reader.conversation_id]

    def publish(self, batch: Batch) -> None:
        """Deliver here first, then hand over to the other processes."""
        self.deliver(batch)
        self.bus.send(batch)

    def deliver(self, batch: Batch) -> None:
        """Give every local reader what the batch holds for it."""
        for change in batch.changes:
            self._deliver_change(change)
        if batch.committed_at and any(c.conversation_id in self.topics for c in batch.changes):
            # Clocks of two machines may differ; a delay is never less than nothing.
            metrics.delivery_seconds.observe(max(0.0, time.time() - batch.committed_at))
        for tick in batch.ticks:
            self._deliver_tick(tick)
        for ephemeral in batch.ephemerals:
            self._deliver_ephemeral(ephemeral)
        for control in batch.controls:
            self._deliver_control(control)

    def pump(self, reader: Reader) -> None:
        """Fetch what a reader is missing from the database, page by page."""
        if not reader.pumping and not reader.closed:
            reader.pumping = True
            task = self.loop.create_task(self._pump(reader))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def remember_head(self, conversation_id: str, head: int) -> bool:
        """Note a conversation's head; False when it was known already."""
        if self.known_heads.get(conversation_id, 0) >= head:
            return False
        self.known_heads[conversation_id] = head
        self.known_heads.move_to_end(conversation_id)
        if len(self.known_heads) > KNOWN_HEADS:
            self.known_heads.popitem(last=False)
        return True

    def _deliver_change(self, change: Change) -> None:
        self.remember_head(change.conversation_id, change.head)
        topic = self.topics.get(change.conversation_id)
        if topic is not None:
            topic.head = max(topic.head, change.head)
            topic.visitor_head = max(topic.visitor_head, change.visitor_head)
            topic.ownership = max(topic.ownership, change.ownership)
            records = [EncodedRecord(record) for record in change.records]
            for reader in tuple(topic.readers):
                self._offer(reader, change, records)
        for record in change.records:
            self._note_end(record)
        for ending in change.endings:
            live_answers.end(change.conversation_id, ending.turn)
        if change.head < self.known_heads.get(change.conversation_id, 0):
            # Two commits were published in the other order: a list that was told the newer state
            # must not go back to the older one, for nothing would correct it.
            return
        for watcher in tuple(self.watchers):
            watcher.on_change(change)

    @staticmethod
    def _note_end(record: Record) -> None:
        """A streaming answer whose durable message is known has no further word."""
        if record.kind == "message":
            live_answers.finish(record.conversation_id, record.body["id"])

    def _offer(self, reader: Reader, change: Change, records: list[EncodedRecord]) -> None:
        for ending in change.endings:
            reader.end_stream(ending)
        if reader.pumping:
            return  # the pump looks again before it ends
        for encoded in records:
            if not reader.offer(encoded):
                self.pump(reader)
                return

    def _deliver_tick(self, tick: Tick) -> None:
        topic = self.topics.get(tick.conversation_id)
        if topic is not None and tick.ownership < topic.ownership:
            # A delta that was on its way when a person took over.
            return
        if tick.ending is not None:
            live_answers.end(tick.conversation_id, tick.turn)
            for reader in tuple(topic.readers) if topic else ():
                reader.end_stream(tick.ending)
            return
        with live_answers.lock:
            answer = live_answers.apply(tick)
            if answer is None or topic is None:
                return
            for reader in tuple(topic.readers):
                if not reader.pumping:  # it joins the answer when its history is complete
                    reader.follow(answer, tick)

    def _deliver_ephemeral(self, ephemeral: Ephemeral) -> None:
        topic = self.topics.get(ephemeral.conversation_id)
        if topic is None:
            return
        if ephemeral.ownership is not None and ephemeral.ownership < topic.ownership:
            return
        for reader in tuple(topic.readers):
            if ephemeral.audience in ("both", reader.audience):
                own = ephemeral.operator_frame if reader.audience == "operator" else None
                reader.send(own or ephemeral.frame)

    def _deliver_control(self, control: Control) -> None:
        for watcher in tuple(self.watchers):
            watcher.on_control(control)
        for listener in tuple(self.listeners):
            listener(control)

    async def _pump(self, reader: Reader) -> None:
        try:
            joined = False
            while True:
                page = await self._next_page(reader)
                if reader.closed:
                    return  # it left while the page was read
                reader.end_with(page, self._ownership(reader))
                for record in page:
                    reader.offer(EncodedRecord(record))
                    self._note_end(record)
                if len(page) < PAGE_SIZE:
                    if not joined:
                        joined = True
                        self._join(reader)
                    if reader.cursor >= self._head(reader) or not page:
                        return
        finally:
            reader.pumping = False
            if not reader.closed and reader.cursor < self._head(reader):
                self.loop.call_later(0.05, self.pump, reader)

    async def _next_page(self, reader: Reader) -> list[Record]:
        request = PageRequest(
            conversation_id=uuid.UUID(reader.conversation_id),
            audience=reader.audience,
            since=reader.cursor,
        )
        delay = 0.1
        while True:
            try:
                return await self._pages.submit(request)
            except InboxError:
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
                if reader.closed:
                    return []

    def _head(self, reader: Reader) -> int:
        topic = self.topics.get(reader.conversation_id)
        if topic is None:
            return 0
        return topic.head if reader.audience == "operator" else topic.visitor_head

    def _ownership(self, reader: Reader) -> int:
        topic = self.topics.get(reader.conversation_id)
        return topic.ownership if topic is not None else 0

    def _join(self, reader: Reader) -> None:
        with live_answers.lock:
            answer = live_answers.get(reader.conversation_id)
            topic = self.topics.get(reader.conversation_id)
            if answer is not None and topic and answer.ownership >= topic.ownership:
                reader.join(answer)

    async def close(self) -> None:
        """End the bus, the head poll and all pumps; used at a graceful stop and by tests."""
        await self.poll.stop()
        await self.bus.stop()
        for task in tuple(self._tasks):
            task.cancel()


def get_hub() -> Hub:
    """The hub of the running event loop, made on first use with bus, head poll and runner.

    Daphne has no lifespan: whatever comes first in a process, a socket, a request or the
    ``serve`` command, starts the background work.
    """
    loop = asyncio.get_running_loop()
    hub = attached_hub()
    if hub is None or hub.loop is not loop:
        hub = Hub(loop)
        attach_hub(hub)
        hub.bus.start()
        hub.poll.start()
    ensure_runner()
    return hub
