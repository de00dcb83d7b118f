"""The database refuses, is full, is held or goes away: try again, never a false ack, no restart."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.chaos.database_faults import FULL, READ_ONLY
from tests.chaos.points import LOSE
from tests.chaos.receivers import Receivers, make_endpoints
from tests.chaos.turn_kills import environment
from tests.chatwidget.wire import Socket, VisitorClient
from tests.support.processes import wait_until
from tests.support.services import PostgresServer
from tests.support.sites import MakeSite, Site

PATIENCE = "2"
"""Seconds that a transaction is tried for, in place of the product's ten."""
PAGE = "x" * 3990


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    found = Receivers().start()
    yield found
    found.stop()


def impatient(make: MakeSite, kind: str, marks: Path) -> Site:
    env = environment(marks, BOTS_DISPATCHER="embedded", BOTS_CONCURRENCY="50")
    return make(kind, **env, DATABASE_PATIENCE=PATIENCE)


@pytest.fixture(scope="module")
def on_sqlite(make_module_site: MakeSite, tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = impatient(make_module_site, "sqlite", tmp_path_factory.mktemp("marks"))
    site.start()
    return site


@pytest.fixture(scope="module")
def on_postgres(
    make_module_site: MakeSite, receivers: Receivers, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """Two servers and an endpoint."""
    site = impatient(make_module_site, "postgres-redis", tmp_path_factory.mktemp("marks"))
    make_endpoints(site, receivers, "ok")
    for server in [site.serve(), site.serve()]:
        server.wait_ready()
    return site


@contextlib.asynccontextmanager
async def talking(site: Site) -> AsyncIterator[tuple[VisitorClient, Socket]]:
    """A visitor whose conversation has begun; nobody answers in between."""
    vera = VisitorClient(site.servers[0].url)
    await healed(vera)
    async with vera.connect() as socket:
        await socket.say("[[rate 0]] [[say Hello.]]")
        await socket.seen("message", role="assistant")
        yield vera, socket


async def send(socket: Socket, text: str, client_id: str) -> dict:
    """The answer to a message: an ack or a refusal."""
    await socket.send("message", client_id=client_id, content=text)
    while True:
        frame = await socket.receive(30)
        if frame["type"] in ("ack", "error") and frame.get("client_id") == client_id:
            return frame


async def assert_refused_then_stored(
    vera: VisitorClient, socket: Socket, start, stop, *, most: int = 1
) -> None:
    """While the fault lasts `try_again` comes; the same server takes the same message later."""
    texts = {uuid.uuid4().hex: f"{number} {PAGE}" for number in range(most)}
    answers = {}
    await start()
    try:
        for client_id, text in texts.items():
            answers[client_id] = await send(socket, text, client_id)
            if answers[client_id]["type"] == "error":
                break
        refused = answers[client_id]
        assert (refused["type"], refused["code"]) == ("error", "try_again"), refused
        assert refused["retryable"] is True
    finally:
        await stop()
    kept = {c: a for c, a in answers.items() if a["type"] == "ack"}
    async with asyncio.timeout(60):
        while (answer := await send(socket, texts[client_id], client_id))["type"] == "error":
            assert answer["code"] == "try_again"
    answers[client_id] = answer
    # What was acknowledged stands there, once; so does what was refused first.
    events = await all_events(vera)
    stored = [(e["client_id"], e["id"], e["seq"]) for e in events if e.get("client_id") in answers]
    assert stored == [(c, a["id"], a["seq"]) for c, a in answers.items()]
    assert all(answers[c] == a for c, a in kept.items())


async def all_events(vera: VisitorClient) -> list[dict]:
    """Everything that is stored; a look on a line that was cut is refused once, and repeated."""
    async with asyncio.timeout(30):
        while (response := await vera.get("/chat/events", since=0)).status_code != 200:
            assert response.json()["code"] == "try_again"
    return response.json()["events"]


@pytest.mark.parametrize("fault", [FULL, READ_ONLY])
async def test_a_full_or_read_only_sqlite_refuses_and_heals(on_sqlite: Site, fault: str):
    mark = Path(on_sqlite.env["FAULTS_DIR"]) / fault

    async def start() -> None:
        mark.touch()

    async def stop() -> None:
        mark.unlink()

    async with talking(on_sqlite) as (vera, socket):
        # A few messages may still fit into pages that were free already.
        await assert_refused_then_stored(vera, socket, start, stop, most=20)


async def test_an_sqlite_that_somebody_else_writes_to_refuses_and_heals(on_sqlite: Site):
    other = sqlite3.connect(on_sqlite.folder / "db.sqlite3", isolation_level=None)

    async def start() -> None:
        other.execute("BEGIN IMMEDIATE")

    async def stop() -> None:
        other.execute("ROLLBACK")

    async with talking(on_sqlite) as (vera, socket):
        await assert_refused_then_stored(vera, socket, start, stop)
    other.close()


@contextlib.contextmanager
def administration(site: Site) -> Iterator[psycopg.Connection]:
    """The database as its owner sees it, from outside."""
    with psycopg.connect(site.env["DATABASE_URL"], autocommit=True) as connection:
        yield connection


async def healed(client: VisitorClient) -> None:
    """Until a server that an earlier test cut off from its database serves again."""
    async with asyncio.timeout(30):
        while (await client.try_session()).status_code != 201:
            await asyncio.sleep(0.2)


DISCONNECT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.mark.services
async def test_a_read_only_postgres_refuses_and_heals(on_postgres: Site):
    """As after a fail-over: every line is cut, and what is left takes no writes for a while."""
    name = on_postgres.env["DATABASE_URL"].rpartition("/")[2]
    switch = f'ALTER DATABASE "{name}" SET default_transaction_read_only = '
    with administration(on_postgres) as connection:

        async def start() -> None:
            connection.execute(f"{switch} on")
            connection.execute(DISCONNECT)

        async def stop() -> None:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"{switch} off")
            connection.execute(DISCONNECT)

        async with talking(on_postgres) as (vera, socket):
            await assert_refused_then_stored(vera, socket, start, stop)


@pytest.mark.services
async def test_a_row_that_somebody_holds_holds_up_nobody_else(on_postgres: Site):
    async with talking(on_postgres) as (vera, socket), talking(on_postgres) as (_, neighbour):
        with psycopg.connect(on_postgres.env["DATABASE_URL"]) as connection:

            async def start() -> None:
                row = "SELECT 1 FROM frontdesk_inbox_conversation WHERE id = %s FOR UPDATE"
                connection.execute(row, [vera.last["session_id"]])

            async def stop() -> None:
                # The neighbour is asked while the row is held.
                assert (await send(neighbour, "me too", uuid.uuid4().hex))["type"] == "ack"
                connection.rollback()

            await assert_refused_then_stored(vera, socket, start, stop)


@pytest.mark.services
async def test_after_a_restart_of_postgres_every_loop_goes_on(
    on_postgres: Site, receivers: Receivers, postgres_server: PostgresServer
):
    """Committer, head poll, runner, keeper, webhooks, and the watch over sockets: none of them
    may keep a connection that the old server has closed."""

    async def start() -> None:
        await asyncio.to_thread(postgres_server.crash)

    async def stop() -> None:
        postgres_server.launch()
        await asyncio.to_thread(postgres_server.wait_ready)

    vera, elsewhere = (VisitorClient(server.url) for server in on_postgres.servers)
    async with vera.connect() as socket:
        await socket.say("[[rate 0]] [[say Hello.]]")
        elsewhere.token = vera.token
        await healed(elsewhere)
        async with elsewhere.connect() as other:
            await socket.seen("message", role="assistant")
            # This answer streams while the server is away; its lease runs out meanwhile.
            await socket.say("[[rate 10]] [[tokens 40]]")
            await socket.expect("text_delta")
            await assert_refused_then_stored(vera, socket, start, stop)
            last = f"[[rate 0]] [[say Still here.]] {LOSE} {uuid.uuid4().hex}"
            await socket.say(last)
            await other.seen("message", content=last)
            answered = await other.expect("message", 30, role="assistant", content="Still here.")
            assert answered["seq"] > 1
            whole = " ".join(f"token{number}" for number in range(1, 41))
            await socket.seen("message", role="assistant", content=whole)
            await asyncio.to_thread(
                wait_until, lambda: receivers.of("ok", last), what="the webhook"
            )
            with administration(on_postgres) as connection:
                # Told to nobody: only the watch of each process can find it.
                connection.execute("UPDATE frontdesk_inbox_visitor SET blocked_at = now()")
            assert await socket.close_code(20) == await other.close_code(20) == 4499
    for server in on_postgres.servers:
        assert server.process.alive
