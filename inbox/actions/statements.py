"""Several statements in one round trip to the database.

On PostgreSQL a round trip costs a thread the driver's whole machinery, two system calls and a new
wait for the interpreter: more than many a statement, and a batch of messages took twelve of them.
Statements that need nothing of each other's answers go together. In a transaction at READ
COMMITTED each still sees what was committed until its own beginning, so that one which follows a
lock sees the rows as the lock found them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class Statement(NamedTuple):
    """SQL with ``%s`` for each parameter."""

    sql: str
    parameters: Sequence[Any]
    finds: bool = False
    """Whether it returns rows. A cursor knows too, but describes every column to say so."""
    many: bool = False
    """Runs once for each list of parameters."""


def run(statements: Sequence[Statement]) -> list[list[Any]]:
    """Run statements in their order; for each the rows that it found, none if it writes."""
    if not statements:
        return []
    # Each question to the proxy that Django calls `connection` looks up thread and context.
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        if statements[-1].finds:
            _read_moments_in_c(database, cursor)
        if len(statements) == 1 or not _takes_several(database):
            return [_run_one(cursor, statement) for statement in statements]
        cursor.execute(
            "; ".join(statement.sql for statement in statements),
            [value for statement in statements for value in statement.parameters],
        )
        found = []
        for statement in statements:
            found.append(cursor.fetchall() if statement.finds else [])
            cursor.nextset()
        return found


def _run_one(cursor: Any, statement: Statement) -> list[Any]:
    if statement.many:
        cursor.executemany(statement.sql, statement.parameters)
    else:
        cursor.execute(statement.sql, statement.parameters)
    return cursor.fetchall() if statement.finds else []


def _read_moments_in_c(database: BaseDatabaseWrapper, cursor: Any) -> None:
    # Django puts a loader in Python in place of psycopg's own, for sites whose database thinks in
    # another zone than UTC. A message reads five moments, which was a tenth of its work.
    if database.vendor == "postgresql" and database.timezone == dt.UTC:
        cursor.cursor.adapters.register_loader("timestamptz", _moment_loader())


@cache
def _moment_loader() -> Any:
    from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415 -- not on SQLite

    return TimestamptzLoader


def _takes_several(database: BaseDatabaseWrapper) -> bool:
    # Parameters that the server binds allow one statement at a time.
    is_bound_here = database.settings_dict["OPTIONS"].get("server_side_binding") is not True
    return database.vendor == "postgresql" and is_bound_here
