"""What a client was shown of one conversation, kept by the contract's rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

Frame = dict[str, Any]
DURABLE = frozenset({"message", "message_updated", "conversation"})


class Took(Enum):
    """What became of a durable frame."""

    NEW = auto()
    KNOWN = auto()
    GAP = auto()


@dataclass
class View:
    """Durable frames by number, without a hole up to `head`."""

    head: int = 0
    shown: dict[int, Frame] = field(default_factory=dict)
    contradictions: list[int] = field(default_factory=list)
    """Numbers that came a second time with another content."""
    gaps: int = 0

    def take(self, frame: Frame) -> Took:
        """Show a frame if it is the next one; a GAP wants `resume` from `head`."""
        seq = frame["seq"]
        if seq <= self.head:
            if self.shown[seq] != frame:
                self.contradictions.append(seq)
            return Took.KNOWN
        if seq != self.head + 1:
            self.gaps += 1
            return Took.GAP
        self.head = seq
        self.shown[seq] = frame
        return Took.NEW

    @property
    def frames(self) -> list[Frame]:
        """In the order of their numbers."""
        return [self.shown[seq] for seq in sorted(self.shown)]
