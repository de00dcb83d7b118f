"""Client frames: strict JSON, typed, with the path of what is wrong. No Django, no sockets."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

from inbox.errors import ProtocolError

F = TypeVar("F")

MAX_DEPTH = 16
"""Deepest nesting of objects and lists that a frame may have."""

_PATH = re.compile(r"at `\$\.?([^`]*)`")
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(r"[{}\[\]]")
_FIELD = re.compile(r"field `([^`]*)`")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return value


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique_pairs, parse_constant=_no_constant, parse_float=_finite
)


def parse_json(text: str) -> Any:
    """Strict JSON: no NaN, no duplicate keys, nesting up to ``MAX_DEPTH``.

    Raises:
        ProtocolError: ``bad_json``.
    """
    if _too_deep(text):
        raise ProtocolError("bad_json")
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        # ValueError covers malformed JSON and integers of thousands of digits.
        raise ProtocolError("bad_json") from None


def _too_deep(text: str) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def decode(text: str, frame_types: dict[str, type[F]]) -> F:
    """One client frame as its typed struct.

    Args:
        text: the frame as received.
        frame_types: ``type`` → msgspec struct; unknown extra fields are ignored.

    Raises:
        ProtocolError: ``bad_json``, ``bad_frame``, ``unknown_type`` or ``invalid_field``
            with ``field`` = the path of the first wrong field.
    """
    data = parse_json(text)
    if not isinstance(data, dict):
        raise ProtocolError("bad_frame")
    return convert(data, frame_types)


def convert(data: dict[str, Any], frame_types: dict[str, type[F]]) -> F:
    """A parsed object as its typed struct; errors as in ``decode``."""
    kind = data.get("type")
    if kind is None:
        raise ProtocolError("unknown_type", field="type")
    if not isinstance(kind, str):
        raise ProtocolError("invalid_field", field="type")
    struct = frame_types.get(kind)
    if struct is None:
        raise ProtocolError("unknown_type", field="type")
    return into(data, struct)


def into(data: Any, struct: type[F]) -> F:
    """Any parsed JSON value as a typed struct.

    Raises:
        ProtocolError: ``invalid_field`` with the field's path.
    """
    try:
        return msgspec.convert(data, struct)
    except msgspec.ValidationError as error:
        raise ProtocolError("invalid_field", field=_field_of(str(error))) from None


def _field_of(error: str) -> str:
    path = _PATH.search(error)
    name = _FIELD.search(error)
    parts = [path.group(1) if path else "", name.group(1) if name else ""]
    return ".".join(part for part in parts if part)
