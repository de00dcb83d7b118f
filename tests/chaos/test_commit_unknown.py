"""The line to PostgreSQL breaks in the middle of a COMMIT: nobody knows what became of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from tests.chaos.commit_cutter import CommitCutter
from tests.chatwidget.wire import VisitorClient
from tests.support.services import PostgresServer
from tests.support.sites import MakeSite, Site

pytestmark = [pytest.mark.services]


@pytest.fixture(scope="module")
def cutter(postgres_server: PostgresServer) -> Iterator[CommitCutter]:
    found = CommitCutter(postgres_server.port).start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def site(make_module_site: MakeSite, cutter: CommitCutter) -> Site:
    """Two servers behind the cutter."""
    found = make_module_site("postgres-redis", BOTS_BACKEND="scripted", SCRIPTED_TOKENS="3")
    found.env["DATABASE_URL"] = re.sub(r":\d+/", f":{cutter.port}/", found.env["DATABASE_URL"])
    for server in [found.serve(), found.serve()]:
        server.wait_ready()
    return found


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_what_was_being_committed_is_stored_and_told_once(
    site: Site, cutter: CommitCutter, moment: str
):
    """The commit of a visitor's message is cut, and later that of the bot's answer to it."""
    question, answer, client_id = (uuid.uuid4().hex[:8] for _ in range(3))
    words = f"[[rate 0]] [[say cut-{moment}-{answer}]] cut-{moment}-{question}"
    vera, elsewhere = (VisitorClient(server.url) for server in site.servers)
    async with vera.connect() as socket:
        await socket.say("first")
        elsewhere.token = vera.token
        async with elsewhere.connect("?since=0") as other:
            ack = await socket.say(words, client_id)
            again = await socket.say(words, client_id)
            assert (again["id"], again["seq"]) == (ack["id"], ack["seq"])
            for reader in (socket, other):
                await reader.seen("message", content=words)
                await reader.seen("message", content=f"cut-{moment}-{answer}")
                await reader.drain(0.5)
                told = [f for f in reader.durable if f.get("content") == words]
                assert [frame["id"] for frame in told] == [ack["id"]]
                assert reader.seqs == list(range(1, len(reader.seqs) + 1))
                texts = [f["content"] for f in reader.durable if f.get("role") == "assistant"]
                assert texts.count(f"cut-{moment}-{answer}") == 1
            acks = [frame for frame in socket.frames if frame["type"] == "ack"]
            assert len(acks) == 3, "one each time a message was sent"
    assert cutter.cuts[-2:] == [f"{moment}-{question}", f"{moment}-{answer}"]
    assert not [server for server in site.servers if "Traceback" in server.output()]
