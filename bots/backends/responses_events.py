"""Shapes of the Responses API's events, as far as an answer needs them; the rest is skipped.

Source: OpenAI API reference, "Streaming events".
"""

from __future__ import annotations

import msgspec


class Head(msgspec.Struct, gc=False):
    """Every event has a type; unknown ones are skipped."""

    type: str = ""


class TextDelta(msgspec.Struct, gc=False):
    """``response.output_text.delta``."""

    delta: str | None = None


class Content(msgspec.Struct, gc=False):
    """A part of an output message."""

    type: str = ""
    text: str | None = None


class Item(msgspec.Struct, gc=False):
    """An output item: a message, a function call or reasoning."""

    type: str = ""
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    content: list[Content] | None = None


class ItemEvent(msgspec.Struct, gc=False):
    """``response.output_item.added`` and ``.done``."""

    item: Item
    output_index: int = 0


class ArgumentsEvent(msgspec.Struct, gc=False):
    """``response.function_call_arguments.delta`` and ``.done``."""

    output_index: int = 0
    delta: str | None = None
    arguments: str | None = None


class Problem(msgspec.Struct, gc=False):
    """An error object."""

    code: str | int | None = None
    message: str | None = None
    type: str | None = None
    param: str | None = None


class Tokens(msgspec.Struct, gc=False):
    """Usage in the Responses API's words."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Incomplete(msgspec.Struct, gc=False):
    """Why a response is incomplete."""

    reason: str | None = None


class Response(msgspec.Struct, gc=False):
    """The response as its last event tells it."""

    id: str | None = None
    status: str | None = None
    output: list[Item] | None = None
    usage: Tokens | None = None
    error: Problem | None = None
    incomplete_details: Incomplete | None = None


class ResponseEvent(msgspec.Struct, gc=False):
    """``response.completed``, ``.incomplete`` and ``.failed``."""

    response: Response


class ErrorEvent(Problem, gc=False):
    """``error``; some servers nest the problem."""

    error: Problem | None = None


HEAD = msgspec.json.Decoder(Head)
TEXT = msgspec.json.Decoder(TextDelta)
ITEM = msgspec.json.Decoder(ItemEvent)
ARGUMENTS = msgspec.json.Decoder(ArgumentsEvent)
RESPONSE = msgspec.json.Decoder(ResponseEvent)
ERROR = msgspec.json.Decoder(ErrorEvent)
