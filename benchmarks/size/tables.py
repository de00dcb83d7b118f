"""Rows by the thousand: `executemany` on SQLite, COPY on PostgreSQL, the same values for both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction

Row = tuple[Any, ...]
BATCH = 20_000
EPOCH = dt.datetime(1970, 1, 1)


def moment(seconds: float) -> str:
    """A time as both databases read it, in UTC."""
    return str(EPOCH + dt.timedelta(seconds=seconds))


class Table:
    """Rows of one model on their way into its table; `columns` names their values."""

    def __init__(self, model: type[models.Model], columns: str) -> None:
        self.model = model
        self.columns = columns.split()
        self.rows: list[Row] = []
        self.written = 0
        known = {field.column for field in model._meta.concrete_fields}
        if wrong := known.symmetric_difference(self.columns) - {"id"}:
            raise ValueError(f"columns of {model.__name__}: {wrong}")

    def add(self, row: Row) -> None:
        """Take one row; every now and then what has gathered is written."""
        self.rows.append(row)
        if len(self.rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        table = f'"{self.model._meta.db_table}"'
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in self.rows:
                        copy.write_row(row)
            elif self.rows:
                marks = ", ".join(["%s"] * len(self.columns))
                cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", self.rows)
        self.written += len(self.rows)
        self.rows.clear()


def restart_numbers(tables: Sequence[Table]) -> None:
    """The next row that the product inserts gets a number of its own."""
    numbered = [t.model for t in tables if isinstance(t.model._meta.pk, models.AutoField)]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), numbered):
            cursor.execute(statement)


@contextmanager
def without_indexes(tables: Sequence[Table]) -> Iterator[None]:
    """Random keys into large indexes are most of the work; sorted at the end they are cheap."""
    if connection.vendor != "sqlite":
        yield
        return
    names = [table.model._meta.db_table for table in tables]
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            f" AND tbl_name IN ({marks})",
            names,
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, statement in found:
            cursor.execute(statement)


@contextmanager
def without_checks() -> Iterator[None]:
    """One transaction whose rows are taken unseen: they refer to what will be there."""
    with connection.constraint_checks_disabled(), transaction.atomic():
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL session_replication_role = replica")
            else:
                cursor.execute("PRAGMA cache_size = -1000000")
        yield
