"""What becomes of a bot's turns by the contract: plain Python, no database, no product code."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

ENDS = {"done", "failed", "cancelled", "handed_over"}


@dataclass
class Call:
    """One tool call that was written down."""

    pk: int
    call_id: str
    side_effect: bool
    status: str = "requested"
    result: str = ""
    runs: int = 0
    """How often its function was entered."""


@dataclass
class ModelTurn:
    """One answer in the making."""

    pk: int
    conversation: uuid.UUID
    words: list[str]
    status: str = "queued"
    fence: int = 0
    revision: int = 1
    attempt: int = 0
    expired: bool = False
    said: str = ""
    checkpoint: str = ""
    calls: list[Call] = field(default_factory=list)
    answer: str = ""
    """What the conversation keeps of it once it has ended."""

    def end(self, status: str, answer: str) -> None:
        """There is one end."""
        assert self.status not in ENDS
        self.status, self.answer = status, answer
        self.said = self.checkpoint = ""
        self.expired = False

    @property
    def results(self) -> list[tuple[str, str]]:
        """Calls whose result is known, for whoever continues."""
        return [(call.call_id, call.result) for call in self.calls if call.status == "done"]

    @property
    def open_calls(self) -> list[str]:
        """Calls that have no result yet."""
        return [call.call_id for call in self.calls if call.status != "done"]

    @property
    def is_interrupted(self) -> bool:
        """A call that changes something began, and nobody knows how it went."""
        return any(call.side_effect and call.status == "running" for call in self.calls)


@dataclass
class Turns:
    """All turns, in the order in which they came."""

    known: dict[int, ModelTurn] = field(default_factory=dict)

    def of(self, conversation: uuid.UUID, status: str) -> ModelTurn | None:
        """The one turn of a conversation that is in this state."""
        found = [
            turn
            for turn in self.known.values()
            if (turn.conversation, turn.status) == (conversation, status)
        ]
        assert len(found) < 2, f"{len(found)} turns of one conversation are {status}"
        return found[0] if found else None

    def due(self) -> list[ModelTurn]:
        """What may be claimed now: one at a time in each conversation, orphans included."""
        return [
            turn
            for turn in self.known.values()
            if (turn.status == "queued" and not self.of(turn.conversation, "running"))
            or (turn.status == "running" and turn.expired)
        ]

    def claim(self, turn: ModelTurn) -> int:
        """Somebody works on it from now on; returns the fence number of this claim."""
        turn.revision += turn.status == "running"
        turn.status, turn.expired = "running", False
        turn.fence += 1
        turn.attempt += 1
        return turn.fence

    def interrupt(self, conversation: uuid.UUID, outcome: str) -> bool:
        """A transition or the visitor ends what is unfinished; True when something ran."""
        running, waiting = self.of(conversation, "running"), self.of(conversation, "queued")
        if running:
            running.end(outcome, running.checkpoint)
            running.fence += 1
        if waiting:
            waiting.end("cancelled", "")
            waiting.fence += 1
        return running is not None

    def of_status(self, status: str) -> list[ModelTurn]:
        """All turns in this state."""
        return [turn for turn in self.known.values() if turn.status == status]
