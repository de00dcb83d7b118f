"""Is the database there, up to date, and set up so that the promises hold?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from inbox.ports import Finding

TITLE = "Database"


def check_database() -> Iterator[Finding]:
    """Reachable, migrated, and with the settings of its vendor."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        yield Finding(
            ok=False,
            title=TITLE,
            detail=f"It cannot be reached: {error}".strip(),
            fix="Start the database, or correct DATABASES in the settings.",
        )
        return
    yield Finding(ok=True, title=TITLE, detail=f"{connection.vendor} answers.")
    yield from check_migrations()
    if connection.vendor == "sqlite":
        yield from check_sqlite()


def check_migrations() -> Iterator[Finding]:
    """No migration is waiting."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in waiting[:5])
    more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
    yield Finding(
        ok=not waiting,
        title="Migrations",
        detail=f"Not applied: {names}{more}." if waiting else "All are applied.",
        fix="Run: python manage.py migrate",
    )


def check_sqlite() -> Iterator[Finding]:
    """WAL, IMMEDIATE and a waiting time: what lets several threads write to one file."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        journal_mode = str(cursor.fetchone()[0]).lower()
    options = connection.settings_dict.get("OPTIONS", {})
    yield Finding(
        ok=journal_mode in {"wal", "memory"},
        title="SQLite journal",
        detail=f"journal_mode is {journal_mode}.",
        fix='Add to DATABASES OPTIONS: "init_command": "PRAGMA journal_mode=WAL;"',
    )
    yield Finding(
        ok=str(options.get("transaction_mode", "")).upper() == "IMMEDIATE",
        title="SQLite transactions",
        detail=f"transaction_mode is {options.get('transaction_mode') or 'DEFERRED'}.",
        fix='Add to DATABASES OPTIONS: "transaction_mode": "IMMEDIATE"',
    )
    waits = float(options.get("timeout", 5))
    yield Finding(
        ok=waits >= 10,
        title="SQLite waiting time",
        detail=f"A writer waits {waits:g} s for its turn.",
        fix='Add to DATABASES OPTIONS: "timeout": 20',
    )
