"""Runs one tool call: permission, strict arguments, a time limit, a bounded result.

Whatever goes wrong ends as text for the model, never as an exception; it knows no turns, so
that a call runs at most once is up to its caller.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bots.backends.answer import clean
from bots.backends.base import HandOff, Passage, ToolCall
from bots.conf import bots_settings
from bots.errors import ToolError
from bots.tools.builtin import Found
from bots.tools.context import ToolContext
from bots.tools.definition import Tool
from bots.tools.threads import in_thread

logger = logging.getLogger("bots.tools")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What came of a call. ``text`` goes to the model as untrusted data."""

    text: str
    code: str = "ok"
    """``ok``, or ``unknown_tool``, ``tool_denied``, ``invalid_arguments``, ``tool_timeout``,
    ``tool_failed``."""
    began: bool = False
    """Whether the function was entered: from then on a side effect may have happened."""
    hand_off: HandOff | None = None
    passages: tuple[Passage, ...] = ()


async def run_tool(call: ToolCall, context: ToolContext, tools: Mapping[str, Tool]) -> ToolOutcome:
    """Run one call for this visitor.

    Args:
        tools: those that were offered, from ``tools_for(context)``.
    """
    found = tools.get(call.name)
    if found is None:
        known = ", ".join(sorted(tools)) or "none"
        return ToolOutcome(code="unknown_tool", text=f"There is no such tool. Tools: {known}.")
    try:
        arguments = parsed_arguments(found, call.arguments)
    except ToolError as exc:
        return ToolOutcome(code=exc.code, text=exc.details)
    if found.context_parameter:
        arguments[found.context_parameter] = context
    return await _run(found, arguments, context)


def parsed_arguments(found: Tool, raw: str) -> dict[str, Any]:
    """Arguments by name, defaults filled in.

    Raises:
        ToolError: ``invalid_arguments``; its details tell the model what to mend.
    """
    if len(raw.encode(errors="replace")) > bots_settings.TOOL_ARGUMENT_BYTES:
        raise ToolError("The arguments are too long.", code="invalid_arguments")
    if "\\u0000" in raw:
        # Valid JSON, but no database that a tool may ask takes it.
        raise ToolError("The arguments must not contain NUL.", code="invalid_arguments")
    try:
        struct = msgspec.json.decode(raw.strip() or "{}", type=found.arguments)
    except msgspec.ValidationError as exc:
        raise ToolError(f"Invalid arguments: {exc}", code="invalid_arguments") from exc
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise ToolError("The arguments are not valid JSON.", code="invalid_arguments") from exc
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


async def _run(found: Tool, arguments: dict[str, Any], context: ToolContext) -> ToolOutcome:
    began = False
    limit = asyncio.timeout(bots_settings.TOOL_SECONDS)
    try:
        async with limit:
            if found.permission and not await in_thread(lambda: found.is_allowed(context)):
                return ToolOutcome(code="tool_denied", text="This tool may not be used here.")
            began = True
            if found.is_async:
                return _outcome(await found.function(**arguments))
            return await in_thread(lambda: _outcome(found.function(**arguments)))
    except ToolError as exc:
        return ToolOutcome(code=exc.code, text=_cut(exc.details), began=began)
    except Exception as exc:
        if isinstance(exc, TimeoutError) and limit.expired():
            logger.warning("Tool %s took longer than its limit", found.name)
            text = "The tool took too long; whether it did its work is not known."
            return ToolOutcome(code="tool_timeout", text=text, began=began)
        # The log has the traceback; the model, and so the visitor, learns nothing from it.
        logger.exception("Tool %s failed", found.name)
        return ToolOutcome(code="tool_failed", text="The tool failed.", began=began)


def _outcome(result: Any) -> ToolOutcome:
    match result:
        case HandOff():
            text = "A person of the team was asked to take over."
            return ToolOutcome(text=text, hand_off=result, began=True)
        case Found():
            return ToolOutcome(text=_cut(result.text), passages=result.passages, began=True)
        case str():
            return ToolOutcome(text=_cut(result), began=True)
        case None:
            return ToolOutcome(text="Done.", began=True)
    encoded = msgspec.json.encode(result, enc_hook=str)
    return ToolOutcome(text=_cut(encoded.decode()), began=True)


def _cut(text: str) -> str:
    limit = bots_settings.TOOL_RESULT_BYTES
    # Characters first: encoding 50 MB to keep 16 kB would stop the loop for everybody.
    text = clean(text[: limit + 1])
    data = text[:limit].encode()
    if len(text) <= limit and len(data) <= limit:
        return data.decode()
    ending = " … [cut]"
    return data[: limit - len(ending.encode())].decode(errors="ignore") + ending
