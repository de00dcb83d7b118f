"""The sending end of a streaming answer: first token at once, then one flush per window."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from inbox.realtime.batches import Batch, Ending, Tick
from inbox.realtime.hub import Hub, get_hub

SNAPSHOT_SECONDS = 1.0
"""How often other processes are sent the whole text, for readers that joined there."""


class Stream:
    """One attempt of one answer on its way to the readers. Use it on the event loop only."""

    def __init__(
        self,
        hub: Hub,
        *,
        conversation_id: str,
        turn: str,
        revision: int,
        ownership: int,
        message_id: str,
        flush_seconds: float,
    ) -> None:
        self._hub = hub
        self._blank = Tick(
            conversation_id=conversation_id,
            turn=turn,
            revision=revision,
            ownership=ownership,
            message_id=message_id,
            offset=0,
        )
        self._flush_seconds = flush_seconds
        self._parts: list[str] = []
        self._pending: list[str] = []
        self._offset = 0
        self._due = False
        self._snapshot_at = hub.loop.time() + SNAPSHOT_SECONDS
        self._publish(self._blank)

    @property
    def text(self) -> str:
        """Everything said so far in this attempt."""
        return "".join(self._parts)

    def sources(self, sources: list[dict[str, Any]]) -> None:
        """Send sources, before the text that they support."""
        self._flush()
        self._publish(replace(self._blank, offset=self._offset, sources=sources))

    def delta(self, text: str) -> None:
        """Say a little more."""
        if not text:
            return
        first = not self._parts
        self._parts.append(text)
        self._pending.append(text)
        if first or self._flush_seconds <= 0:
            self._flush()
        elif not self._due:
            self._due = True
            self._hub.wheel.call_within(self._flush_seconds, self._flush_due)

    def flush(self) -> None:
        """Send what waits in the window now."""
        self._flush()

    def end(self, outcome: str, full_content: str) -> None:
        """Say the end; only after the transaction that stored ``full_content``."""
        self.close()
        ending = Ending(
            turn=self._blank.turn,
            revision=self._blank.revision,
            outcome=outcome,
            full_content=full_content,
            message_id=self._blank.message_id,
        )
        self._publish(replace(self._blank, offset=self._offset, ending=ending))

    def close(self) -> None:
        """Send nothing more: somebody else ended this answer, or another attempt follows."""
        self._pending.clear()

    def _flush_due(self) -> None:
        self._due = False
        self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        offset, self._offset = self._offset, self._offset + len(text)
        self._publish(replace(self._blank, offset=offset, text=text))
        now = self._hub.loop.time()
        if now >= self._snapshot_at:
            self._snapshot_at = now + SNAPSHOT_SECONDS
            self._publish(replace(self._blank, offset=0, text=self.text, snapshot=True))

    def _publish(self, tick: Tick) -> None:
        self._hub.publish(Batch(ticks=[tick]))


def open_stream(
    *,
    conversation_id: str,
    turn: str,
    revision: int,
    ownership: int,
    message_id: str,
    flush_seconds: float,
) -> Stream:
    """Announce an attempt (``response_start``) and return the stream to write it to.

    Args:
        conversation_id: the conversation's UUID as text.
        turn: public key of the turn, the same for every attempt.
        revision: 1 for the first attempt, one more for each further one.
        ownership: the conversation's number that this answer must match; readers that were
            sent a newer one get nothing of it.
        message_id: id that the durable message will have.
        flush_seconds: delta flush window; the first token never waits for it.
    """
    return Stream(
        get_hub(),
        conversation_id=conversation_id,
        turn=turn,
        revision=revision,
        ownership=ownership,
        message_id=message_id,
        flush_seconds=flush_seconds,
    )
