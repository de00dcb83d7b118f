"""Every way from the event loop into a thread heals the connection it finds there."""

from __future__ import annotations

import re

from tests.support.sites import ROOT

WAYS = re.compile(r"run_in_executor|ThreadPoolExecutor|threading\.Thread\b|sync_to_async\(")
KNOWN = {
    "inbox/database.py": "in_fresh_connection",
    "inbox/realtime/batcher.py": "in_fresh_connection",
    "inbox/realtime/committer.py": "in_fresh_connection",
    "bots/tools/threads.py": "connections.close_all",
    # Looks for a file, asks no database.
    "config/middleware.py": "find_file",
}


def test_every_thread_of_ours_heals_or_closes_its_connection():
    found = {}
    for app in ("inbox", "chatwidget", "bots", "config"):
        for path in sorted((ROOT / app).rglob("*.py")):
            text = path.read_text()
            if WAYS.search(text.replace("async_to_sync(", "")):
                found[str(path.relative_to(ROOT))] = text
    assert found.keys() == KNOWN.keys()
    for name, text in found.items():
        assert KNOWN[name] in text
