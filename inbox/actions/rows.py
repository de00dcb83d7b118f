"""Multi-row writes of model instances, with the statement compiled once per model.

``bulk_create`` asks every field of every row how to be stored, which was the larger half of a
message's whole cost; here each column's conversion is looked up once. Defaults, choices and
signals do not apply: the caller sets every field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from django.db import connection, models

Prepare = Callable[[Any], Any] | None

POSTGRES_PARAMETERS = 60_000
"""PostgreSQL takes 65,535 parameters in one statement."""


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert instances of one model in one statement (one prepared statement on SQLite)."""
    if not rows:
        return
    columns = _columns(type(rows[0]), connection.vendor)
    names = ", ".join(connection.ops.quote_name(column.name) for column in columns)
    table = connection.ops.quote_name(type(rows[0])._meta.db_table)
    place = f"({', '.join(['%s'] * len(columns))})"
    head = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608 -- names from the model
    values = _values(rows, columns)
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
    wanted, known = set(fields), _columns(model, connection.vendor)
    columns = [column for column in known if column.field in wanted]
    [key] = [column for column in known if column.attname == model._meta.pk.attname]
    assignments = ", ".join(f"{connection.ops.quote_name(c.name)} = %s" for c in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    where = f"{connection.ops.quote_name(key.name)} = %s"
    sql = f"UPDATE {table} SET {assignments} WHERE {where}"  # noqa: S608 -- names from the model
    with connection.cursor() as cursor:
        cursor.executemany(sql, _values(rows, [*columns, key]))


class _Column(NamedTuple):
    name: str
    attname: str
    field: str
    prepare: Prepare


def _values(rows: Sequence[models.Model], columns: Sequence[_Column]) -> list[list[Any]]:
    read = itemgetter(*(column.attname for column in columns))
    prepares = [column.prepare for column in columns]
    return [
        [
            value if prepare is None or value is None else prepare(value)
            # Past the descriptors: every value of these rows is loaded.
            for value, prepare in zip(read(vars(row)), prepares, strict=True)
        ]
        for row in rows
    ]


@lru_cache(maxsize=64)
def _columns(model: type[models.Model], vendor: str) -> tuple[_Column, ...]:
    return tuple(
        _Column(str(field.column), field.attname, field.name, _prepare(field))
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField)
    )


def _prepare(field: Any) -> Prepare:
    """How a column's values become parameters; None where they are taken as they are."""
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.UUIDField):
        return None if connection.features.has_native_uuid_field else attrgetter("hex")
    if isinstance(target, models.DateTimeField):
        # A batch writes one moment into many columns.
        return lru_cache(maxsize=256)(connection.ops.adapt_datetimefield_value)
    if isinstance(target, models.JSONField):
        return _prepare_json(target)
    if isinstance(target, models.CharField | models.TextField):
        return str
    return None


def _prepare_json(field: models.JSONField[Any, Any]) -> Callable[[Any], Any]:
    # Most messages have neither sources nor suggested replies, and their events no payload.
    empty = {kind: field.get_db_prep_save(kind(), connection) for kind in (list, dict)}

    def prepare(value: Any) -> Any:
        if not value and type(value) in empty:
            return empty[type(value)]
        return field.get_db_prep_save(value, connection)

    return prepare
