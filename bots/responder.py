"""The core's port to the bots: who can be asked, what is asked, what is interrupted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from django.core.exceptions import ImproperlyConfigured
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from bots.actions import turns
from bots.backends import get_backend
from bots.conf import bots_settings
from bots.dispatchers import dispatcher
from bots.models import Bot, Turn, TurnStatus
from inbox.ports import AnswerRequest, Interrupted

CIRCUIT_WINDOW = dt.timedelta(minutes=1)


class BotResponder:
    """Bots as a ``Responder``; declared by the app's configuration."""

    def is_available(self, bot_key: str) -> bool:
        """Whether the bot is on, its backend set up, and not failing all the time."""
        # Asked with every batch of messages: mostly the very latest answer settles it.
        latest = _latest_answers(OuterRef("pk")).values("error_code")[:1]
        bot = Bot.objects.enabled().filter(key=bot_key).annotate(latest=Subquery(latest)).first()
        if bot is None or not backend_works(bot):
            return False
        latest_code = getattr(bot, "latest", None) or ""
        return not (_is_backends_fault(latest_code) and is_failing(bot))

    def respond(self, requests: Sequence[AnswerRequest]) -> None:
        """Record turns in the message's transaction, and jobs where an engine runs them."""
        dispatcher().enqueue(turns.enqueue(requests))

    def interrupt(
        self, conversation_ids: Iterable[uuid.UUID], outcome: str
    ) -> dict[uuid.UUID, Interrupted]:
        """End unfinished turns in the transition's transaction."""
        return turns.interrupt(conversation_ids, outcome)

    def wake(self) -> None:
        """Turns were committed."""
        dispatcher().wake()


def backend_works(bot: Bot) -> bool:
    """Whether the bot's backend exists and has the settings it needs."""
    try:
        return not get_backend(bot.backend_alias).check()
    except ImproperlyConfigured:
        return False


def is_failing(bot: Bot) -> bool:
    """Whether the bot's latest answers all failed for its backend's sake.

    Read from the rows, so that every process knows it and a restart does not forget. While it
    is so nothing is asked, the failures grow old, and after a minute the bot is tried again.
    """
    limit = bots_settings.CIRCUIT_FAILURES
    if not limit:
        return False
    codes = list(_latest_answers(bot.pk).values_list("error_code", flat=True)[:limit])
    return len(codes) == limit and all(map(_is_backends_fault, codes))


def _latest_answers(bot: int | OuterRef) -> QuerySet[Turn]:
    rows: QuerySet[Turn] = Turn.objects.filter(
        bot=bot,
        status__in=[TurnStatus.DONE, TurnStatus.FAILED],
        finished_at__gte=Now() - CIRCUIT_WINDOW,
    ).order_by("-finished_at")
    return rows


def _is_backends_fault(code: str) -> bool:
    return code.startswith("backend_")
