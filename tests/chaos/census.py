"""What a server process holds right now, written to a file on SIGUSR1."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from tests.chaos.points import folder


def write(_number: int, _frame: FrameType | None) -> None:
    """Count, and move the counts into place in one step."""
    target = path_of(folder(), os.getpid())
    draft = target.with_suffix(".draft")
    draft.write_text(json.dumps(counted()))
    draft.rename(target)


def path_of(marks: Path, pid: int) -> Path:
    """Where the census of a process appears."""
    return marks / f"census-{pid}.json"


def counted() -> dict[str, Any]:
    """Name → count of what must go back to where it was when everybody has left."""
    from chatwidget import holding
    from inbox.realtime.publish import attached_hub
    from inbox.realtime.socket import open_sockets

    gc.collect()
    hub = attached_hub()
    tasks = asyncio.all_tasks(hub.loop) if hub is not None else set()
    kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
    counts: dict[str, Any] = {
        "open sockets": len(open_sockets),
        "visitors held": len(holding._held),
        "tasks": len(tasks),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "consumers": kinds["WidgetConsumer"],
        "readers": kinds["VisitorReader"],
        "protocols": kinds["WebSocketProtocol"] + kinds["WebRequest"],
    }
    if hub is not None:
        counts["topics"] = len(hub.topics)
        counts["watchers"] = len(hub.watchers)
        counts["listeners"] = len(hub.listeners)
    counts["task names"] = sorted(task.get_coro().__qualname__ for task in tasks)  # type: ignore[union-attr]
    return counts
