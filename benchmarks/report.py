"""What a run found, for people on the terminal and for files."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.rows import Figure, Row, Run, Sample

MARKS = {"aim": "reaches the aim", "floor": "reaches the floor", "below": "BELOW THE FLOOR"}


def figure_lines(figure: Figure) -> list[str]:
    """A gate with minimum – median – maximum and its verdict."""
    gate, values = figure.gate, figure.values
    sign = "≥" if gate.higher_is_better else "≤"
    measured = " – ".join(f"{value:.3g}" for value in (min(values), figure.median, max(values)))
    marks = f"floor {sign} {gate.floor:g}, aim {sign} {gate.aim:g}"
    return [f"  {gate.what}", f"    {measured}   ({marks}) {MARKS[figure.verdict]}"]


def subject_line(subject: str, samples: Sequence[Sample]) -> str:
    """One subject's medians: CPU per piece of work, wall rate, how busy the clients were."""
    cpu = median(sample.cpu_per_work for sample in samples if sample.work) * 1e6
    rate = median(sample.work_per_second for sample in samples)
    client = max(sample.client_cpu / sample.wall for sample in samples)
    extra = ", ".join(
        f"{name} {median(sample.extra.get(name, 0) for sample in samples):.3g}"
        for name in samples[0].extra
    )
    line = f"  {subject:28} {cpu:9.1f} µs CPU  {rate:10.0f} /s wall  clients ≤ {client:.0%}"
    return f"{line}  {extra}".rstrip()


def row_lines(row: Row, run: Run) -> list[str]:
    """Everything that is printed of one row."""
    lines = [f"{row.name}: {row.title}"]
    lines += [subject_line(name, samples) for name, samples in run.samples.items()]
    for figure in run.figures:
        lines += figure_lines(figure)
    lines += [f"  {what}: {text}" for what, text in run.notes]
    if run.rejected:
        lines.append(f"  {run.rejected} windows rejected: no work, or bound by the clients")
    return lines


def as_json(row: Row, run: Run) -> dict[str, Any]:
    """The same for a file, every sample included."""
    return {
        "row": row.name,
        "title": row.title,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine(),
        "rounds": run.rounds,
        "seconds": run.seconds,
        "rejected": run.rejected,
        "figures": [figure.as_dict() for figure in run.figures],
        "notes": dict(run.notes),
        "samples": {
            subject: [
                {
                    "work": sample.work,
                    "cpu": round(sample.cpu, 3),
                    "wall": round(sample.wall, 3),
                    "client_cpu": round(sample.client_cpu, 3),
                    **{name: round(value, 3) for name, value in sample.extra.items()},
                }
                for sample in samples
            ]
            for subject, samples in run.samples.items()
        },
    }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def write(folder: Path, row: Row, run: Run) -> Path:
    """Keep a row's run as `<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row.name}.json"
    path.write_text(json.dumps(as_json(row, run), indent=1, ensure_ascii=False) + "\n")
    return path
