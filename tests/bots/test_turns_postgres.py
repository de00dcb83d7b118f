"""Claims rest on row locks, which SQLite has not: the same proofs on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ["test_turns_queue.py", "test_turns_tools.py"]


@pytest.mark.services
@pytest.mark.slow
def test_turns_keep_their_promises_on_postgres_too(postgres_url):
    # Each test's event loop has threads of its own, and each thread keeps its connection.
    env = {**os.environ, "DATABASE_URL": postgres_url, "DATABASE_POOL": "150"}
    modules = [str(Path(__file__).parent / name) for name in MODULES]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *modules]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
