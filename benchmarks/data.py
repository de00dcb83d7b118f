"""The database of 200,000 conversations: filled once with bulk inserts, kept for other rows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.rows import Gate, Run, row
from benchmarks.size.cluster import KeptCluster

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("FRONTDESK_BENCH_DATA", ROOT / "var" / "bench"))
"""Where the filled databases stay; they are reused when they are there."""
SIZE = {"conversations": 200_000, "messages": 2_000_000, "articles": 10_000, "seed": 1}
VERSION = 1
"""Raise it when the same size and seed fill something else."""
SECRET_KEY = "a-secret-of-the-benchmarks-that-every-process-shares-0123456789"


def settings(url: str) -> dict[str, str]:
    """The environment of a process that works on this database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOTS_")}
    fast = {"SQLITE_SYNCHRONOUS": "OFF", "DATABASE_POOL": "0"}
    return {**kept, **fast, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "DATA_DIR": str(FOLDER)}


def work(url: str, *arguments: str) -> str:
    """What `python -m benchmarks.size` prints on its way out; its failure is the row's."""
    command = [sys.executable, "-m", "benchmarks.size", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=settings(url), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return done.stdout


def fill(url: str) -> dict[str, float]:
    """Fill an empty database; what was filled and the seconds that it took."""
    options = [part for name, value in SIZE.items() for part in (f"--{name}", str(value))]
    began = time.monotonic()
    stored = json.loads(work(url, "fill", *options))
    seconds = round(time.monotonic() - began, 1)
    return {**SIZE, "version": VERSION, "stored": stored["messages"], "seconds": seconds}


@contextmanager
def filled(kind: str) -> Iterator[tuple[str, dict[str, float]]]:
    """The URL of the filled database and what is known of it; `kind` is sqlite or postgres."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    note = FOLDER / f"size-{kind}.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    present = {**SIZE, "version": VERSION}.items() <= known.items()
    if not present:
        forget(kind)
    with database(kind) as url:
        if not present:
            known = fill(url)
            note.write_text(json.dumps(known))
        known["bytes"] = sum(path.stat().st_size for path in files(kind))
        yield url, known


def files(kind: str) -> list[Path]:
    """The files that hold the database."""
    if kind == "sqlite":
        return list(FOLDER.glob("size.sqlite3*"))
    return [path for path in (FOLDER / "postgres").glob("**/*") if path.is_file()]


def forget(kind: str) -> None:
    """Throw away what is there: it is another size, or was not filled to the end."""
    (FOLDER / f"size-{kind}.json").unlink(missing_ok=True)
    for path in FOLDER.glob("size.sqlite3*") if kind == "sqlite" else ():
        path.unlink()
    if kind == "postgres":
        shutil.rmtree(FOLDER / "postgres", ignore_errors=True)


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of the database, with its server running."""
    if kind == "sqlite":
        yield f"sqlite:///{FOLDER / 'size.sqlite3'}"
        return
    cluster = KeptCluster(FOLDER / "postgres")
    try:
        yield cluster.database()
    finally:
        cluster.stop()


def measure(run: Run, kind: str) -> None:
    """Make sure that the database is there, and say how large it is."""
    with filled(kind) as (_, known):
        wanted = 0.999 * SIZE["messages"]
        run.value(Gate("messages in the database", wanted, wanted, True), known["stored"])
        run.note("filled in", f"{known['seconds']} s")
        run.note("size", f"{known['bytes'] / 1e9:.2f} GB")


@row("data", "200,000 conversations, 2 million messages, 10,000 articles on SQLite")
async def data(run: Run) -> None:
    """Fills it, or finds it there."""
    measure(run, "sqlite")


@row("data-postgres", "The same on PostgreSQL")
async def data_postgres(run: Run) -> None:
    """Fills it, or finds it there."""
    measure(run, "postgres")
