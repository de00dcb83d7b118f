"""`python -m tests.proof.mutation_run SAMPLE SEED MINUTES REPORT`: one fork for each mutant."""

from __future__ import annotations

import gc
import json
import math
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import coverage
import pytest

from tests.proof.mutants import Mutant, code_with, mutants_of
from tests.support.sites import ROOT

PACKAGES = {
    "inbox/actions": ("answering", "journal", "ownership", "posting", "queueing", "rows"),
    "inbox/realtime": ("batcher", "committer", "hub", "live", "poll", "reader", "streams"),
    "bots/actions": ("counting", "endings", "leases", "tool_calls", "turns"),
    "bots/running": ("attempt", "decisions", "keeper", "lease", "run", "tally"),
}
"""Delivery and turns."""
TARGETS = [f"{folder}/{name}.py" for folder, names in PACKAGES.items() for name in names]
TESTS = [
    *(f"tests/inbox/test_{name}.py" for name in ("posting", "committing", "hub", "streams")),
    *(f"tests/inbox/test_{name}.py" for name in ("transitions", "handoff", "queue", "presence")),
    *(f"tests/inbox/test_{name}.py" for name in ("routing", "reading")),
    *(f"tests/bots/test_turns_{name}.py" for name in ("counted", "decisions", "hush", "queue")),
    *(f"tests/bots/test_turns_{name}.py" for name in ("recovery", "running", "tools")),
    "tests/bots/test_responder.py",
    "tests/bots/test_lease.py",
    "tests/inbox/test_conversation_machine.py",
    "tests/bots/test_turn_machine.py",
]
AT_ONCE = 2
LIMIT_SECONDS = 180.0
VERDICTS = {0: "survived", 1: "noticed", 2: "left out", -signal.SIGKILL: "without end"}
"""Exit code of a child → what became of its mutant."""


