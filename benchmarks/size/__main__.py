"""`python -m benchmarks.size fill|pages`: works on the database of DATABASE_URL, prints JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys

import django


def main() -> None:
    """Run one of the two in a process of its own, with the reference project's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.size", description=__doc__)
    parser.add_argument("work", choices=("fill", "pages"))
    parser.add_argument("--conversations", type=int, default=200_000)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if options.work == "fill":
        from django.core.management import call_command  # noqa: PLC0415 -- after setup
        from django.db import connection  # noqa: PLC0415

        from benchmarks.size.fill import Size, fill  # noqa: PLC0415

        size = Size(options.conversations, options.messages, options.articles, options.seed)
        call_command("migrate", verbosity=0)
        # Nobody else is there, and a database that was half filled is thrown away.
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA journal_mode = OFF")
        stored = fill(size, lambda text: print(text, file=sys.stderr, flush=True))
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA journal_mode = WAL")
        print(json.dumps({"messages": stored}))
    else:
        from benchmarks.size.pages import measure  # noqa: PLC0415

        print(json.dumps(measure(rounds=options.rounds)))


if __name__ == "__main__":
    main()
