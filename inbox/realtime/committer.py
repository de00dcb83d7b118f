"""From the event loop into the database: many sockets' messages, one transaction."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from inbox.actions.posting import Busy, Draft, Posted, post, post_batch
from inbox.database import in_fresh_connection
from inbox.errors import InboxError
from inbox.realtime import metrics
from inbox.realtime.batcher import Batcher
from inbox.realtime.hub import get_hub

BATCH_LIMIT = 500
GATHER = 0.5
"""A batch has a price of its own, so that two halves are dearer than one whole: after a batch, half
of its time is left to those whom it answered. A message that comes alone waits for nobody."""
SLOW_LANE_THREADS = 4
"""Messages to a row that somebody holds wait here, so that they never stall the rest."""

_slow_lane = ThreadPoolExecutor(SLOW_LANE_THREADS, thread_name_prefix="frontdesk-slow-lane")
_committers: dict[asyncio.AbstractEventLoop, Batcher[Draft, Posted]] = {}


def _commit(drafts: list[Draft]) -> list[Posted | InboxError]:
    started = time.perf_counter()
    results = post_batch(drafts, skip_locked=True)
    metrics.commit_size.observe(len(drafts))
    metrics.commit_seconds.observe(time.perf_counter() - started)
    return results


def committer() -> Batcher[Draft, Posted]:
    """The committer of the running loop: one writer thread, ack after commit."""
    loop = asyncio.get_running_loop()
    found = _committers.get(loop)
    if found is None:
        for old in [known for known in _committers if known.is_closed()]:
            del _committers[old]
        # Under a server without our command this may be the first that a process hears of
        # chat: what this message asks for must be run and delivered.
        get_hub()
        found = _committers[loop] = Batcher("committer", _commit, BATCH_LIMIT, GATHER)
    return found


async def commit(draft: Draft) -> Posted:
    """Store a message and return where it stands, after its transaction has committed.

    Raises:
        InboxError: as ``inbox.actions.posting.post``.
    """
    try:
        return await committer().submit(draft)
    except Busy:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_slow_lane, in_fresh_connection(post), draft)
