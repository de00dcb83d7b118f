"""Every deterministic fault point, again and again."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.figures import Figure, Scale, proof
from tests.support.sites import ROOT

REPEATS = 5
MODULES = (
    "tests/chaos/test_fault_points.py",
    "tests/chaos/test_commit_unknown.py",
    "tests/chaos/test_database_faults.py",
    "tests/chaos/test_webhook_faults.py",
)


@proof("faults", "Each single fault by itself: nothing acknowledged is lost, nothing comes twice.")
def faults(scale: Scale) -> Iterator[Figure]:
    passed, failed = 0, []
    for _ in range(scale.of(REPEATS)):
        for name, holds in _once():
            passed += holds
            if not holds:
                failed.append(name)
    yield Figure("fault points passed", passed)
    yield Figure.exactly("of them broken", len(failed))
    for name in failed[:10]:
        yield Figure("broken", name[:200])


def _once() -> list[tuple[str, bool]]:
    """Names of the tests and whether each held; one that was skipped has shown nothing."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
        command = [sys.executable, "-m", "pytest", *options, *MODULES]
        env = {name: value for name, value in os.environ.items() if name != "DATA_DIR"}
        subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=False)
        cases = ET.parse(report).getroot().iter("testcase")
        return [(case.attrib["name"], len(case.findall("*")) == 0) for case in cases]
