"""What a turn cost and how it went, over all its attempts; becomes its record."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from bots.actions.endings import Record
from bots.backends.base import Passage, Usage
from bots.errors import BackendError
from bots.models import Turn
from inbox.realtime import metrics

KEPT = 20
"""Failures and calls that a trace holds; a turn cannot grow it without end."""


class Tally:
    """Counts for one turn. No message text goes in here."""

    def __init__(self, turn: Turn) -> None:
        self.trace: dict[str, Any] = {**turn.trace}
        self._turn = turn
        self._began = time.monotonic()
        self._input_tokens = turn.input_tokens
        self._output_tokens = turn.output_tokens
        self._first_token_ms: int | None = turn.first_token_ms

    @property
    def elapsed(self) -> float:
        """Seconds since this worker began."""
        return time.monotonic() - self._began

    def add(self, usage: Usage | None) -> None:
        """Count what one request cost."""
        if usage is not None:
            self._input_tokens += usage.input_tokens
            self._output_tokens += usage.output_tokens

    def first_word(self) -> None:
        """The visitor reads the first word; counted from when the turn came to be."""
        if self._first_token_ms is None:
            seconds = (timezone.now() - self._turn.created_at).total_seconds()
            self._first_token_ms = max(0, round(seconds * 1000))
            metrics.first_token_seconds.observe(self._first_token_ms / 1000)

    def note(self, key: str, value: Any) -> None:
        """Keep one fact."""
        self.trace[key] = value

    def note_passages(self, passages: Iterable[Passage]) -> None:
        """Keep what was found, without its text."""
        self.trace["passages"] = [
            {
                "url": passage.source.url,
                "title": passage.source.title,
                "score": round(passage.score, 3),
            }
            for passage in passages
        ]

    def note_failure(self, error: BackendError, *, revision: int) -> None:
        """Keep why an attempt failed; the details went to the log."""
        failure = {
            "revision": revision,
            "code": error.code,
            "after_ms": round(self.elapsed * 1000),
        }
        self.trace["failures"] = [*self.trace.get("failures", []), failure][-KEPT:]

    def note_call(self, name: str, code: str) -> None:
        """Keep what came of a tool call."""
        self.trace["calls"] = [*self.trace.get("calls", []), {"tool": name, "code": code}][-KEPT:]

    def record(self, *, error_code: str = "", response_id: str = "") -> Record:
        """Everything so far."""
        return Record(
            error_code=error_code,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            first_token_ms=self._first_token_ms,
            duration_ms=round(self.elapsed * 1000),
            response_id=response_id,
            trace=self.trace,
        )
