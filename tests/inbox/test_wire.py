"""Client frames: what is refused, with which code and field."""

from __future__ import annotations

import json

import msgspec
import pytest

from inbox.errors import ProtocolError
from inbox.realtime.wire import MAX_DEPTH, decode, parse_json


class Say(msgspec.Struct):
    content: str
    attachments: list[str] = []


FRAMES = {"say": Say}


def code_of(text: str) -> tuple[str, str | None]:
    with pytest.raises(ProtocolError) as caught:
        decode(text, FRAMES)
    return caught.value.code, caught.value.field


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        '{"type": "say", "content": NaN}',
        '{"type": "say", "content": 1e999}',
        '{"type": "say", "content": Infinity}',
        '{"type": "say", "type": "say", "content": "x"}',
        '{"type": "say", "content": {"a": 1, "a": 2}}',
        '{"n": ' + "9" * 5000 + "}",
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "[" * 100_000,
        '{"type": "say"} trailing',
    ],
)
def test_what_is_not_strict_json_is_bad_json(text):
    assert code_of(text) == ("bad_json", None)


@pytest.mark.parametrize("text", ["[]", "1", '"say"', "null", "true"])
def test_a_frame_that_is_no_object_is_a_bad_frame(text):
    assert code_of(text)[0] == "bad_frame"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ("unknown_type", "type")),
        ('{"type": "_private"}', ("unknown_type", "type")),
        ('{"type": "disconnect"}', ("unknown_type", "type")),
        ('{"type": 5}', ("invalid_field", "type")),
        ('{"type": "say"}', ("invalid_field", "content")),
        ('{"type": "say", "content": 5}', ("invalid_field", "content")),
        (
            '{"type": "say", "content": "x", "attachments": ["a", 5]}',
            ("invalid_field", "attachments[1]"),
        ),
    ],
)
def test_a_refusal_names_the_field(text, expected):
    assert code_of(text) == expected


def test_unknown_extra_fields_are_ignored():
    frame = decode('{"type": "say", "content": "hello", "colour": {"deep": [1]}}', FRAMES)
    assert frame == Say(content="hello")


def test_nesting_up_to_the_limit_and_brackets_inside_strings_are_fine():
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_json(deep) is not None
    brackets = json.dumps({"content": "[{" * 500 + '\\"' + "[" * 50})
    assert parse_json(brackets)["content"].startswith("[{")
