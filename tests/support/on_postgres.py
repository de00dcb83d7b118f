"""`python -m tests.support.on_postgres [pytest arguments]`: the apps' tests on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.services import PostgresServer
from tests.support.sites import ROOT

APPS = ["tests/inbox", "tests/bots", "tests/chatwidget"]


def main(arguments: list[str]) -> int:
    """pytest's exit code; without arguments it runs the tests of the three apps."""
    try:
        server = PostgresServer()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        sys.exit(str(missing))
    try:
        # Without a pool: every test has its own loop and threads, which would use it up.
        ours = {"DATABASE_URL": server.url(server.create_database()), "DATABASE_POOL": "0"}
        command = [sys.executable, "-m", "pytest", *(arguments or APPS)]
        return subprocess.call(command, cwd=ROOT, env={**os.environ, **ours})
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
