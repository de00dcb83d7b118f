"""`python -m tests.proof [name …] [--scale F] [--list] [--results DIR]`: runs the long proofs."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import pkgutil
import platform
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import pytest

import tests.proof
from tests.proof.figures import PROOFS, Figure, Proof, Scale

RESULTS = Path(__file__).parent / "results" / "local"
COLUMNS = ("proof", "figure", "value", "bound", "holds")
ENDED_BADLY = (Exception, pytest.skip.Exception, pytest.fail.Exception)
"""A program that is not installed skips a test; a proof without it has proved nothing."""


def main(arguments: list[str]) -> int:
    """0 when every figure of every proof asked for holds."""
    load_all()
    options = parsed(arguments)
    if options.list:
        for known in PROOFS.values():
            print(f"{known.name:<20} {known.promise}")
        return 0
    scale = Scale(options.scale)
    wanted = chosen(options.names)
    results = [told(one, scale, options.results) for one in wanted]
    print(table(results), flush=True)
    return 0 if all(result["holds"] for result in results) else 1


def load_all() -> None:
    """Import every module of this package, so that each registers its proof."""
    # Some of them need the models, whose settings want a place for what they keep.
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="frontdesk-proof-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    for module in pkgutil.iter_modules(tests.proof.__path__):
        if not module.name.startswith("__"):
            importlib.import_module(f"tests.proof.{module.name}")


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev proof", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="which proofs; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the long form")
    parser.add_argument("--list", action="store_true", help="name the proofs and run none")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if not chosen([name])]:
        parser.error(f"there is no proof {', '.join(unknown)}; there are {', '.join(PROOFS)}")
    if options.scale <= 0:
        parser.error("--scale must be more than 0")
    return options


def chosen(names: list[str]) -> list[Proof]:
    """The proofs of these names; `chaos` stands for `chaos-sqlite` and its like too."""
    return [
        one
        for one in PROOFS.values()
        if not names or any(one.name == name or one.name.startswith(f"{name}-") for name in names)
    ]


def told(one: Proof, scale: Scale, folder: Path) -> dict[str, Any]:
    """Run a proof, print each figure as it comes, and write all of them down."""
    print(f"· {one.name}: {one.promise}", file=sys.stderr, flush=True)
    result = outcome(one, scale)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (folder / f"{one.name}.json").write_text(f"{text}\n", encoding="utf-8")
    return result


def outcome(one: Proof, scale: Scale) -> dict[str, Any]:
    """Figures, machine, date and seconds of one run; an exception is kept as its last line."""
    began, started, load = datetime.now(UTC), time.monotonic(), os.getloadavg()[0]
    figures: list[Figure] = []
    error = ""
    try:
        for figure in one.run(scale):
            figures.append(figure)
            print(f"    {line(figure)}", file=sys.stderr, flush=True)
    except ENDED_BADLY as failure:
        traceback.print_exc()
        error = "".join(traceback.format_exception_only(failure)).strip()
    return {
        "proof": one.name,
        "promise": one.promise,
        "machine": machine(),
        "load_before": round(load, 1),
        "date": began.isoformat(timespec="seconds"),
        "scale": scale.factor,
        "seconds": round(time.monotonic() - started, 1),
        "holds": bool(figures) and not error and all(figure.holds for figure in figures),
        "error": error,
        "figures": [asdict(figure) for figure in figures],
    }


def machine() -> str:
    """As "2 cores, 24 GiB, Python 3.11.7"; cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{cores} cores, {memory / 2**30:.0f} GiB, Python {platform.python_version()}"


def line(figure: Figure) -> str:
    mark = "" if not figure.bound else "  holds" if figure.holds else "  DOES NOT HOLD"
    bound = f" (bound {figure.bound})" if figure.bound else ""
    return f"{figure.what}: {shown(figure)}{bound}{mark}"


def shown(figure: Figure) -> str:
    value = f"{figure.value:,.4g}" if isinstance(figure.value, float) else str(figure.value)
    return f"{value} {figure.unit}".strip()


def table(results: list[dict[str, Any]]) -> str:
    """The summary of all proofs, one line a figure."""
    rows = [COLUMNS]
    for result in results:
        for row in result["figures"]:
            figure = Figure(**row)
            holds = ("yes" if figure.holds else "NO") if figure.bound else ""
            rows.append((result["proof"], figure.what, shown(figure), figure.bound, holds))
        if result["error"]:
            rows.append((result["proof"], "ended early", result["error"].splitlines()[0], "", "NO"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [map(str.ljust, row, widths) for row in rows]
    head, *body = ["  ".join(cells).rstrip() for cells in padded]
    return "\n".join([head, "-" * len(head), *body])


if __name__ == "__main__":
    # Told to stop, a proof still ends its servers and removes its databases.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
