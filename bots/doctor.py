"""What ``frontdesk doctor`` asks the bots: can they answer, and will somebody run their turns?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured
from django.db.models.functions import Now

from bots.backends import get_backend
from bots.conf import bots_settings
from bots.dispatchers import dispatcher
from bots.models import Bot, Turn
from bots.responder import is_failing
from inbox.ports import Finding

LATE_SECONDS = 30


def check_bots() -> Iterator[Finding]:
    """Each enabled bot's backend, and turns that nobody claims."""
    bots = list(Bot.objects.enabled())
    if not bots:
        yield Finding(
            ok=True, title="Bots", detail="None is enabled: every visitor waits for a person."
        )
    for bot in bots:
        yield _check_bot(bot)
    yield _check_queue()


def _check_bot(bot: Bot) -> Finding:
    title = f"Bot {bot.key}"
    try:
        problems = get_backend(bot.backend_alias).check()
    except ImproperlyConfigured as error:
        problems = [str(error)]
    if problems:
        return Finding(
            ok=False,
            title=title,
            detail=f"Its backend {bot.backend_alias} cannot answer.",
            fix=" ".join(problems),
        )
    if is_failing(bot):
        return Finding(
            ok=False,
            title=title,
            detail="Its latest answers all failed; visitors go to people for now.",
            fix="Look at the failed turns in the admin: the error says what the provider said.",
        )
    return Finding(ok=True, title=title, detail=f"It answers with {bot.backend_alias}.")


def _check_queue() -> Finding:
    dispatcher()
    late = Turn.objects.due().filter(next_at__lt=Now() - dt.timedelta(seconds=LATE_SECONDS))
    count = late.count()
    return Finding(
        ok=not count,
        title="Turns",
        detail=f"{count} wait for longer than {LATE_SECONDS} s."
        if count
        else f"None is late; {bots_settings.DISPATCHER} runs them.",
        fix="Start a server process, or with BOTS_DISPATCHER=worker or procrastinate "
        "`python manage.py frontdesk worker`.",
    )
