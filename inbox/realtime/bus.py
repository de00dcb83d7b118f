"""Frames between processes over the channel layer: one group, one subscription per process.

The layer may drop, delay or lose everything. Whoever reads checks numbers and looks into the
database, so nothing here is retried and nothing here may block.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

from inbox.conf import inbox_settings
from inbox.outages import Outage
from inbox.realtime import metrics
from inbox.realtime.batches import Batch, decode_batch, encode_batch

logger = logging.getLogger("frontdesk.bus")

GROUP = "frontdesk.bus"
MESSAGE_TYPE = "frontdesk.batch"
QUEUE_LIMIT = 2000
"""Batches that may wait while the layer stalls; older ones are dropped, readers poll."""

SEND_TIMEOUT_SECONDS = 2.0
REJOIN_SECONDS = 300.0
"""How often a new subscription replaces the old one, well within a layer's group expiry."""

RENEW_SECONDS = 5.0
"""How often the group is joined again: a layer may keep it in Redis, and Redis may forget it."""


def shared_layer() -> Any | None:
    """The channel layer if it reaches other processes, else None."""
    layer = get_channel_layer(inbox_settings.CHANNEL_LAYER)
    return None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer


def send_from_outside(batch: Batch) -> None:
    """Send from a process that has no loop of its own; errors are logged only."""
    layer = shared_layer()
    if layer is None:
        return
    message = {"type": MESSAGE_TYPE, "origin": "", "data": encode_batch(batch)}
    try:
        async_to_sync(layer.group_send)(GROUP, message)
    except Exception:
        metrics.layer_errors.inc()
        logger.warning("the channel layer did not take a batch")


class Bus:
    """Carries batches from this process's hub to the others and back."""

    def __init__(self, deliver: Callable[[Batch], None]) -> None:
        self.origin = uuid.uuid4().hex
        self._deliver = deliver
        self._outgoing: deque[Batch] = deque(maxlen=QUEUE_LIMIT)
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._sending = Outage(logger, "the channel layer for sending")
        self._receiving = Outage(logger, "the channel layer for receiving")

    def start(self) -> None:
        """Begin receiving and sending if there is a layer that reaches other processes."""
        if shared_layer() is not None and not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._receive()), loop.create_task(self._send())]

    async def stop(self) -> None:
        """End both loops and leave the group."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        self._tasks = []

    def send(self, batch: Batch) -> None:
        """Queue a batch for the other processes; never blocks, never fails."""
        if self._tasks:
            self._outgoing.append(batch)
            self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                waiting = list(self._outgoing)
                self._outgoing.clear()
                await self._send_one(_merged(waiting))

    async def _send_one(self, batch: Batch) -> None:
        message = {"type": MESSAGE_TYPE, "origin": self.origin, "data": encode_batch(batch)}
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                layer = shared_layer()
                if layer is not None:
                    await layer.group_send(GROUP, message)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            metrics.layer_errors.inc()
            self._sending.away(error)
        else:
            self._sending.back()

    async def _receive(self) -> None:
        delay = 0.2
        while True:
            try:
                await self._subscribe_and_read()
                delay = 0.2
            except asyncio.CancelledError:
                raise
            except Exception as error:
                metrics.layer_errors.inc()
                self._receiving.away(error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)

    async def _subscribe_and_read(self) -> None:
        layer = shared_layer()
        if layer is None:
            await asyncio.sleep(5)
            return
        channel = await layer.new_channel("frontdesk")
        await layer.group_add(GROUP, channel)
        self._receiving.back()
        loop = asyncio.get_running_loop()
        rejoin_at = loop.time() + REJOIN_SECONDS
        renewing = loop.create_task(self._stay(layer, channel))
        try:
            while loop.time() < rejoin_at:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REJOIN_SECONDS):
                        self._take(await layer.receive(channel))
        finally:
            renewing.cancel()
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await layer.group_discard(GROUP, channel)

    @staticmethod
    async def _stay(layer: Any, channel: str) -> None:
        # Beside the reading, which it must not cut short: what is handed over then may get lost.
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(Exception):  # the reading finds out, and begins anew
                await layer.group_add(GROUP, channel)

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") == MESSAGE_TYPE and message.get("origin") != self.origin:
            try:
                self._deliver(decode_batch(message["data"]))
            except Exception:
                logger.exception("a batch from the channel layer could not be delivered")


def _merged(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    return Batch(
        changes=[change for batch in batches for change in batch.changes],
        ephemerals=[frame for batch in batches for frame in batch.ephemerals],
        ticks=[tick for batch in batches for tick in batch.ticks],
        controls=[control for batch in batches for control in batch.controls],
        committed_at=min((b.committed_at for b in batches if b.committed_at), default=0.0),
    )
