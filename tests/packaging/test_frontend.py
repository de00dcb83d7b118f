"""The front end's own checks and tests, where Node is; and the built files are the sources'."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.processes import missing
from tests.support.sites import ROOT

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def npm():
    """npm with the project's packages installed; Node is optional even in CI."""
    found = shutil.which("npm")
    if not found:
        pytest.skip("Node is not installed on this machine")
    if not (ROOT / "node_modules" / "esbuild").is_dir():
        missing("the front end's tools (npm ci)")
    return found


def passes(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]


def test_the_front_end_passes_its_own_tests(npm):
    passes(npm, "run", "--silent", "test")


def test_the_committed_files_are_what_the_sources_build(npm):
    passes("node", "frontend/build.mjs", "--check")
