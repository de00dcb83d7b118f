"""Multi-row writes of model instances, with the statement compiled once per model.

``bulk_create`` asks every field of every row how to be stored, which was the larger half of a
message's whole cost; here each column's conversion is looked up once. Defaults, choices and
signals do not apply: the caller sets every field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection, models

Prepare = Callable[[Any], Any] | None

POSTGRES_PARAMETERS = 60_000
"""PostgreSQL takes 65,535 parameters in one statement."""


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert instances of one model in one statement (one prepared statement on SQLite)."""
    if not rows:
        return
    columns = _columns(type(rows[0]), connection.vendor)
    names = ", ".join(connection.ops.quote_name(name) for name, _, _ in columns)
    table = connection.ops.quote_name(type(rows[0])._meta.db_table)
    place = f"({', '.join(['%s'] * len(columns))})"
    head = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608 -- names from the model
    values = [_values(row, columns) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(head + place, values)
        else:
            step = POSTGRES_PARAMETERS // len(columns)
            for start in range(0, len(values), step):
                part = values[start : start + step]
                flat = [value for row in part for value in row]
                cursor.execute(head + ", ".join([place] * len(part)), flat)
    for row in rows:
        row._state.adding = False


def update_rows(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Save the same fields of many instances by primary key."""
    if not rows:
        return
    model = type(rows[0])
    wanted = set(fields)
    columns = [c for c in _columns(model, connection.vendor) if c[1].removesuffix("_id") in wanted]
    key = [c for c in _columns(model, connection.vendor) if c[1] == model._meta.pk.attname]
    assignments = ", ".join(f"{connection.ops.quote_name(name)} = %s" for name, _, _ in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    where = f"{connection.ops.quote_name(key[0][0])} = %s"
    sql = f"UPDATE {table} SET {assignments} WHERE {where}"  # noqa: S608 -- names from the model
    with connection.cursor() as cursor:
        cursor.executemany(sql, [_values(row, [*columns, *key]) for row in rows])


def _values(row: models.Model, columns: Sequence[tuple[str, str, Prepare]]) -> list[Any]:
    return [
        value if prepare is None or value is None else prepare(value)
        for value, prepare in ((getattr(row, attname), prepare) for _, attname, prepare in columns)
    ]


@lru_cache(maxsize=64)
def _columns(model: type[models.Model], vendor: str) -> tuple[tuple[str, str, Prepare], ...]:
    return tuple(
        (str(field.column), field.attname, _prepare(field))
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField)
    )


def _prepare(field: Any) -> Prepare:
    """How a column's values become parameters; None where they are taken as they are."""
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.UUIDField):
        return None if connection.features.has_native_uuid_field else attrgetter("hex")
    if isinstance(target, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(target, models.JSONField):
        return lambda value: target.get_db_prep_save(value, connection)
    if isinstance(target, models.CharField | models.TextField):
        return str
    return None
