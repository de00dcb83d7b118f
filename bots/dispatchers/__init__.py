"""Who runs turns, chosen by ``BOTS_DISPATCHER``; the rows carry the truth in each case."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from bots.conf import bots_settings
from bots.dispatchers.base import SOURCE, Dispatcher
from bots.dispatchers.embedded import EmbeddedDispatcher
from bots.dispatchers.engine import ProcrastinateDispatcher
from bots.dispatchers.worker import WorkerDispatcher

__all__ = ["DISPATCHERS", "SOURCE", "Dispatcher", "dispatcher"]

DISPATCHERS: dict[str, Dispatcher] = {
    "embedded": EmbeddedDispatcher(),
    "worker": WorkerDispatcher(),
    "procrastinate": ProcrastinateDispatcher(),
}


def dispatcher() -> Dispatcher:
    """The one in use.

    Raises:
        ImproperlyConfigured: ``BOTS_DISPATCHER`` names none.
    """
    try:
        return DISPATCHERS[bots_settings.DISPATCHER]
    except KeyError:
        known = ", ".join(DISPATCHERS)
        raise ImproperlyConfigured(
            f"There is no BOTS_DISPATCHER {bots_settings.DISPATCHER!r}. Known: {known}."
        ) from None
