"""The door: tickets of sockets that arrive together are redeemed together."""

from __future__ import annotations

import asyncio

from chatwidget.actions.tickets import Admission, TicketUse, redeem
from inbox.realtime.batcher import Batcher

BATCH_LIMIT = 500


_doors: dict[asyncio.AbstractEventLoop, Batcher[TicketUse, Admission]] = {}


async def admit_socket(use: TicketUse) -> Admission:
    """Redeem one ticket together with those that arrive meanwhile.

    Raises:
        NotAdmitted: with the close code.
        InboxError: ``try_again`` when the database is away.
    """
    loop = asyncio.get_running_loop()
    door = _doors.get(loop)
    if door is None:
        for old in [known for known in _doors if known.is_closed()]:
            del _doors[old]
        door = _doors[loop] = Batcher("tickets", redeem, BATCH_LIMIT)
    return await door.submit(use)
