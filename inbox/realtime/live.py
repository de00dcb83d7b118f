"""Answers that are streaming right now, as this process has seen them.

A take-over happens in some thread while deltas arrive on the loop. ``freeze`` closes that
race: what it returns is exactly what this process's readers were shown, and nothing more of
that answer reaches them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from inbox.realtime.batches import Tick

FREEZE_SECONDS = 3.0
"""A freeze whose transaction failed thaws by itself after this long."""

KNOWN_ENDS = 5_000
"""Ended answers that are remembered: a worker that was frozen may wake up behind the end."""

FORGET_SECONDS = 60.0
"""An answer of which nothing was heard for this long has lost its worker."""


@dataclass(slots=True)
class LiveAnswer:
    """One answer in the making. ``complete`` is false until its beginning is known here."""

    conversation_id: str
    turn: str
    revision: int
    ownership: int
    message_id: str
    parts: list[str] = field(default_factory=list)
    length: int = 0
    sources: list[dict[str, Any]] | None = None
    complete: bool = False
    finished: bool = False
    """Its durable message was delivered; only the ending may still follow."""
    frozen_at: float | None = None
    heard_at: float = field(default_factory=time.monotonic)

    @property
    def text(self) -> str:
        """The whole text so far."""
        if len(self.parts) > 1:
            self.parts[:] = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def is_frozen(self) -> bool:
        """Whether a take-over is under way."""
        return self.frozen_at is not None and time.monotonic() - self.frozen_at < FREEZE_SECONDS


class LiveAnswers:
    """Registry of streaming answers by conversation; safe from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._answers: dict[str, LiveAnswer] = {}
        self._ended: OrderedDict[tuple[str, str], None] = OrderedDict()

    def get(self, conversation_id: str) -> LiveAnswer | None:
        """The answer streaming in this conversation, if any is known here."""
        answer = self._answers.get(conversation_id)
        if answer is not None and time.monotonic() - answer.heard_at > FORGET_SECONDS:
            self._answers.pop(conversation_id, None)
            return None
        return answer

    def apply(self, tick: Tick) -> LiveAnswer | None:
        """Take a tick in; None when it is late, frozen or of an older attempt."""
        with self.lock:
            answer = self._current(tick)
            if answer is None or answer.finished or answer.is_frozen():
                return None
            answer.heard_at = time.monotonic()
            if tick.sources is not None:
                answer.sources = tick.sources
            if tick.snapshot or (tick.offset == 0 and answer.length == 0):
                answer.parts, answer.length = [tick.text], len(tick.text)
                answer.complete = True
            elif answer.complete and tick.offset == answer.length:
                answer.parts.append(tick.text)
                answer.length += len(tick.text)
            elif tick.text:
                answer.complete = False
            return answer

    def _current(self, tick: Tick) -> LiveAnswer | None:
        if (tick.conversation_id, tick.turn) in self._ended:
            return None
        answer = self._answers.get(tick.conversation_id)
        if answer is not None:
            if tick.ownership < answer.ownership:
                return None
            if answer.turn == tick.turn and tick.revision < answer.revision:
                return None
            if answer.turn == tick.turn and answer.revision == tick.revision:
                return answer
        answer = LiveAnswer(
            tick.conversation_id, tick.turn, tick.revision, tick.ownership, tick.message_id
        )
        self._answers[tick.conversation_id] = answer
        return answer

    def finish(self, conversation_id: str, message_id: str) -> None:
        """The durable message of a streaming answer was delivered."""
        with self.lock:
            answer = self._answers.get(conversation_id)
            if answer is not None and answer.message_id == message_id:
                answer.finished = True

    def end(self, conversation_id: str, turn: str) -> None:
        """Forget an answer that has ended."""
        with self.lock:
            answer = self._answers.get(conversation_id)
            if answer is not None and answer.turn == turn:
                del self._answers[conversation_id]
            self._ended[conversation_id, turn] = None
            if len(self._ended) > KNOWN_ENDS:
                self._ended.popitem(last=False)

    def freeze(self, conversation_id: str) -> LiveAnswer | None:
        """Stop showing this conversation's answer and return it as it was shown."""
        with self.lock:
            answer = self.get(conversation_id)
            if answer is not None:
                answer.frozen_at = time.monotonic()
            return answer


live_answers = LiveAnswers()
