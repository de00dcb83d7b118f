"""Starting and ending other programs without leaving any behind."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POSTGRES_FOLDERS = "/usr/lib/postgresql"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
PR_SET_PDEATHSIG = 1


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def missing(what: str) -> None:
    """Skip here, fail where everything is promised to be installed."""
    reason = f"{what} is not installed on this machine"
    if in_ci():
        pytest.fail(f"{reason}, and with CI=true that is a failure", pytrace=False)
    pytest.skip(reason)


def program(*names: str) -> str:
    """The path of the first of these programs, PostgreSQL's own folders included."""
    folders = [str(path) for path in sorted(Path(POSTGRES_FOLDERS).glob("*/bin"), reverse=True)]
    search = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    for name in names:
        if path := shutil.which(name, path=search):
            return path
    missing(names[0])
    raise AssertionError("unreachable")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], *, seconds: float = 20, what: str = "it") -> Any:
    """The first true value of `condition`; the last resort where nothing can be awaited."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {seconds} s")


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child process with its log in a file."""

    def __init__(
        self,
        command: list[str],
        *,
        log: Path,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        # The kernel ties the child to the thread that made it, so only the main one may.
        tied = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
        self.log = log
        with log.open("ab") as sink:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                preexec_fn=_end_with_parent if tied else None,
            )

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def send(self, number: int) -> None:
        self.child.send_signal(number)

    def kill(self) -> None:
        """What a power cut does to a process."""
        if self.alive:
            self.child.kill()
            # A stopped process does not die before it is continued.
            self.child.send_signal(signal.SIGCONT)
        self.child.wait(timeout=20)

    def stop(self, number: int = signal.SIGTERM, *, seconds: float = 20) -> int:
        """Ask it to end and return its exit code."""
        if self.alive:
            self.child.send_signal(number)
        return self.child.wait(timeout=seconds)