class Mutation:
    """A pytest plugin that runs the collected tests once for each mutant that they touch."""

    def __init__(self, sample: int, seed: int, minutes: float) -> None:
        self.sample, self.seed = sample, seed
        self.until = time.monotonic() + minutes * 60
        self.failed = False
        self.report: dict[str, Any] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        database = prepared_database(session.config)
        quick = [item for name, item in items.items() if "_machine.py" not in name]
        known = learnt(lambda: self.learn(quick), database)

        def tests_of(mutant: Mutant) -> list[pytest.Item]:
            """Those that come by the changed line, the quickest first."""
            found = set(known["lines"][mutant.path].get(str(mutant.line), ()))
            healthy = found & known["seconds"].keys()
            return [items[name] for name in sorted(healthy, key=known["seconds"].__getitem__)]

        mutants = [m for name in TARGETS for m in mutants_of(ROOT / name, name)]
        reached = [mutant for mutant in mutants if tests_of(mutant)]
        chosen = random.Random(self.seed).sample(reached, min(self.sample, len(reached)))
        jobs = {mutant: tests_of(mutant) for mutant in chosen}
        found = dict(self.verdicts(jobs, database))
        survivors = [mutant for mutant, verdict in found.items() if verdict == "survived"]
        # Slower, and so only for what the others let pass, however late it is.
        self.until = math.inf
        machines = {m: [items[n] for n in items if "_machine.py" in n] for m in survivors}
        found.update(self.verdicts(machines, database))
        self.report = {
            "broken": known["broken"],
            "mutants": len(mutants),
            "never reached": len(mutants) - len(reached),
            "verdicts": {str(mutant): verdict for mutant, verdict in found.items()},
        }
        return True

    def learn(self, items: list[pytest.Item]) -> dict[str, Any]:
        """Run all tests once: each one's seconds, and by file and line which tests come by."""
        tracer = coverage.Coverage(data_file=None, include=[str(ROOT / n) for n in TARGETS])
        seconds: dict[str, float] = {}
        broken: list[str] = []
        tracer.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            tracer.switch_context(item.nodeid)
            began = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                broken.append(item.nodeid)
                self.failed = False
            else:
                seconds[item.nodeid] = time.monotonic() - began
        tracer.stop()
        data = tracer.get_data()
        lines = {name: data.contexts_by_lineno(str(ROOT / name)) for name in TARGETS}
        return {"seconds": seconds, "lines": lines, "broken": broken}

    def verdicts(
        self, jobs: dict[Mutant, list[pytest.Item]], database: Path
    ) -> Iterator[tuple[Mutant, str]]:
        """Run a few at once; yields what became of each, in the order in which they end."""
        running: dict[int, tuple[Mutant, float]] = {}
        waiting = list(jobs)
        while running or (waiting and time.monotonic() < self.until):
            while waiting and len(running) < AT_ONCE and time.monotonic() < self.until:
                mutant = waiting.pop()
                child = forked(lambda m=mutant: self.verdict(m, jobs[m]), database)
                running[child] = mutant, time.monotonic()
            time.sleep(0.01)
            for child, (mutant, began) in list(running.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                if not ended and time.monotonic() - began > LIMIT_SECONDS:
                    os.kill(child, signal.SIGKILL)
                    ended, status = os.waitpid(child, 0)
                if ended:
                    del running[child]
                    for leftover in database.parent.glob(f"{database.stem}.{child}*"):
                        leftover.unlink(missing_ok=True)
                    verdict = VERDICTS[os.waitstatus_to_exitcode(status)]
                    print(f"{verdict}: {mutant}", file=sys.__stderr__, flush=True)
                    yield mutant, verdict

    def verdict(self, mutant: Mutant, items: list[pytest.Item]) -> int:
        """A key of `VERDICTS`: whether a test fails on the changed function."""
        if not swap(mutant):
            return 2
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return 1
        return 0


def swap(mutant: Mutant) -> bool:
    """Give every live function of the changed file its new code; False when it cannot be.

    A changed body may close over less than the function does, which Python does not allow.
    """
    path = ROOT / mutant.path
    new = code_with(path, mutant)
    swapped = False
    for function in [f for f in gc.get_objects() if isinstance(f, FunctionType)]:
        code = function.__code__
        if code.co_filename == str(path) and code.co_qualname in new:
            changed = new[code.co_qualname]
            if changed.co_freevars == code.co_freevars:
                function.__code__ = changed
                swapped = swapped or code.co_qualname == mutant.function
    return swapped


def prepared_database(config: pytest.Config) -> Path:
    """A test database with all tables, which every child copies; no test makes another."""
    import django.test.utils
    from django.db import connections
    from pytest_django.plugin import blocking_manager_key

    with config.stash[blocking_manager_key].unblock():
        django.test.utils.setup_databases(verbosity=0, interactive=False)
        name = Path(connections["default"].settings_dict["NAME"])
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close_all()
    django.test.utils.setup_databases = lambda *_, **__: []
    django.test.utils.teardown_databases = lambda *_, **__: None
    return name


def forked(work: Callable[[], int], database: Path) -> int:
    """A child that does the work on a database of its own and ends with its number."""
    child = os.fork()
    if child:
        return child
    number = 70
    try:
        from django.db import connections

        loud, quiet = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        own = database.with_suffix(f".{os.getpid()}")
        shutil.copy(database, own)
        connections["default"].settings_dict["NAME"] = str(own)
        number = work()
    except Exception:
        os.write(loud, traceback.format_exc().encode())
    finally:
        for leftover in database.parent.glob(f"{database.stem}.{os.getpid()}*"):
            leftover.unlink(missing_ok=True)
        os._exit(number)


def learnt(look: Callable[[], dict[str, Any]], database: Path) -> dict[str, Any]:
    """What the tests come by, learnt in a child so that nothing of it stays in this process."""
    notes = database.with_suffix(".learnt")

    def write() -> int:
        notes.write_text(json.dumps(look()), encoding="utf-8")
        return 0

    _, status = os.waitpid(forked(write, database), 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError("the tests do not pass without any change")
    known: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
    notes.unlink()
    return known


def main(sample: str, seed: str, minutes: str, report: str) -> int:
    plugin = Mutation(int(sample), int(seed), float(minutes))
    quiet = ("-qq", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist")
    options = [*quiet, "-s", "--timeout=30", "-o", "addopts=--import-mode=importlib"]
    code = pytest.main([*TESTS, *options], plugins=[plugin])
    if not plugin.report:
        return int(code) or 1
    Path(report).write_text(json.dumps(plugin.report, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
