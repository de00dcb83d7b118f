"""Pages at size: server time and statements of lists, conversations, searches and the admin."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from benchmarks.cpu import SERVER_CORE, pinned
from benchmarks.data import filled, work
from benchmarks.rows import Gate, Run, row
from benchmarks.windows import percentile

GATES = {"first page": (60.0, 30.0), "open": (60.0, 30.0), "search": (120.0, 60.0)}
"""Group of pages → most milliseconds of server time at the 95th percentile: floor and aim."""
STATEMENTS = 12
BESIDE = ("whole page", "lists", "admin", "resume", "knowledge")
SLOWEST = 6


async def measure(run: Run, kind: str) -> None:
    """Ask every page of the filled database a few times, one after the other."""
    with filled(kind) as (url, known), pinned(SERVER_CORE):
        found = json.loads(work(url, "pages", "--rounds", str(max(5, run.rounds))))["pages"]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for page in found:
        groups[page["group"]].append(page)
    for group, (floor, aim) in GATES.items():
        pages = groups[group]
        run.value(
            Gate(f"{group}: server time at p95, ms", floor, aim, False), at_95(pages, "server")
        )
        most = max(page["queries"] for page in pages)
        run.value(Gate(f"{group}: statements", STATEMENTS, STATEMENTS, False), most)
    for group in (*GATES, *BESIDE):
        pages = groups[group]
        run.note(
            group,
            f"server p95 {at_95(pages, 'server'):.0f} ms, wall p95 {at_95(pages, 'wall'):.0f} ms,"
            f" at most {max(page['queries'] for page in pages)} statements",
        )
    slowest = sorted(found, key=lambda page: -percentile(page["server"], 95))
    for page in slowest[:SLOWEST]:
        run.note(f"  {page['name']}", f"{percentile(page['server'], 95):.0f} ms")
    run.note("messages", f"{known['stored']:.0f} in {known['bytes'] / 1e9:.2f} GB")


def at_95(pages: list[dict[str, Any]], clock: str) -> float:
    """The 95th percentile over all times that pages of a group were asked for."""
    return percentile([value for page in pages for value in page[clock]], 95)


@row("inbox", "Lists, conversations and searches among 2 million messages on SQLite")
async def inbox(run: Run) -> None:
    """Every page in turn."""
    await measure(run, "sqlite")


@row("inbox-postgres", "The same on PostgreSQL")
async def inbox_postgres(run: Run) -> None:
    """Every page in turn."""
    await measure(run, "postgres")
