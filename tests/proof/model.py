"""Ten times the examples of the state machines and of the visitor's reducer, new ones each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tests.proof.figures import Figure, Scale, proof
from tests.support.sites import ROOT
from tests.support.stateful import FACTOR

TIMES = 10
MACHINES = {
    "conversations": "tests/inbox/test_conversation_machine.py",
    "turns": "tests/bots/test_turn_machine.py",
}
SCREENS = 1500
"""Runs of the short form, as `frontend/tests/converge.test.ts` has them."""


@proof("model", "Conversations, turns and the visitor's screen are what a plain model says.")
def model(scale: Scale) -> Iterator[Figure]:
    """Each machine in a process of its own; a failing example is told on stderr, made short."""
    factor = TIMES * scale.factor
    for what, path in MACHINES.items():
        examples, failed = machine(path, factor)
        yield Figure(f"stories of {what}", examples)
        yield Figure.exactly(f"stories of {what} that end otherwise", failed)
    if shutil.which("node") is None:
        yield Figure("frames to the visitor's screen", "Node is missing", "", "run", holds=False)
        return
    done = subprocess.run(["node", "frontend/test.mjs", "converge"], cwd=ROOT, env=given(factor))
    yield Figure("stories of frames", round(SCREENS * factor))
    yield Figure.exactly("stories of frames that end otherwise", int(done.returncode != 0))


def machine(path: str, factor: float) -> tuple[int, int]:
    """Examples that ran, and 1 if one of them failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", path, "-q", "-p", "no:randomly"]
        # The limit of a single test is for the short form.
        options = ["--timeout=0", f"--junitxml={report}", "-o", "junit_family=xunit1"]
        done = subprocess.run([*command, *options], cwd=ROOT, env=given(factor))
        found = ElementTree.parse(report).iter("property")
        examples = [int(one.get("value", "0")) for one in found if one.get("name") == "examples"]
    return sum(examples), int(done.returncode != 0)


def given(factor: float) -> dict[str, str]:
    return {**os.environ, FACTOR: str(factor)}
