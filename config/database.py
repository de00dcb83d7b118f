"""Turns DATABASE_URL into Django's DATABASES entry, with the options Frontdesk relies on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.env import env_choice, env_int

SQLITE_SCHEMES = {"sqlite", "sqlite3"}
POSTGRES_SCHEMES = {"postgres", "postgresql"}

SQLITE_CACHE_KIB = 8192
"""Of one connection, at most. A batch of messages touches more pages than SQLite's 2 MB hold; what
does not fit is written in the middle of the transaction and once more at its end."""


def database_from(url: str, *, data_dir: Path) -> dict[str, Any]:
    """The settings of `url`; an empty one means SQLite in the data directory."""
    if not url:
        return sqlite(data_dir / "db.sqlite3")
    parts = urlsplit(url)
    if parts.scheme in SQLITE_SCHEMES:
        # Four slashes begin an absolute path, three a relative one, as everywhere.
        return sqlite(Path(unquote(parts.path.removeprefix("/"))))
    if parts.scheme in POSTGRES_SCHEMES:
        return postgres(url)
    raise ImproperlyConfigured(
        f"DATABASE_URL has the unknown scheme {parts.scheme!r}; use sqlite:// or postgresql://."
    )


def sqlite(path: Path) -> dict[str, Any]:
    """One file, many processes: WAL lets readers pass the one writer, IMMEDIATE makes a writer
    wait for its turn instead of failing half-way, FULL keeps what was acknowledged
    in a power cut."""
    synchronous = env_choice("SQLITE_SYNCHRONOUS", "FULL", ("FULL", "NORMAL", "OFF", "EXTRA"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; "
            # Each row that a trigger indexes would copy its pages into a file of the statement.
            f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}; PRAGMA temp_store=MEMORY;",
        },
        "TEST": {"NAME": test_database_path()},
    }


def test_database_path() -> str:
    """A file of this process alone, in memory where the system has a place for that.

    An in-memory SQLite database cannot be shared by the threads and connections of a real server.
    """
    shared_memory = Path("/dev/shm")  # noqa: S108 -- the name carries the process id
    usable = shared_memory.is_dir() and os.access(shared_memory, os.W_OK)
    folder = shared_memory if usable else Path(tempfile.gettempdir())
    return str(folder / f"frontdesk-test-{os.getpid()}.sqlite3")


def postgres(url: str) -> dict[str, Any]:
    """PostgreSQL through a pool: request threads come and go, so persistent connections
    would pile up; statements and locks give up before a person does."""
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    options.setdefault("connect_timeout", 5)
    options.setdefault("application_name", "frontdesk")
    options["options"] = "-c statement_timeout=15s -c lock_timeout=5s"
    if most := env_int("DATABASE_POOL", 20):
        # A pool doubles its pauses between attempts to connect for as long as it is told to go
        # on, so that after an outage of a minute it would be back a minute late. Told to give
        # up soon, it begins anew with the next query.
        pool = {"min_size": min(2, most), "max_size": most, "timeout": 10}
        options["pool"] = {**pool, "reconnect_timeout": 2}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "frontdesk",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
