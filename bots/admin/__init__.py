"""The bots in the Django admin."""

from __future__ import annotations

from bots.admin.article import ArticleAdmin
from bots.admin.bot import BotAdmin
from bots.admin.turn import TurnAdmin

__all__ = ["ArticleAdmin", "BotAdmin", "TurnAdmin"]
