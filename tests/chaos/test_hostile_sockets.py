"""One hostile socket costs little memory and no neighbour notices."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos import hostile
from tests.chaos.hostile import MOST_GROWTH, memory_of, neighbour_round_trip
from tests.support.sites import MakeSite, Server


@pytest.fixture(params=["daphne", "uvicorn"])
async def server(request: pytest.FixtureRequest, make_site: MakeSite) -> Server:
    site = make_site("sqlite", BOTS_BACKEND="scripted", SCRIPTED_TOKENS="3", RATE_LIMITS="3")
    return await asyncio.to_thread(site.start, server=request.param)


async def test_a_reader_that_stops_reading_is_closed_and_costs_little(server: Server):
    before = memory_of(server)
    await hostile.stop_reading(server)
    assert await neighbour_round_trip(server) < 1
    assert memory_of(server) - before < MOST_GROWTH


async def test_a_flood_is_refused_then_closed_with_4429(server: Server):
    before = memory_of(server)
    codes, close_code = await hostile.flood(server)
    assert "rate_limited" in codes
    assert close_code == 4429
    assert memory_of(server) - before < MOST_GROWTH
    assert await neighbour_round_trip(server) < 1
