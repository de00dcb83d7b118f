"""Real Redis and PostgreSQL servers on free ports, one of each for the whole run."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.processes import Process, accepts, free_port, program, wait_until


class RedisServer:
    """One Redis without persistence; tests may kill it and start it again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.binary = program("redis-server")
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        options += ["--appendonly", "no", "--dir", str(self.folder), "--daemonize", "no"]
        self.process = Process([self.binary, *options], log=self.folder / "redis.log")
        wait_until(lambda: accepts(self.port), what="Redis")

    def kill(self) -> None:
        self.process.kill()

    def freeze(self) -> None:
        """Stop it without closing a connection: it accepts and never answers."""
        self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send(signal.SIGCONT)

    def flush(self) -> None:
        """Make it forget everything, groups of the core layer included."""
        with redis.Redis.from_url(self.url, socket_timeout=5) as connection:
            connection.flushall()


class PostgresServer:
    """One PostgreSQL cluster of its own; `durable` keeps fsync on, for proofs about crashes."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgres-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.durable = durable
        self.user = self._unprivileged_user()
        self._names = itertools.count(1)
        if self.user:
            shutil.chown(self.folder, self.user)
        self._initialise()
        self.start()

    @staticmethod
    def _unprivileged_user() -> str | None:
        """PostgreSQL refuses to run as root, so root lends it the account of its package."""
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres").pw_name
        except KeyError:
            return pwd.getpwnam("nobody").pw_name

    def _initialise(self) -> None:
        command = [program("initdb"), "-D", str(self.data), "-U", "frontdesk", "-A", "trust"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
        )

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Begin to start without waiting."""
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        command = [program("postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.process = Process(
            command, log=self.folder / "postgres.log", cwd=self.folder, user=self.user
        )

    def wait_ready(self) -> None:
        wait_until(self._answers, seconds=60, what="PostgreSQL")

    def crash(self) -> None:
        """End at once as after a fault of its own: every connection breaks, every transaction
        that has not committed is gone; the next start recovers from the log."""
        self.process.stop(signal.SIGQUIT)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgresql://frontdesk@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "template0") -> str:
        """The name of a new database, a copy of `template`."""
        name = f"test_{next(self._names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def close(self) -> None:
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    program("postgres")
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """A new, empty database."""
    return postgres_server.url(postgres_server.create_database())
