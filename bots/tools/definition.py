"""A plain Python function of the host becomes a tool: its hints are the schema.

    @tool(side_effect=False)
    def order_status(context: ToolContext, order: str) -> str:
        '''Where an order of this visitor is. order: the number on the confirmation.'''

Who the visitor is comes from ``ToolContext``; a parameter that would let the model name a
person or a conversation is refused when the function is declared.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

import msgspec

from bots.backends.base import ToolSpec
from bots.tools.context import ToolContext

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = {
    "context",
    "conversation",
    "conversation_id",
    "customer_id",
    "user",
    "user_id",
    "visitor",
    "visitor_external_id",
    "visitor_id",
    "widget_key",
}
"""Parameters that would let a model say whom the call is about."""


class ToolDefinitionError(TypeError):
    """The function cannot be a tool; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that a model may call."""

    spec: ToolSpec
    function: Callable[..., Any]
    arguments: type[msgspec.Struct]
    """Strict shape of the arguments: no conversions, no extra keys."""
    context_parameter: str = ""
    """Name of the parameter that takes the ``ToolContext``; empty for none."""
    permission: str | None = None
    """Only offered when the visitor is a user of the site with this permission."""
    is_async: bool = False

    @property
    def name(self) -> str:
        """The name the model uses."""
        return self.spec.name

    def is_allowed(self, context: ToolContext) -> bool:
        """Whether this tool may be used for this visitor. May query the database."""
        if self.permission is None:
            return True
        return context.user is not None and bool(context.user.has_perm(self.permission))


Function = typing.TypeVar("Function", bound=Callable[..., Any])
TOOL_ATTRIBUTE = "_frontdesk_tool"


@overload
def tool(function: Function) -> Function: ...
@overload
def tool(
    *, name: str = "", side_effect: bool = False, permission: str | None = None
) -> Callable[[Function], Function]: ...
def tool(
    function: Function | None = None,
    *,
    name: str = "",
    side_effect: bool = False,
    permission: str | None = None,
) -> Function | Callable[[Function], Function]:
    """Declare a function as a tool; list its dotted path in ``BOTS_TOOLS``.

    The function stays what it was. Synchronous ones run in a thread, so they may use the ORM.

    Args:
        name: instead of the function's own; ``[a-z][a-z0-9_]*``, at most 64 characters.
        side_effect: it changes something. It then runs at most once per call, also when the
            process dies in the middle, and is never repeated after a failure.
        permission: such as ``shop.view_order``; the visitor's user must have it.

    Raises:
        ToolDefinitionError: no docstring, a parameter without a hint, a reserved parameter.
    """

    def declare(declared: Function) -> Function:
        made = make_tool(declared, name=name, side_effect=side_effect, permission=permission)
        setattr(declared, TOOL_ATTRIBUTE, made)
        return declared

    return declare if function is None else declare(function)


def make_tool(
    function: Callable[..., Any],
    *,
    name: str = "",
    side_effect: bool = False,
    permission: str | None = None,
) -> Tool:
    """The ``Tool`` of a function, without marking the function."""
    name = name or function.__name__
    if not NAME.fullmatch(name):
        raise ToolDefinitionError(f"A tool's name is {NAME.pattern}, not {name!r}.")
    description = inspect.getdoc(function)
    if not description:
        raise ToolDefinitionError(f"Tool {name} needs a docstring: the model reads it.")
    fields, context_parameter = _fields(name, function)
    arguments = msgspec.defstruct(
        f"{name}_arguments", fields, forbid_unknown_fields=True, kw_only=True
    )
    return Tool(
        spec=ToolSpec(
            name=name,
            description=description,
            parameters=_schema(arguments),
            side_effect=side_effect,
        ),
        function=function,
        arguments=arguments,
        context_parameter=context_parameter,
        permission=permission,
        is_async=inspect.iscoroutinefunction(function),
    )


def _fields(name: str, function: Callable[..., Any]) -> tuple[list[Any], str]:
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as exc:
        raise ToolDefinitionError(f"Tool {name}: {exc}. Import it at run time too.") from exc
    fields: list[Any] = []
    context_parameter = ""
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name)
        if hint is ToolContext:
            context_parameter = parameter.name
            continue
        _check(name, parameter, hint)
        if parameter.default is parameter.empty:
            fields.append((parameter.name, hint))
        else:
            fields.append((parameter.name, hint, parameter.default))
    return fields, context_parameter


def _check(name: str, parameter: inspect.Parameter, hint: Any) -> None:
    where = f"Tool {name}, parameter {parameter.name}"
    if hint is None:
        raise ToolDefinitionError(f"{where}: needs a type hint.")
    if parameter.name in RESERVED:
        raise ToolDefinitionError(
            f"{where}: whom a call is about never comes from the model; take a ToolContext."
        )
    if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
        raise ToolDefinitionError(f"{where}: must be a plain or keyword-only parameter.")


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    try:
        (_, components) = msgspec.json.schema_components([arguments], ref_template="#/$defs/{name}")
    except TypeError as exc:
        raise ToolDefinitionError(f"{arguments.__name__}: {exc}") from exc
    schema = dict(components.pop(arguments.__name__))
    schema.pop("title", None)
    if components:
        schema["$defs"] = components
    return schema
