"""`python -m tests.chaos.nest N COMMAND…`: N `frontdesk COMMAND` processes; the dead are replaced.

What runs turns, a worker or a server, takes seconds to start, most of it for imports. Here the
imports are done once and the processes are forked from that, so that a proof can kill thousands.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from types import FrameType

import django
from django.core.management import call_command

PR_SET_PDEATHSIG = 1

_brood: set[int] = set()


def main(count: int, command: list[str]) -> None:
    """Until SIGTERM, which kills them all."""
    django.setup()
    _load_everything()
    signal.signal(signal.SIGTERM, _end)
    for _ in range(count):
        _hatch(command)
    while True:
        pid, _ = os.wait()
        _brood.discard(pid)
        _hatch(command)


def _load_everything() -> None:
    for name in ("bots.work", "inbox.commands.worker", "inbox.webhooks.source"):
        importlib.import_module(name)


def _hatch(command: list[str]) -> None:
    parent = os.getpid()
    if pid := os.fork():
        _brood.add(pid)
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it died before the kernel knew of the tie
    try:
        call_command("frontdesk", *command)
    finally:
        os._exit(0)


def _end(_number: int, _frame: FrameType | None) -> None:
    for pid in _brood:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
