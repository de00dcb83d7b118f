"""Fixtures for every test; the servers and the browser live in `tests.support`."""

from __future__ import annotations

import pathlib

import pytest

import inbox.runner
from config.database import test_database_path
from inbox.realtime.publish import attach_hub, attached_hub
from tests.support.network import only_loopback

pytest_plugins = [
    "tests.support.services",
    "tests.support.sites",
    "tests.support.browser",
    "tests.support.model_fixture",
]


@pytest.fixture(autouse=True, scope="session")
def _no_outbound_network():
    """Nothing here may talk to the internet; a test that tries is wrong."""
    with only_loopback():
        yield


@pytest.fixture(autouse=True)
def _no_hub_or_runner_of_an_earlier_loop():
    """What a process has one of belongs to a loop, and each coroutine test has its own loop."""
    stale = inbox.runner.current_runner()
    if stale is not None and stale.loop.is_closed():
        inbox.runner._runner = None
    hub = attached_hub()
    if hub is not None and hub.loop.is_closed():
        attach_hub(None)


def pytest_unconfigure():
    """Django removes its test database, but not what WAL leaves beside it."""
    database = pathlib.Path(test_database_path())
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink(missing_ok=True)
