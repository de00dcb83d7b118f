"""The line to PostgreSQL breaks in the middle of a COMMIT: nobody knows what became of it."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterator

import pytest

from tests.chaos.commit_cutter import CommitCutter
from tests.chatwidget.wire import VisitorClient
from tests.support.services import PostgresServer
from tests.support.sites import MakeSite, Site

pytestmark = [pytest.mark.services]


@pytest.fixture
def cutter(postgres_server: PostgresServer) -> Iterator[CommitCutter]:
    found = CommitCutter(postgres_server.port).start()
    yield found
    found.stop()


@pytest.fixture
def site(make_site: MakeSite, cutter: CommitCutter) -> Site:
    found = make_site("postgres-redis", BOTS_BACKEND="scripted", SCRIPTED_TOKENS="3")
    found.env["DATABASE_URL"] = re.sub(r":\d+/", f":{cutter.port}/", found.env["DATABASE_URL"])
    return found


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_message_whose_commit_was_cut_is_stored_and_acknowledged_once(
    site: Site, cutter: CommitCutter, moment: str
):
    server, neighbour = site.serve(), site.serve()
    for one in (server, neighbour):
        await asyncio.to_thread(one.wait_ready)
    vera = VisitorClient(server.url)
    elsewhere = VisitorClient(neighbour.url)
    async with vera.connect() as socket:
        await socket.say("first")
        elsewhere.token = vera.token
        async with elsewhere.connect("?since=0") as other:
            token = uuid.uuid4().hex[:8]
            words = f"cut-{moment}-{token}"
            ack = await socket.say(words, token)
            assert cutter.cuts == [f"{moment}-{token}"]
            again = await socket.say(words, token)
            for frame in (ack, again):
                assert (frame["id"], frame["seq"]) == (ack["id"], ack["seq"])
            for reader in (socket, other):
                await reader.seen("message", content=words)
            await socket.seen("message", content=words)
            # Both questions are answered, the second one once.
            await other.seen("message", role="assistant")
            await socket.say("last")
            await other.seen("message", content="last")
            for reader in (socket, other):
                await reader.drain(0.5)
                stored = [f for f in reader.durable if f.get("content") == words]
                assert [frame["id"] for frame in stored] == [ack["id"]]
                assert reader.seqs == list(range(1, len(reader.seqs) + 1))
            acks = [f for f in socket.frames if f["type"] == "ack" and f["client_id"] == token]
            assert len(acks) == 2, "one for each time it was sent"
    assert "Traceback" not in server.output()
