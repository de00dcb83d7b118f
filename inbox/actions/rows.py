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

import msgspec
from django.db import connection, models

from inbox.actions.statements import Statement

Prepare = Callable[[Any], Any] | None

_encode_json = msgspec.json.Encoder(enc_hook=str).encode


def insertion(rows: Sequence[models.Model]) -> list[Statement]:
    """What inserts instances of one model; nothing for none. Say ``stored`` when it was run."""
    if not rows:
        return []
    columns = _columns(type(rows[0]), connection.vendor)
    table, names = _table(type(rows[0])), ", ".join(column.quoted for column in columns)
    if connection.vendor == "postgresql":
        source = _recordset(columns)
        sql = f"INSERT INTO {table} ({names}) SELECT {names} FROM {source}"  # noqa: S608 -- names from the model
        return [Statement(sql, [_json(rows, columns)])]
    places = ", ".join(["%s"] * len(columns))
    sql = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 -- names from the model
    return [Statement(sql, _values(rows, columns), many=True)]


def stored(rows: Sequence[models.Model]) -> None:
    """Mark new instances as rows of the database."""
    for row in rows:
        row._state.adding = False


def saving(rows: Sequence[models.Model], fields: Sequence[str]) -> list[Statement]:
    """What saves the same fields of many instances by primary key; nothing for none."""
    if not rows:
        return []
    model = type(rows[0])
    wanted, known = set(fields), _columns(model, connection.vendor)
    columns = [column for column in known if column.field in wanted]
    [key] = [column for column in known if column.attname == model._meta.pk.attname]
    everything = [*columns, key]
    if connection.vendor == "postgresql":
        assignments = ", ".join(f"{c.quoted} = new.{c.quoted}" for c in columns)
        where = f"{_table(model)}.{key.quoted} = new.{key.quoted}"
        sql = (
            f"UPDATE {_table(model)} SET {assignments} FROM {_recordset(everything)} WHERE {where}"  # noqa: S608 -- names from the model
        )
        return [Statement(sql, [_json(rows, everything)])]
    assignments = ", ".join(f"{column.quoted} = %s" for column in columns)
    sql = f"UPDATE {_table(model)} SET {assignments} WHERE {key.quoted} = %s"  # noqa: S608 -- names from the model
    return [Statement(sql, _values(rows, everything), many=True)]


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _recordset(columns: Sequence[_Column]) -> str:
    # One parameter for the whole batch: psycopg turns each parameter into a literal in Python.
    types = ", ".join(f"{column.quoted} {column.type}" for column in columns)
    return f"jsonb_to_recordset(%s::jsonb) AS new({types})"


def _json(rows: Sequence[models.Model], columns: Sequence[_Column]) -> str:
    read = itemgetter(*(column.attname for column in columns))
    names = [column.name for column in columns]
    objects = [dict(zip(names, read(vars(row)), strict=True)) for row in rows]
    return _encode_json(objects).decode()


class _Column(NamedTuple):
    name: str
    quoted: str
    type: str
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
        _Column(
            name=str(field.column),
            quoted=connection.ops.quote_name(str(field.column)),
            type=str(field.db_type(connection)),
            attname=field.attname,
            field=field.name,
            prepare=_prepare(field),
        )
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
