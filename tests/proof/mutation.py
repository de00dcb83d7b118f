"""A sample of small wrong changes in delivery and turns: how many the fast tests notice."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.proof.figures import Figure, Scale, proof
from tests.support.sites import ROOT

SAMPLE = 300
SEED = 2026
MINUTES = 30
"""Nothing more is begun then; what was tried is told."""
WANTED = 90.0


@proof("mutation", "Nine of ten wrong changes in delivery and turns are noticed by fast tests.")
def mutation(scale: Scale) -> Iterator[Figure]:
    """One session that forks for every change; survivors are told on stderr as they are found."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "tests.proof.mutation_run"]
        subprocess.run(
            [*command, str(scale.of(SAMPLE)), str(SEED), str(MINUTES), str(report)],
            cwd=ROOT,
            check=True,
        )
        found = json.loads(report.read_text(encoding="utf-8"))
    verdicts = Counter(found["verdicts"].values())
    verdicts.pop("left out", 0)
    yield Figure.exactly("tests that fail without a change", len(found["broken"]))
    yield Figure("possible changes", found["mutants"])
    yield Figure("in lines that none of these tests reaches", found["never reached"])
    yield Figure("changes tried", verdicts.total())
    yield Figure("after which nothing ended any more", verdicts["without end"])
    noticed = 100 * (verdicts.total() - verdicts["survived"]) / max(1, verdicts.total())
    yield Figure.at_least("noticed", noticed, WANTED, "%")
