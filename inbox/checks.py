"""System checks: each classic misconfiguration, found by ``manage.py check`` instead of by night.

``frontdesk doctor`` proves that an installation works; these only read settings and answer at
once. Ids are stable: ``docs/reference/checks.md`` explains each.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from inbox.conf import inbox_settings

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
CORE_LAYER = "channels_redis.core.RedisChannelLayer"
OUR_PACKAGES = {
    "inbox": "frontdesk_inbox",
    "chatwidget": "frontdesk_chatwidget",
    "bots": "frontdesk_bots",
}
OLDEST_DAPHNE = (4, 2, 2)
REDIS_THAT_GIVES_UP = 8
SHORTEST_TIMEOUT = 5


@register("frontdesk")
def check_installation(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Everything below."""
    found: list[CheckMessage] = []
    for check in (asgi, channel_layer, database, packages, daphne, neighbours):
        found.extend(check())
    return found


@register("frontdesk", deploy=True)
def check_deployment(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """What matters on a live site only: ``manage.py check --deploy``."""
    alias = inbox_settings.CHANNEL_LAYER
    configured = getattr(settings, "CHANNEL_LAYERS", {}).get(alias, {})
    if configured.get("BACKEND") != IN_MEMORY or settings.DEBUG:
        return []
    return [
        Warning(
            "The channel layer is in memory: a second process would hear of news by polling only.",
            hint="Right for one process; for several, use channels_redis.pubsub. Silence it with "
            'SILENCED_SYSTEM_CHECKS = ["inbox.W001"] if there is only one.',
            id="inbox.W001",
        )
    ]


def asgi() -> Iterable[CheckMessage]:
    """Sockets need an ASGI application that ``runserver`` and ``serve`` can find."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield Error(
            "ASGI_APPLICATION is not set, so no socket will ever open.",
            hint='Set ASGI_APPLICATION = "yourproject.asgi.application".',
            id="inbox.E001",
        )


def channel_layer() -> Iterable[CheckMessage]:
    """Frames between processes."""
    alias = inbox_settings.CHANNEL_LAYER
    configured = getattr(settings, "CHANNEL_LAYERS", {}).get(alias)
    if configured is None:
        yield Error(
            f"CHANNEL_LAYERS has no {alias!r}.",
            hint='Add CHANNEL_LAYERS = {"default": {"BACKEND": "'
            + IN_MEMORY
            + '"}}, or Redis for several processes.',
            id="inbox.E002",
        )
        return
    backend = configured.get("BACKEND", "")
    if backend == CORE_LAYER and _redis_gives_up() and not _waits_long_enough(configured):
        yield Error(
            "redis-py 8 stops reading after 5 s of silence, just as long as this channel layer "
            "waits: every idle socket would die.",
            hint='Write each host as {"address": "redis://…", "socket_timeout": 15}, or use '
            "channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="inbox.E003",
        )


def database() -> Iterable[CheckMessage]:
    """What lets several threads write to one SQLite file."""
    configured = settings.DATABASES.get("default", {})
    if not configured.get("ENGINE", "").endswith("sqlite3"):
        return
    options = configured.get("OPTIONS", {})
    if str(options.get("transaction_mode", "")).upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        yield Error(
            "SQLite begins transactions DEFERRED: concurrent writers fail with "
            "“database is locked” instead of waiting.",
            hint='Add "transaction_mode": "IMMEDIATE" and "timeout": 20 to the OPTIONS of the '
            "database.",
            id="inbox.E004",
        )
    if "journal_mode=wal" not in str(options.get("init_command", "")).lower().replace(" ", ""):
        yield Warning(
            "SQLite does not use WAL: readers wait for writers.",
            hint='Add "init_command": "PRAGMA journal_mode=WAL;" to the OPTIONS of the database.',
            id="inbox.W002",
        )


def packages() -> Iterable[CheckMessage]:
    """A package of the project's own with one of our names hides ours without a word."""
    for name, label in OUR_PACKAGES.items():
        spec = importlib.util.find_spec(name)
        places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
        owned = {Path(config.path) for config in apps.get_app_configs() if config.label == label}
        shadowed = any(
            config.name == name and config.label != label for config in apps.get_app_configs()
        )
        if shadowed or (owned and places and not owned & set(places)):
            yield Error(
                f"The package {name!r} that Python imports is not Frontdesk's.",
                hint=f"Rename your own package {name!r}, or move it into your project's package.",
                id="inbox.E005",
            )


def daphne() -> Iterable[CheckMessage]:
    """Older ones let a request smuggle headers and take frames of any size."""
    try:
        installed = version("daphne")
    except PackageNotFoundError:
        return
    numbers = tuple(int(part) for part in installed.split(".")[:3] if part.isdigit())
    if numbers < OLDEST_DAPHNE:
        yield Error(
            f"Daphne {installed} has known holes (CVE-2026-44545, CVE-2026-44546).",
            hint="Run: pip install -U 'daphne>=4.2.2'",
            id="inbox.E006",
        )
    names = list(settings.INSTALLED_APPS)
    static = "django.contrib.staticfiles"
    if "daphne" in names and static in names and names.index("daphne") > names.index(static):
        yield Error(
            "daphne stands after django.contrib.staticfiles, so runserver serves no sockets.",
            hint='Put "daphne" first in INSTALLED_APPS.',
            id="inbox.E007",
        )


def neighbours() -> Iterable[CheckMessage]:
    """What the page and the API need from Django."""
    needed = {
        "rest_framework": "the REST interface",
        "rest_framework.authtoken": "API tokens",
        "django.contrib.sessions": "the operators' login",
        "django.contrib.auth": "accounts",
    }
    missing = [name for name in needed if not apps.is_installed(name)]
    for name in missing:
        yield Error(
            f"{name} is not installed; {needed[name]} need it.",
            hint=f'Add "{name}" to INSTALLED_APPS.',
            id="inbox.E008",
        )


def _redis_gives_up() -> bool:
    try:
        return int(version("redis").split(".")[0]) >= REDIS_THAT_GIVES_UP
    except (PackageNotFoundError, ValueError):
        return False


def _waits_long_enough(configured: dict[str, Any]) -> bool:
    hosts = configured.get("CONFIG", {}).get("hosts") or [None]
    return all(
        isinstance(host, dict)
        and "socket_timeout" in host
        and (host["socket_timeout"] is None or host["socket_timeout"] > SHORTEST_TIMEOUT)
        for host in hosts
    )
