"""`python -m benchmarks [row …]`: measures rows and fails when one is below its floor."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import uvloop

import benchmarks
from benchmarks import report
from benchmarks.cpu import CLIENT_CORE
from benchmarks.rows import ROWS, Row, Run

LOCAL_RESULTS = Path(__file__).parent / "results" / "local"


def load_rows() -> dict[str, Row]:
    """Import every module of this package, so that all rows are declared."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.ispkg and module.name != "__main__":
            importlib.import_module(f"benchmarks.{module.name}")
    return ROWS


def measure(row: Row, *, rounds: int, seconds: float, results: Path) -> bool:
    """Run one row, print and keep it; whether it reached its floors."""
    run = Run(rounds=rounds, seconds=seconds)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(row.measure(run))
    except Exception:
        traceback.print_exc()
        print(f"{row.name}: could not be measured", flush=True)
        return False
    print("\n".join(report.row_lines(row, run)), flush=True)
    print(f"  {report.write(results, row, run)}\n", flush=True)
    return run.passed


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when every chosen row reached its floors."""
    rows = load_rows()
    parser = argparse.ArgumentParser(prog="./dev bench", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="rows to measure; all without")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("--rounds", type=int, default=5, help="windows of each subject")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window")
    parser.add_argument("--results", type=Path, default=LOCAL_RESULTS, metavar="DIR")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(f"{row.name:16} {row.title}" for row in rows.values()))
        return 0
    if unknown := [name for name in options.names if name not in rows]:
        parser.error(f"no such row: {', '.join(unknown)}; --list names them")
    os.sched_setaffinity(0, {CLIENT_CORE})
    chosen = [rows[name] for name in options.names] or list(rows.values())
    windows = {"rounds": options.rounds, "seconds": options.seconds}
    passed = [measure(row, **windows, results=options.results) for row in chosen]
    below = [row.name for row, fine in zip(chosen, passed, strict=True) if not fine]
    print(f"Below the floor: {', '.join(below)}" if below else "Every floor was reached.")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
