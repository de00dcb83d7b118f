"""The services that other tests rely on are real and refuse the internet."""

from __future__ import annotations

import socket

import psycopg
import pytest
import redis

from tests.support.network import OutboundConnectionError


def test_the_test_process_cannot_reach_other_machines():
    with socket.socket() as probe, pytest.raises(OutboundConnectionError):
        probe.connect(("192.0.2.1", 80))


@pytest.mark.services
def test_redis_answers(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


@pytest.mark.services
def test_each_postgres_database_is_new_and_empty(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    assert tables == (0,)
