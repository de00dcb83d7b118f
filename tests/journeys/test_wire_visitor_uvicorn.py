"""The same wire behind uvicorn: every test of ``test_wire_visitor`` once more."""

from __future__ import annotations

import pytest

from tests.journeys.test_wire_visitor import *  # noqa: F403 -- the tests are what is wanted
from tests.journeys.test_wire_visitor import pytestmark, stack_env, vera
from tests.support.sites import Stack

__all__ = ["pytestmark", "stack", "stack_env", "vera"]


@pytest.fixture(scope="module")
def stack(make_module_site, stack_env):
    """One uvicorn process on SQLite."""
    site = make_module_site("sqlite", **stack_env)
    return Stack(site, [site.start(server="uvicorn")])
