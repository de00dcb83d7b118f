"""Bots are written here."""

from __future__ import annotations

from bots.models import Bot


def save_bot(bot: Bot) -> Bot:
    """Store a bot; it counts from the next message on.

    Raises:
        ValidationError: a value that the model refuses.
    """
    bot.full_clean()
    bot.save()
    return bot
