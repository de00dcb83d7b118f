"""Settings of the tutorial's project: Django's defaults, or tuned."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

TUNED = os.environ.get("TUTORIAL_TUNED") == "1"
SECRET_KEY = "the tutorial's project keeps no secrets"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["daphne", "benchmarks.references.tutorial"]
ASGI_APPLICATION = "benchmarks.references.tutorial.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True


def _sqlite(path: str) -> dict[str, Any]:
    found: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
    if TUNED:
        found["CONN_MAX_AGE"] = None
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    return found


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    found: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname,
        "PORT": parts.port,
    }
    if TUNED:
        found["CONN_MAX_AGE"] = None
    return found


_database = os.environ.get("TUTORIAL_DATABASE", "tutorial.sqlite3")
_is_postgres = _database.startswith("postgres")
DATABASES = {"default": _postgres(_database) if _is_postgres else _sqlite(_database)}

THREAD_SENSITIVE = not (TUNED and _is_postgres)
"""Channels runs all queries of a process in one thread. More threads help PostgreSQL; SQLite
has one writer anyway, and several threads would only wait for its lock."""


def _layer() -> dict[str, Any]:
    kind = os.environ.get("TUTORIAL_LAYER", "memory")
    # The default of 100 drops what a burst sends; a chat that loses its text is no yardstick.
    capacity = {"capacity": 100_000}
    if kind == "memory":
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": capacity}
    hosts = {"hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": 15}]}
    if kind == "redis":
        backend = "channels_redis.core.RedisChannelLayer"
        return {"BACKEND": backend, "CONFIG": {**hosts, **capacity}}
    return {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": hosts}


CHANNEL_LAYERS = {"default": _layer()}
