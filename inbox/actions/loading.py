"""Rows by key and new rows, with statement and conversions compiled once per model.

A queryset builds its SQL anew each time and asks every field of every row to set itself, which
was a third of a message's whole cost. What comes from here are ordinary model instances of the
default database; defaults, ``pre_init`` and ``post_init`` do not apply.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)
_encode_keys = msgspec.json.Encoder(enc_hook=str).encode


def load(model: type[Row], keys: Collection[Any], *, by: str = "", locking: str = "") -> list[Row]:
    """Instances whose column ``by`` is one of the keys, in the order of that column.

    Args:
        by: name of a column; the primary key without one.
        locking: ``FOR …`` clause for databases that lock rows.
    """
    if not keys:
        return []
    by = by or str(model._meta.pk.column)
    if model._meta.parents:
        # An account of the host's may lie in several tables.
        return list(model._base_manager.filter(**{f"{by}__in": keys}).order_by(by))
    source = _source(model, by, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(f"{source.select}{locking}", [source.parameter(keys)])
        found = cursor.fetchall()
    if not found:
        return []
    columns = list(zip(*found, strict=True))
    for position, convert in source.converts:
        columns[position] = tuple(convert(columns[position]))
    rows = [
        make(model, **dict(zip(source.names, values, strict=True)))
        for values in zip(*columns, strict=True)
    ]
    for row in rows:
        row._state.adding = False
    return rows


def make(model: type[Row], **attributes: Any) -> Row:
    """A new instance with exactly these attributes, one for each column."""
    row = model.__new__(model)
    state = attributes["_state"] = ModelState()
    state.db = DEFAULT_DB_ALIAS
    row.__dict__ = attributes
    return row


def relate(row: models.Model, **neighbours: models.Model | None) -> None:
    """Hand a row its neighbours by field; their ids stand in its columns already."""
    row._state.fields_cache.update(neighbours)


class _Source(NamedTuple):
    select: str
    names: tuple[str, ...]
    converts: tuple[tuple[int, Callable[[Sequence[Any]], list[Any]]], ...]
    parameter: Callable[[Collection[Any]], Any]


@lru_cache(maxsize=64)
def _source(model: type[models.Model], by: str, vendor: str) -> _Source:
    quote = connection.ops.quote_name
    fields = model._meta.concrete_fields
    names = ", ".join(quote(str(field.column)) for field in fields)
    [key] = [field for field in fields if field.column == by]
    parameter: Callable[[Collection[Any]], Any] = _json_keys
    where = "IN (SELECT value FROM json_each(%s))"
    if vendor == "postgresql":
        kind = str(key.rel_db_type(connection))
        # A cast to varchar(160) would cut a longer key short, which then is another's.
        kind = "text" if kind.startswith("varchar") else kind
        where, parameter = f"= ANY(%s::{kind}[])", list
    table, column = quote(model._meta.db_table), quote(by)
    return _Source(
        select=f"SELECT {names} FROM {table} WHERE {column} {where} ORDER BY {column}",  # noqa: S608 -- names from the model
        names=tuple(field.attname for field in fields),
        converts=tuple(
            (position, convert)
            for position, field in enumerate(fields)
            if (convert := _converting(field)) is not None
        ),
        parameter=parameter,
    )


def _json_keys(keys: Collection[Any]) -> str:
    return _encode_keys([getattr(key, "hex", key) for key in keys]).decode()


def _converting(field: Any) -> Callable[[Sequence[Any]], list[Any]] | None:
    """From a column as the driver gives it to its Python values; None where they are the same."""
    expression = field.get_col(field.model._meta.db_table)
    known = [
        *connection.ops.get_db_converters(expression),
        *expression.get_db_converters(connection),
    ]
    if not known:
        return None
    is_moment = isinstance(field, models.DateTimeField) and connection.vendor == "sqlite"
    if is_moment and settings.USE_TZ and connection.timezone_name == "UTC":
        known = [_moment]

    def convert(column: Sequence[Any]) -> list[Any]:
        for one in known:
            column = [
                None if value is None else one(value, expression, connection) for value in column
            ]
        return list(column)

    return convert


def _moment(value: dt.datetime, *_: Any) -> dt.datetime:
    # Django's own way asks for the zones of connection and settings, for every value.
    return value.replace(tzinfo=dt.UTC)
