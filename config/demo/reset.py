"""Throws the demo's data away, whichever database holds it."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection

SQLITE_COMPANIONS = ("", "-wal", "-shm", "-journal")


def reset() -> None:
    """Leaves an empty database and no uploads; `migrate` builds it up again."""
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    if connection.vendor == "sqlite":
        connection.close()
        path = Path(connection.settings_dict["NAME"])
        for companion in SQLITE_COMPANIONS:
            path.with_name(path.name + companion).unlink(missing_ok=True)
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS public CASCADE")
        cursor.execute("CREATE SCHEMA public")
