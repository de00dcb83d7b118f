"""Which tools there are: the built-in ones and those that ``BOTS_TOOLS`` names."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from bots.backends.base import ToolSpec
from bots.conf import bots_settings
from bots.tools.builtin import HAND_OFF
from bots.tools.context import ToolContext
from bots.tools.definition import TOOL_ATTRIBUTE, Tool


def host_tools() -> dict[str, Tool]:
    """Tools of the host project by name.

    Raises:
        ImproperlyConfigured: a path that cannot be imported, is no tool, or a name twice.
    """
    tools: dict[str, Tool] = {}
    for path in bots_settings.TOOLS:
        try:
            function = import_string(path)
        except ImportError as exc:
            raise ImproperlyConfigured(f"BOTS_TOOLS: {path!r} cannot be imported: {exc}") from exc
        found = getattr(function, TOOL_ATTRIBUTE, None)
        if not isinstance(found, Tool):
            raise ImproperlyConfigured(f"BOTS_TOOLS: {path!r} is no function marked with @tool.")
        if found.name in tools or found.name == HAND_OFF.name:
            raise ImproperlyConfigured(f"BOTS_TOOLS: there are two tools named {found.name!r}.")
        tools[found.name] = found
    return tools


def tools_for(context: ToolContext, *, more: Iterable[Tool] = ()) -> dict[str, Tool]:
    """Tools that may be offered for this visitor, by name. May query the database.

    Args:
        more: tools made for this turn, such as ``search_knowledge_tool``.
    """
    tools = {HAND_OFF.name: HAND_OFF, **host_tools()}
    tools.update((made.name, made) for made in more)
    return {name: found for name, found in tools.items() if found.is_allowed(context)}


def specs(tools: dict[str, Tool]) -> tuple[ToolSpec, ...]:
    """What a backend is told about them."""
    return tuple(found.spec for found in tools.values())
