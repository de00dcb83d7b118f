"""A server dies right behind a commit, or a hint is lost and then all is silent."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.points import LOSE, SERVER_POINTS, died_at, words_to_die
from tests.chaos.receivers import Receivers, make_endpoints
from tests.chaos.turn_kills import environment
from tests.chatwidget.wire import Socket, VisitorClient
from tests.support.processes import wait_until
from tests.support.sites import MakeSite, Server, Site

BEHIND_COMMIT = [point for point in SERVER_POINTS if point.endswith("committed")]
ANSWER = "[[rate 0]] [[say Here you are.]]"


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    found = Receivers().start()
    yield found
    found.stop()


def faulty(make: MakeSite, kind: str, marks: Path) -> Site:
    return make(kind, **environment(marks, BOTS_DISPATCHER="embedded", BOTS_CONCURRENCY="50"))


@pytest.fixture(scope="module")
def site(
    make_module_site: MakeSite, receivers: Receivers, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """Two servers that run turns and webhooks themselves; one endpoint."""
    found = faulty(make_module_site, "postgres-redis", tmp_path_factory.mktemp("marks"))
    make_endpoints(found, receivers, "ok")
    for server in [found.serve(), found.serve()]:
        server.wait_ready()
    return found


async def wait_for_death(server: Server) -> None:
    await asyncio.to_thread(server.process.child.wait, 20)


async def assert_told_once(socket: Socket, words: str, message_id: str) -> None:
    """The message and its one answer, and no hole; also when they came long ago."""
    found = await socket.seen("message", content=words)
    assert found["id"] == message_id
    await socket.seen("message", role="assistant")
    await socket.drain(0.5)
    messages = [frame for frame in socket.durable if frame["type"] == "message"]
    assert [frame["content"] for frame in messages] == [words, "Here you are."]
    assert socket.seqs == list(range(1, len(socket.seqs) + 1))


@pytest.mark.services
@pytest.mark.parametrize("point", BEHIND_COMMIT)
async def test_what_a_server_committed_before_it_died_is_told_answered_and_sent(
    site: Site, receivers: Receivers, point: str
):
    """Another server does what the dead one did not come to; the sender resends in vain."""
    witness = site.servers[-1]
    victim = await asyncio.to_thread(site.start)
    token = uuid.uuid4().hex[:8]
    words = f"{words_to_die(point, token)} {ANSWER}"
    vera, elsewhere = VisitorClient(victim.url), VisitorClient(witness.url)
    await vera.session()
    elsewhere.token = vera.token
    async with elsewhere.connect() as other:
        async with vera.dial() as socket:
            await socket.send("message", client_id=token, content=words)
            await wait_for_death(victim)
        assert died_at(Path(site.env["FAULTS_DIR"]), token)
        told = await other.expect("message", content=words)
        ack = await other.say(words, token)
        assert ack["id"] == told["id"]
        await assert_told_once(other, words, ack["id"])
    hooks = await asyncio.to_thread(
        wait_until, lambda: receivers.of("ok", words), what="the webhook"
    )
    assert len({hook.id for hook in hooks}) == 1
    site.servers.remove(victim)
    site.servers.insert(0, victim)


async def test_one_process_on_sqlite_takes_up_what_it_committed_before_it_died(
    make_site: MakeSite, tmp_path: Path
):
    site = faulty(make_site, "sqlite", tmp_path / "marks")
    victim = await asyncio.to_thread(site.start)
    token = uuid.uuid4().hex[:8]
    words = f"{words_to_die('message_committed', token)} {ANSWER}"
    vera = VisitorClient(victim.url)
    async with vera.connect() as socket:
        await socket.send("message", client_id=token, content=words)
        await wait_for_death(victim)
    again = await asyncio.to_thread(site.start, port=victim.port)
    assert again.url == vera.url
    async with vera.connect("?since=0") as socket:
        ack = await socket.say(words, token)
        await assert_told_once(socket, words, ack["id"])


@pytest.mark.services
async def test_a_lost_last_hint_and_then_silence_is_found_by_the_other_server(site: Site):
    here, there = site.servers[-2:]
    vera, elsewhere = VisitorClient(here.url), VisitorClient(there.url)
    async with vera.connect() as socket:
        elsewhere.token = vera.token
        async with elsewhere.connect() as other:
            # Nobody answers: what was lost is the last that is ever said here.
            await vera.post("/chat/frames", type="request_human")
            await other.expect("conversation", handled_by="queue")
            await socket.say(f"{LOSE} anybody there?")
            await other.expect("message", content=f"{LOSE} anybody there?")


@pytest.mark.services
async def test_eight_clients_on_two_servers_racing_one_client_id_store_one_message(site: Site):
    vera = VisitorClient(site.servers[-1].url)
    await vera.session()
    async with asyncio.timeout(60):
        sockets = [await dialled(site.servers[-1 - number % 2], vera.token) for number in range(8)]
        try:
            for race in range(10):
                client_id, words = uuid.uuid4().hex, f"race {race}"
                acks = await asyncio.gather(*(s.say(words, client_id) for s, _ in sockets))
                assert len({(ack["id"], ack["seq"]) for ack in acks}) == 1
                for socket, _ in sockets:
                    await socket.seen("message", content=words, id=acks[0]["id"])
            for socket, _ in sockets:
                await socket.drain(0.3)
                own = [f["content"] for f in socket.durable if f.get("role") == "user"]
                assert own == [f"race {race}" for race in range(10)]
                assert socket.seqs == list(range(1, len(socket.seqs) + 1))
        finally:
            for _, leave in sockets:
                await leave()


async def dialled(server: Server, token: str | None):
    """A further socket of the same visitor, and how to close it."""
    client = VisitorClient(server.url)
    client.token = token
    context = client.connect()
    socket = await context.__aenter__()

    async def leave() -> None:
        await context.__aexit__(None, None, None)

    return socket, leave
