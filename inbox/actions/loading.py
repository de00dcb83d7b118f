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

from inbox.actions.statements import Statement, run

Row = TypeVar("Row", bound=models.Model)
PLAIN_KEYS = ("uuid", "integer", "bigint", "smallint")
"""Types whose values need no quotes within PostgreSQL's notation of an array."""
_encode_keys = msgspec.json.Encoder(enc_hook=str).encode


class Wanted(NamedTuple):
    """Rows of a model by key, in the order of the column that holds the key."""

    model: type[models.Model]
    keys: Collection[Any]
    by: str = ""
    """Name of the column; the primary key without one."""
    through: tuple[type[models.Model], str] | None = None
    """A model and its column: the keys are that model's, and its column names the wanted rows."""
    locking: str = ""
    """``FOR …`` clause for databases that lock rows."""


def load(model: type[Row], keys: Collection[Any], *, by: str = "") -> list[Row]:
    """Instances whose column ``by`` is one of the keys, in the order of that column.

    Args:
        by: name of a column; the primary key without one.
    """
    [rows] = load_together(Wanted(model, keys, by))
    return rows


def load_together(*wanted: Wanted) -> list[list[Any]]:
    """The instances for each of several wishes, read in this order and in one round trip."""
    sources = [_source_of(one) for one in wanted]
    asked = [
        Statement(f"{source.select}{one.locking}", [source.parameter(one.keys)], finds=True)
        for source, one in zip(sources, wanted, strict=True)
        if source is not None
    ]
    found = iter(run(asked))
    return [
        _instances(one.model, source, next(found)) if source else _ask_orm(one)
        for source, one in zip(sources, wanted, strict=True)
    ]


def _source_of(wanted: Wanted) -> _Source | None:
    # An account of the host's may lie in several tables.
    if not wanted.keys or wanted.model._meta.parents:
        return None
    by = wanted.by or str(wanted.model._meta.pk.column)
    return _source(wanted.model, by, wanted.through, connection.vendor)


def _ask_orm(wanted: Wanted) -> list[Any]:
    if not wanted.keys:
        return []
    keys: Any = wanted.keys
    if wanted.through:
        model, column = wanted.through
        keys = model._base_manager.filter(pk__in=keys).values(column)
    by = wanted.by or "pk"
    return list(wanted.model._base_manager.filter(**{f"{by}__in": keys}).order_by(by))


def _instances(model: type[Row], source: _Source, found: Sequence[Any]) -> list[Row]:
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
def _source(
    model: type[models.Model],
    by: str,
    through: tuple[type[models.Model], str] | None,
    vendor: str,
) -> _Source:
    quote = connection.ops.quote_name
    fields = model._meta.concrete_fields
    names = ", ".join(quote(str(field.column)) for field in fields)
    [key] = [field for field in fields if field.column == by]
    key = through[0]._meta.pk if through else key
    parameter: Callable[[Collection[Any]], Any] = _json_keys
    where = "IN (SELECT value FROM json_each(%s))"
    if vendor == "postgresql":
        kind = str(key.rel_db_type(connection))
        # A cast to varchar(160) would cut a longer key short, which then is another's.
        kind = "text" if kind.startswith("varchar") else kind
        where, parameter = f"= ANY(%s::{kind}[])", list
        if kind in PLAIN_KEYS:
            parameter = _array
    if through:
        other, column = through
        where = f"{quote(str(other._meta.pk.column))} {where}"
        where = f"IN (SELECT {quote(column)} FROM {quote(other._meta.db_table)} WHERE {where})"  # noqa: S608 -- names from the model
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


def _array(keys: Collection[Any]) -> str:
    # One word for the driver, which turns each member of a list into a literal in Python.
    return f"{{{','.join(map(str, keys))}}}"


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
