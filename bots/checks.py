"""What is wrong with the bots' settings, with the fix; run by ``manage.py check``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from bots.backends import get_backend
from bots.conf import bots_settings
from bots.dispatchers import DISPATCHERS

MIN_LEASE_SECONDS = 3
MAX_LEASE_SECONDS = 25


@register("frontdesk")
def check_backend(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``BOTS_BACKEND`` and every entry of ``BOTS_BACKENDS`` can be made."""
    found: list[CheckMessage] = []
    for alias in dict.fromkeys([bots_settings.BACKEND, *bots_settings.BACKENDS]):
        try:
            problems = get_backend(alias).check()
        except ImproperlyConfigured as error:
            found.append(Error(str(error), id="frontdesk_bots.E001"))
            continue
        found += [
            Warning(
                f"The bot backend {alias!r} cannot answer: {problem}",
                hint="Until then visitors wait for a person.",
                id="frontdesk_bots.W001",
            )
            for problem in problems
        ]
    return found


@register("frontdesk")
def check_dispatcher(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``BOTS_DISPATCHER`` is known and has what it needs."""
    name = bots_settings.DISPATCHER
    if name not in DISPATCHERS:
        return [
            Error(
                f"There is no BOTS_DISPATCHER {name!r}.",
                hint=f"Known: {', '.join(DISPATCHERS)}.",
                id="frontdesk_bots.E002",
            )
        ]
    if name != "procrastinate":
        return []
    found = _check_engine_workers()
    if not apps.is_installed("procrastinate.contrib.django"):
        found.append(
            Error(
                "BOTS_DISPATCHER is procrastinate, which is not installed here.",
                hint="pip install django-frontdesk[scale], add procrastinate.contrib.django to "
                "INSTALLED_APPS and migrate.",
                id="frontdesk_bots.E003",
            )
        )
    if connection.vendor != "postgresql":
        found.append(
            Error(
                "BOTS_DISPATCHER is procrastinate, which needs PostgreSQL.",
                hint="Use PostgreSQL, or BOTS_DISPATCHER = 'worker'.",
                id="frontdesk_bots.E004",
            )
        )
    return found


def _check_engine_workers() -> list[CheckMessage]:
    defaults = getattr(settings, "PROCRASTINATE_WORKER_DEFAULTS", {})
    if defaults.get("concurrency", 1) > 1:
        return []
    return [
        Warning(
            "Procrastinate's workers run one job at a time: each visitor waits for all others.",
            hint='Set PROCRASTINATE_WORKER_DEFAULTS = {"concurrency": 100}.',
            id="frontdesk_bots.W004",
        )
    ]


@register("frontdesk")
def check_numbers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Leases and concurrency that can work."""
    found: list[CheckMessage] = []
    if bots_settings.CONCURRENCY < 1:
        found.append(Error("BOTS_CONCURRENCY is below 1.", id="frontdesk_bots.E005"))
    if bots_settings.LEASE_SECONDS < MIN_LEASE_SECONDS:
        found.append(
            Warning(
                f"BOTS_LEASE_SECONDS is below {MIN_LEASE_SECONDS}.",
                hint="A busy moment would count as a dead worker and begin answers anew.",
                id="frontdesk_bots.W002",
            )
        )
    elif bots_settings.LEASE_SECONDS > MAX_LEASE_SECONDS:
        found.append(
            Warning(
                f"BOTS_LEASE_SECONDS is above {MAX_LEASE_SECONDS}.",
                hint="An answer whose worker died is taken up no sooner; visitors wait that long.",
                id="frontdesk_bots.W003",
            )
        )
    return found
