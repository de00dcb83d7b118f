"""Twelve bugs that this kind of software has had: each planted in a copy, each killed by a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.proof.figures import Figure, Scale, proof
from tests.support.sites import ROOT

LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "node_modules", "var", "_build", "screenshots", "results", "dist", "build"
)


@dataclass(frozen=True)
class Planted:
    """A bug: the text that it replaces in one file, and the test that must notice."""

    name: str
    path: str
    found: str
    planted: str
    test: str
    """A pytest node, or a file of front end tests."""

    def plant(self, tree: Path) -> None:
        """Write it into a copy; the text must stand there exactly once, or it proves nothing."""
        source = (tree / self.path).read_text(encoding="utf-8")
        assert source.count(self.found) == 1, f"{self.name}: look again at {self.path}"
        changed = source.replace(self.found, self.planted)
        (tree / self.path).write_text(changed, encoding="utf-8")


PLANTED = [
    Planted(
        "ack before commit",
        "inbox/actions/posting.py",
        "    with transaction.atomic():\n        return _Posting(",
        "    transaction.set_autocommit(False)\n    if True:\n        return _Posting(",
        "tests/inbox/test_committing.py::test_what_is_acknowledged_is_there_for_everybody_else",
    ),
    Planted(
        "no dedupe",
        "inbox/actions/drafts.py",
        'return f"v{self.sender.visitor_id}:{self.client_id}"',
        'return f"v{self.sender.visitor_id}:{uuid.uuid4()}"',
        "tests/inbox/test_posting.py::test_a_resend_names_the_row_that_was_stored_first",
    ),
    Planted(
        "no head poll",
        "inbox/realtime/poll.py",
        "self._catch_up(*head)",
        "pass",
        "tests/inbox/test_hub.py::test_the_head_poll_finds_an_event_whose_only_hint_was_lost",
    ),
    Planted(
        "no fence",
        "bots/models/turn.py",
        "self.filter(pk=turn_id, fence=fence, status=TurnStatus.RUNNING)",
        "self.filter(pk=turn_id, status=TurnStatus.RUNNING)",
        "tests/bots/test_turns_queue.py::test_a_stalled_worker_that_wakes_up_late_stores_nothing",
    ),
    Planted(
        "append on retry",
        "bots/running/run.py",
        "self.turn.said, self.turn.sources = attempt.said, attempt.sources",
        "self.turn.said, self.turn.sources = attempt.stream.text, attempt.sources",
        "tests/bots/test_turns_running.py::test_a_retry_replaces_what_the_first_attempt_said",
    ),
    Planted(
        "unordered batch",
        "inbox/actions/posting.py",
        "for index, draft in self.drafts.items():\n            try:",
        "for index, draft in reversed(self.drafts.items()):\n            try:",
        "tests/inbox/test_committing.py::test_a_batch_stands_in_the_order_in_which_it_came",
    ),
    Planted(
        "gap in seq",
        "inbox/actions/journal.py",
        "        if visible:\n            conversation.visitor_head += 1",
        "        conversation.visitor_head += 1",
        "tests/inbox/test_hub.py::test_a_private_note_is_neither_a_hole_nor_a_hint_for_the_visitor",
    ),
    Planted(
        "no ownership check",
        "inbox/actions/answering.py",
        "conversation.ownership == ownership\n        and ",
        "",
        "tests/inbox/test_committing.py::test_an_answer_of_an_earlier_owner_is_not_stored",
    ),
    Planted(
        "drop on overflow",
        "inbox/realtime/socket.py",
        "            metrics.slow_readers.inc()\n"
        "            self.close_soon(CloseCode.OVERLOADED, at_once=True)\n",
        "            self._waiting_bytes -= len(self._outbox.pop())\n",
        "tests/inbox/test_committing.py::test_a_reader_with_too_much_waiting_is_told_to_come_back",
    ),
    Planted(
        "reset ignored",
        "frontend/shared/reducer.ts",
        '      next.session = "";\n      next.wants = "restart";\n',
        "",
        "frontend/tests/converge.test.ts",
    ),
    Planted(
        "lease never renewed",
        "bots/actions/leases.py",
        "update(lease_until=lease_end(), **_news(by_id[pk]))",
        "update(**_news(by_id[pk]))",
        "tests/bots/test_turns_queue.py::test_renewing_extends_the_lease_and_stores_what_was_said",
    ),
    Planted(
        "finish reason ignored",
        "bots/backends/chat.py",
        '            raise BackendError("answer_cut", "no finish_reason", retryable=True)\n',
        '            self._finish = "stop"\n',
        "tests/bots/test_backend_faults.py::test_fault_ends_as_a_failed_attempt",
    ),
]


@proof("planted", "The suite can fail: each of twelve classic bugs is killed by a named test.")
def planted(scale: Scale) -> Iterator[Figure]:
    """Every test passes on the copy as it is and fails once its bug is in."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-planted-") as folder:
        tree = copy_of_the_sources(Path(folder) / "tree")
        for bug in PLANTED:
            original = (tree / bug.path).read_bytes()
            healthy = passes(bug.test, tree)
            bug.plant(tree)
            killed = not passes(bug.test, tree)
            (tree / bug.path).write_bytes(original)
            verdict = "killed" if healthy and killed else "survived" if healthy else "test fails"
            name = bug.test.rsplit("::", 1)[-1]
            yield Figure.exactly(f"{bug.name}: {name}", verdict, "killed")


def copy_of_the_sources(tree: Path) -> Path:
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    modules = tree / "node_modules"
    modules.mkdir()
    # One link for each: the tests' own cache stays in the copy.
    for package in (ROOT / "node_modules").glob("[!.]*"):
        (modules / package.name).symlink_to(package)
    return tree


def passes(test: str, tree: Path) -> bool:
    """Whether the test passes in that tree; a test that is not there is an error."""
    if test.endswith(".ts"):
        command = ["node", "frontend/test.mjs", Path(test).name.removesuffix(".test.ts")]
    else:
        options = ["-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", test, *options]
    # The copy's own packages come before the installed ones, whose sources are the original's.
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, timeout=300)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{test} could not be run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0
