"""`frontdesk serve` as a real process: its goodbye, its limits, its refusal to share a port."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.processes import free_port, wait_until

SLOW_ENOUGH = 5


@pytest.fixture
def server(make_site):
    return make_site().start()


async def closed_with(websocket):
    """The code that the server closed this socket with."""
    with pytest.raises(ConnectionClosed):
        while True:
            await websocket.recv()
    return websocket.close_code


def open_session(server):
    """What the widget is told when it opens the chat."""
    request = urllib.request.Request(
        f"{server.url}/chat/session",
        data=json.dumps({"widget": "demo"}).encode(),
        headers={"Content-Type": "application/json", "Origin": server.url},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def open_socket(server):
    session = open_session(server)
    return connect(
        session["ws_url"],
        subprotocols=["chat.v1", f"ticket.{session['ticket']}"],
        origin=server.url,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_says_goodbye_with_1001_and_ends_well(server, number):
    async with open_socket(server) as websocket:
        assert json.loads(await websocket.recv())["type"] == "connected"
        server.process.send(number)
        assert await closed_with(websocket) == 1001
    assert server.process.child.wait(timeout=SLOW_ENOUGH * 2) == 0
    assert "Traceback" not in server.output()


async def test_a_second_signal_ends_at_once(server):
    async with open_socket(server) as websocket:
        await websocket.recv()
        # A long poll keeps the first signal waiting for the end of its grace.
        session = open_session(server)
        poll = socket.create_connection(("127.0.0.1", server.port))
        head = f"GET /chat/events?since=0&epoch={session['epoch']} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        poll.sendall(f"{head}Authorization: Bearer {session['token']}\r\n\r\n".encode())
        server.process.send(signal.SIGTERM)
        assert await closed_with(websocket) == 1001
        server.process.send(signal.SIGTERM)
        assert server.process.child.wait(timeout=SLOW_ENOUGH) == 0
        poll.close()


async def test_a_frame_beyond_every_limit_closes_the_socket_with_a_code(server):
    async with open_socket(server) as websocket:
        await websocket.recv()
        await websocket.send("x" * 2_000_000)
        assert await closed_with(websocket) in {1009, 4009}
    assert "Traceback" not in server.output()


async def test_a_path_that_nobody_serves_is_refused_without_a_traceback(server):
    try:
        async with connect(f"{server.ws_url}/ws/nowhere/", origin=server.url) as websocket:
            assert await closed_with(websocket) >= 4000
    except InvalidStatus as refused:
        assert refused.response.status_code in {403, 404}
    assert "Traceback" not in server.output()


def test_two_servers_cannot_share_a_port(make_site):
    site = make_site()
    port = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        server = site.serve(port=port)
        assert server.process.child.wait(timeout=30) == 1
    assert "may be in use" in server.output()


TOLD_TO_STOP_AT_ONCE = """
import os, signal, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import config.asgi
from inbox.serving.server import FrontdeskServer
opened = FrontdeskServer.listen_success
def listen_success(server, port):
    opened(server, port)
    os.kill(os.getpid(), signal.SIGTERM)
FrontdeskServer.listen_success = listen_success
execute_from_command_line(["manage.py", "frontdesk", "serve", "--port", sys.argv[1]])
"""


def test_a_server_that_is_stopped_the_moment_its_port_opens_ends_well(make_site):
    process = make_site().python("-c", TOLD_TO_STOP_AT_ONCE, str(free_port()))
    assert process.child.wait(timeout=60) == 0, process.output()


def test_the_server_says_where_it_listens(server):
    assert f"Listening on {server.url}/" in server.output()


def test_health_readiness_and_metrics_answer(server):
    for path in ("healthz", "readyz", "metrics"):
        with urllib.request.urlopen(f"{server.url}/{path}") as response:
            assert response.status == 200


def test_a_worker_works_until_it_is_told_to_stop(make_site):
    worker = make_site(BOTS_DISPATCHER="worker").work()
    wait_until(lambda: "Working." in worker.output(), what="the worker")
    assert worker.stop() == 0
    assert "Traceback" not in worker.output()


@pytest.mark.services
def test_the_worker_runs_procrastinate_where_it_is_installed(make_site):
    site = make_site("postgres-redis", BOTS_DISPATCHER="procrastinate")
    site.manage("migrate", "--verbosity", "0")
    worker = site.work(LOG_LEVEL="DEBUG")
    wait_until(lambda: "Starting worker" in worker.output(), what="the engine")
    assert worker.stop() == 0
    assert "Traceback" not in worker.output()


@pytest.mark.services
def test_uvicorn_serves_the_same_site_on_postgres_and_redis(make_site):
    server = make_site("postgres-redis").start(server="uvicorn")
    with urllib.request.urlopen(f"{server.url}/") as response:
        assert b'data-widget="demo"' in response.read()
    assert server.stop() in {0, -signal.SIGTERM}
    assert "Traceback" not in server.output()
