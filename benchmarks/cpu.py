"""What processes have used of the processor, from `/proc`, and which core they may use."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]
"""With a single core both are the same, and most windows are rejected."""


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Whatever this thread starts meanwhile runs on one core, with all its threads and children."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system seconds of processes and everything below them, ended children included."""
    return sum(_ticks(member) for pid in pids for member in tree(pid)) / TICKS_PER_SECOND


def own_cpu_seconds() -> float:
    """The same of this process, which plays the clients."""
    return time.process_time()


def tree(pid: int) -> list[int]:
    """A process and its descendants, as far as they are alive."""
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children: list[int] = []
    for path in lists:
        with contextlib.suppress(OSError):
            children += [int(word) for word in path.read_text().split()]
    return children


def _ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The name in parentheses may hold spaces; utime, stime, cutime, cstime follow it.
    fields = text.rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))
