"""Tools: Python functions of the host that a bot may call while it answers."""

from __future__ import annotations

from bots.tools.builtin import Searcher, search_knowledge_tool
from bots.tools.context import ToolContext
from bots.tools.definition import Tool, ToolDefinitionError, tool
from bots.tools.registry import host_tools, specs, tools_for
from bots.tools.running import ToolOutcome, run_tool

__all__ = [
    "Searcher",
    "Tool",
    "ToolContext",
    "ToolDefinitionError",
    "ToolOutcome",
    "host_tools",
    "run_tool",
    "search_knowledge_tool",
    "specs",
    "tool",
    "tools_for",
]
