"""Tells every reader to start over after the database went back in time."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from inbox.commands.base import Subcommand, Write
from inbox.models import Installation


class NewEpoch(Subcommand):
    """`frontdesk new-epoch`, to be run once after a backup was restored."""

    name = "new-epoch"
    help = "Run once after restoring a backup: readers of the lost history start over."

    def run(self, options: Mapping[str, Any], write: Write) -> int:
        row, _created = Installation.objects.update_or_create(
            pk=1, defaults={"epoch": uuid.uuid4()}
        )
        write(f"New epoch {row.epoch}; restart the server processes.")
        return 0
