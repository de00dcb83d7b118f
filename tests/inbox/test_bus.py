"""The bus on a layer that keeps its groups in Redis."""

from __future__ import annotations

import asyncio

import pytest
import redis

from inbox.realtime import bus as buses
from inbox.realtime.batches import Batch, Control
from inbox.realtime.bus import Bus

pytestmark = pytest.mark.services


@pytest.fixture
def core_layer(settings, redis_url):
    config = {"hosts": [{"address": redis_url, "socket_timeout": 15}]}
    backend = "channels_redis.core.RedisChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": config}}


class Reader:
    """A process that hears."""

    def __init__(self) -> None:
        self.bus = Bus(self.take)
        self.heard: set[str] = set()

    def take(self, batch: Batch) -> None:
        self.heard |= {control.key for control in batch.controls}


async def told(speaker: Bus, reader: Reader, key: str) -> None:
    """Say it until it is heard."""
    while key not in reader.heard:
        speaker.send(Batch(controls=[Control(kind="hushed", key=key)]))
        await asyncio.sleep(0.05)


async def test_delivery_is_back_soon_after_redis_forgot_everything(
    core_layer, redis_url, monkeypatch
):
    assert buses.RENEW_SECONDS < 10
    monkeypatch.setattr(buses, "RENEW_SECONDS", 0.5)
    reader, speaker = Reader(), Bus(lambda _: None)
    reader.bus.start()
    speaker.start()
    try:
        await asyncio.wait_for(told(speaker, reader, "before"), 10)
        with redis.Redis.from_url(redis_url, socket_timeout=5) as connection:
            connection.flushall()
        await asyncio.wait_for(told(speaker, reader, "behind"), 10)
    finally:
        await reader.bus.stop()
        await speaker.stop()
