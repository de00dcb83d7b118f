"""Ten thousand events, three receivers, one of them dead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.chaos import webhook_load
from tests.chaos.receivers import Receivers, make_endpoints
from tests.chaos.turn_kills import environment
from tests.proof.figures import Figure, Scale, proof
from tests.support.grounds import Ground

EVENTS = 10_000
MOST_SECONDS = 5.0


@proof("webhooks", "One dead receiver makes no other wait, and every event is told.")
def webhooks(scale: Scale) -> Iterator[Figure]:
    receivers = Receivers().start()
    with Ground() as ground:
        # Nobody answers: an event is a message of a visitor and nothing else.
        site = ground.site(
            "postgres-redis", **environment(ground.folder / "marks"), RATE_LIMITS="1000"
        )
        # The dead one comes first wherever endpoints are gone through in their order.
        make_endpoints(site, receivers, webhook_load.DEAD, *webhook_load.LIVE)
        servers = [site.serve(), site.serve()]
        urls = [server.wait_ready().url for server in servers]
        delays = asyncio.run(webhook_load.tell(urls, receivers, scale.of(EVENTS, least=50)))
    receivers.stop()
    seconds = delays.seconds
    yield Figure("events", delays.events, f"({webhook_load.PER_SECOND:g} a second)")
    yield Figure("receivers that work", len(webhook_load.LIVE))
    yield Figure("attempts at the dead one", delays.tries_of_the_dead)
    yield Figure.exactly("events that a working receiver was not told of", delays.missing)
    yield Figure("told twice, under the same id", delays.doubled)
    yield Figure("half of them after", seconds[len(seconds) // 2], "s")
    yield Figure("p99", seconds[int(len(seconds) * 0.99)], "s")
    yield Figure.at_most("the latest after", seconds[-1], MOST_SECONDS, "s")
