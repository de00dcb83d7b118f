"""Doubles for a host project's own tests: play a backend, collect an answer, call a tool."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bots.backends.base import (
    Ask,
    Backend,
    BackendEvent,
    Delta,
    Finished,
    HandOff,
    Source,
    Sources,
    ToolCall,
    ToolCallRequested,
)
from bots.errors import BackendError


@dataclass(slots=True)
class Collected:
    """What a backend did with one question; ``error`` is set when the attempt failed."""

    text: str = ""
    sources: list[Source] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    finished: Finished | None = None
    hand_off: HandOff | None = None
    error: BackendError | None = None
    deltas: int = 0

    def _add(self, event: BackendEvent) -> None:
        match event:
            case Delta(text):
                self.text += text
                self.deltas += 1
            case Sources(sources):
                self.sources += sources
            case ToolCallRequested(call):
                self.calls.append(call)
            case Finished():
                self.finished = event
            case HandOff():
                self.hand_off = event


async def collect(backend: Backend, ask: Ask | str) -> Collected:
    """Ask once and gather everything; never raises a ``BackendError``."""
    collected = Collected()
    if isinstance(ask, str):
        ask = Ask(question=ask)
    try:
        async with aclosing(backend.stream(ask)) as events:
            async for event in events:
                collected._add(event)
    except BackendError as exc:
        collected.error = exc
    return collected


class PlayedBackend(Backend):
    """Plays given events, one list per question; remembers what it was asked.

    An exception in a list is raised. The last list is played again and again::

        backend = PlayedBackend([Delta("Hi"), Finished("stop")])
    """

    name = "played"
    supports_tools = True

    def __init__(self, *answers: Iterable[BackendEvent | Exception]) -> None:
        super().__init__()
        self._answers = [list(answer) for answer in answers] or [[Delta("Hi"), Finished("stop")]]
        self.asked: list[Ask] = []

    async def stream(self, ask: Ask) -> AsyncGenerator[BackendEvent, None]:
        """Play the next list."""
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(replace(ask))
        for event in answer:
            if isinstance(event, Exception):
                raise event
            yield event
