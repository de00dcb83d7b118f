"""A process that is told to stop closes what its apps hold open before it goes."""

from __future__ import annotations

import asyncio
import os
import signal
from types import SimpleNamespace

import pytest

from inbox import ports
from inbox.commands import worker
from inbox.serving import server

closed: list[str] = []


async def close() -> None:
    closed.append("closed")


async def fail() -> None:
    raise RuntimeError("a connection that is gone already")


@pytest.fixture(autouse=True)
def _two_apps(monkeypatch):
    closed.clear()
    paths = [f"{__name__}.fail", f"{__name__}.close"]
    found = {f"{__name__}.fail": fail, f"{__name__}.close": close}
    monkeypatch.setattr(ports, "_declared", lambda kind, extra: paths)
    monkeypatch.setattr(ports, "_instance", found.get)
    for module in (server, worker):
        monkeypatch.setattr(module, "get_hub", lambda: SimpleNamespace(watchers=set()))
    monkeypatch.setattr(server, "current_runner", lambda: None)
    monkeypatch.setattr(server, "attached_hub", lambda: None)
    monkeypatch.setattr(worker, "ensure_runner", lambda: None)
    monkeypatch.setattr(worker, "uses_procrastinate", lambda: False)


async def test_a_server_closes_backends_before_it_stops():
    stopping = server.FrontdeskServer.__new__(server.FrontdeskServer)
    stopping._ports, stopping.connections, stopping.stop = [], {}, lambda: closed.append("stopped")
    await stopping.say_goodbye()
    assert closed == ["closed", "stopped"]


async def test_a_worker_closes_backends_when_it_is_told_to_stop():
    ready = asyncio.Event()
    working = asyncio.create_task(worker.work(lambda text: ready.set()))
    await ready.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(30):
        await working
    assert closed == ["closed"]


def test_the_bots_have_something_to_close(settings):
    from bots.apps import BotsConfig

    assert BotsConfig.frontdesk["closers"] == ["bots.backends.close_backends"]
