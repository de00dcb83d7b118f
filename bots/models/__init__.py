"""Rows of the bots: articles and passages, bots, turns and tool calls."""

from __future__ import annotations

from bots.models.article import Article
from bots.models.bot import Bot
from bots.models.passage import Passage, Term
from bots.models.tool_call import ToolCall, ToolCallStatus
from bots.models.turn import ANSWERING, UNFINISHED, Turn, TurnStatus

__all__ = [
    "ANSWERING",
    "UNFINISHED",
    "Article",
    "Bot",
    "Passage",
    "Term",
    "ToolCall",
    "ToolCallStatus",
    "Turn",
    "TurnStatus",
]
