"""Faults of SQLite that only its own connections can have, for as long as a file asks for them."""

from __future__ import annotations

import functools
from typing import Any

from django.db import connection

from tests.chaos.points import folder

FULL = "database-full"
READ_ONLY = "database-read-only"
PLENTY = 1_073_741_823


def plant() -> None:
    """Before each look of the posting transaction at its rows, make them full or read-only."""
    from inbox.actions import posting

    original = posting._store_retrying

    @functools.wraps(original)
    def store(*args: Any, **kwargs: Any) -> Any:
        if connection.vendor == "sqlite":
            _set()
        return original(*args, **kwargs)

    posting._store_retrying = store


def _set() -> None:
    # A limit below what the file has already means: not one page more.
    pages = 1 if (folder() / FULL).exists() else PLENTY
    read_only = int((folder() / READ_ONLY).exists())
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.execute(f"PRAGMA query_only={read_only}")
