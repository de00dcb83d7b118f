"""What one commit or one tick sends to readers, here and in other processes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from inbox.realtime.records import Record


class Ending(msgspec.Struct, frozen=True):
    """A streaming answer that this change has ended."""

    turn: str
    revision: int
    outcome: str
    full_content: str
    message_id: str


class Change(msgspec.Struct, frozen=True):
    """The durable part: new events of one conversation, committed together."""

    conversation_id: str
    visitor_id: int
    head: int
    visitor_head: int
    ownership: int
    team_id: int | None
    previous_team_id: int | None
    operator_id: int | None
    summary: dict[str, Any]
    records: list[Record] = []
    endings: list[Ending] = []


class Ephemeral(msgspec.Struct, frozen=True):
    """A frame without ``seq`` for the readers of one conversation."""

    conversation_id: str
    frame: dict[str, Any]
    audience: Literal["visitor", "operator", "both"] = "both"
    ownership: int | None = None
    """Dropped by readers that were sent a newer take-over."""
    operator_frame: dict[str, Any] | None = None
    """What operators get instead (their numbering of a read mark)."""


class Tick(msgspec.Struct, frozen=True):
    """A stretch of a streaming answer. ``text`` begins at code point ``offset``."""

    conversation_id: str
    turn: str
    revision: int
    ownership: int
    message_id: str
    offset: int
    text: str = ""
    sources: list[dict[str, Any]] | None = None
    snapshot: bool = False
    """``text`` is the whole text so far; only readers that are behind are sent it."""
    ending: Ending | None = None


class Control(msgspec.Struct, frozen=True):
    """Something that changes what open sockets or running answers may do."""

    kind: Literal["visitor", "operator", "epoch", "hush", "hushed"]
    """``visitor``: blocked or revoked; ``operator``: account, teams or permissions changed;
    ``hush``: the answer ``key`` is about to be ended; ``hushed``: it has said its last word."""
    id: int = 0
    close_code: int = 0
    key: str = ""


class Batch(msgspec.Struct, frozen=True):
    """Everything that one transaction or tick publishes."""

    changes: list[Change] = []
    ephemerals: list[Ephemeral] = []
    ticks: list[Tick] = []
    controls: list[Control] = []
    committed_at: float = 0.0
    """Unix time of the commit behind it; 0 for what no transaction stands behind."""


encode_batch = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
