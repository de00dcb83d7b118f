"""Tells visitors who come back while they wait where they stand in the line."""

from __future__ import annotations

import asyncio
import uuid

from inbox.assignment.positions import queue_frame, queue_positions
from inbox.realtime.batcher import Batcher

BATCH_LIMIT = 500

Frame = dict[str, object]
_lines: dict[asyncio.AbstractEventLoop, Batcher[uuid.UUID, Frame | None]] = {}


def _frames(conversation_ids: list[uuid.UUID]) -> list[Frame | None]:
    """A storm of returning visitors reads the line once, not once each."""
    positions = queue_positions(set(conversation_ids))
    return [queue_frame(positions[key]) if key in positions else None for key in conversation_ids]


async def queue_frame_of(conversation_id: uuid.UUID) -> Frame | None:
    """The ``queue`` frame of a waiting conversation; None when it does not wait any more."""
    loop = asyncio.get_running_loop()
    line = _lines.get(loop)
    if line is None:
        for old in [known for known in _lines if known.is_closed()]:
            del _lines[old]
        line = _lines[loop] = Batcher("positions", _frames, BATCH_LIMIT)
    return await line.submit(conversation_id)
