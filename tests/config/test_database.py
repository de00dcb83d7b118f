"""DATABASE_URL becomes the options that the promises rest on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import OperationalError

from config import database
from config.database import database_from
from tests.support.processes import wait_until


def test_without_an_address_sqlite_lives_in_the_data_directory(tmp_path):
    found = database_from("", data_dir=tmp_path / "new")
    assert found["NAME"] == tmp_path / "new" / "db.sqlite3"
    assert found["NAME"].parent.is_dir()
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in found["OPTIONS"]["init_command"]
    assert found["CONN_MAX_AGE"] is None


def test_a_sqlite_address_names_its_file(tmp_path):
    found = database_from(f"sqlite:///{tmp_path}/a%20b.sqlite3", data_dir=tmp_path)
    assert found["NAME"] == Path(f"{tmp_path}/a b.sqlite3")


def test_a_postgres_address_becomes_a_pool_that_gives_up_in_time(monkeypatch):
    monkeypatch.setenv("DATABASE_POOL", "7")
    found = database_from(
        "postgresql://us%40er:p%2Fw@db.example:6432/desk?sslmode=require", data_dir=Path()
    )
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["USER"], found["PASSWORD"]) == ("us@er", "p/w")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "6432", "desk")
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]["max_size"] == 7
    assert "statement_timeout=15s" in found["OPTIONS"]["options"]
    assert "lock_timeout=5s" in found["OPTIONS"]["options"]
    assert found["CONN_MAX_AGE"] == 0


@pytest.mark.services
@pytest.mark.slow
def test_a_pool_is_back_soon_after_a_long_outage(postgres_server, monkeypatch):
    monkeypatch.setenv("DATABASE_POOL", "4")
    url = postgres_server.url(postgres_server.create_database())
    options = {"TIME_ZONE": None, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True}
    settings = {**database_from(url, data_dir=Path()), **options}
    settings["OPTIONS"]["pool"] |= {"timeout": 1}
    with DatabaseWrapper(settings, alias="desk").pool as pool:
        assert answers(pool)
        postgres_server.crash()
        away = time.monotonic()
        try:
            while time.monotonic() - away < 8:
                assert not answers(pool)
        finally:
            postgres_server.start()
        back = time.monotonic()
        wait_until(lambda: answers(pool), what="the pool")
        assert time.monotonic() - back < 5


def answers(pool) -> bool:
    try:
        with pool.connection() as desk:
            desk.execute("SELECT 1")
    except OperationalError:
        return False
    return True


def test_a_pool_of_none_opens_connections_as_they_are_needed(monkeypatch):
    monkeypatch.setenv("DATABASE_POOL", "0")
    assert "pool" not in database_from("postgres://db/desk", data_dir=Path())["OPTIONS"]


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ImproperlyConfigured, match="mysql"):
        database_from("mysql://localhost/desk", data_dir=Path())


def test_the_test_database_is_a_file_of_this_process_alone(monkeypatch):
    assert str(os.getpid()) in database.test_database_path()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert not database.test_database_path().startswith("/dev/shm")


@pytest.mark.django_db
def test_sqlite_writes_ahead_and_waits_its_turn():
    if connection.vendor != "sqlite":
        pytest.skip("this run uses PostgreSQL")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone()[0] == "wal"
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone()[0] == 2
        cursor.execute("PRAGMA cache_size")
        assert cursor.fetchone()[0] == -8192
        cursor.execute("PRAGMA temp_store")
        assert cursor.fetchone()[0] == 2, "in memory"
