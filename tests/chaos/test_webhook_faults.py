"""Receivers that fail, stall, redirect and drip beside one that works, and senders that die."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from tests.chaos.points import died_at, words_to_die
from tests.chaos.receivers import Receivers, make_endpoints
from tests.chaos.turn_kills import environment, hatch
from tests.chatwidget.wire import VisitorClient
from tests.support.processes import wait_until
from tests.support.sites import MakeSite

pytestmark = [pytest.mark.services]

TIMEOUT_SECONDS = 1
LEASE_SECONDS = 3
MESSAGES = 6


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    found = Receivers().start()
    yield found
    found.stop()


async def until(condition, what: str, seconds: float = 60):
    return await asyncio.to_thread(wait_until, condition, seconds=seconds, what=what)


async def test_webhooks_arrive_at_least_once_under_one_id_whatever_others_do(
    make_site: MakeSite, receivers: Receivers, tmp_path: Path
):
    site = make_site(
        "postgres-redis",
        **environment(
            tmp_path / "marks",
            WEBHOOK_TIMEOUT=str(TIMEOUT_SECONDS),
            WEBHOOK_LEASE=str(LEASE_SECONDS),
            SERVERS_RUN_NOTHING="1",
        ),
    )
    names = ("ok", "fail", "stall", "redirect", "drip")
    server = site.serve()
    secrets = await asyncio.to_thread(make_endpoints, site, receivers, *names)
    # Two sender processes: one dies behind a POST, the other sends again.
    await hatch(site, 2)
    await asyncio.to_thread(server.wait_ready)
    async with VisitorClient(server.url).connect() as socket:
        texts = [f"event {number} {uuid.uuid4().hex}" for number in range(MESSAGES)]
        for text in texts:
            await socket.say(text)
        await until(lambda: all(receivers.of("ok", text) for text in texts), "the good one")
        await until(lambda: all(len(receivers.of("fail", t)) > 1 for t in texts[:1]), "a retry")
        token = uuid.uuid4().hex[:8]
        last = words_to_die("webhook_posted", token)
        await socket.say(last)
        marks = Path(site.env["FAULTS_DIR"])
        await until(lambda: died_at(marks, token), "the death behind a POST")
        await until(lambda: receivers.of("ok", last), "the good one")
        # Whichever delivery the sender died of comes again, each under the id it had.
        await until(lambda: any(len(receivers.of(n, last)) > 1 for n in names), "the repetition")
    for name in names:
        for text in (*texts[:1], last):
            assert len({one.id for one in receivers.of(name, text)}) <= 1
    told = receivers.of("ok", texts[0])[0]
    assert Webhook(secrets["ok"]).verify(told.body, told.headers)
    assert "elsewhere" not in receivers.got
    for name in ("stall", "drip"):
        assert receivers.got[name], f"{name} was tried too"
