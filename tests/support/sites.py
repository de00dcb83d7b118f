"""Whole sites: the reference project, seeded, served by real processes on free ports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Process, free_port, wait_until
from tests.support.services import PostgresServer, RedisServer

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "a-secret-of-the-tests-that-every-process-of-a-site-shares"
IDENTITY_SECRET = "an-identity-secret-of-the-tests-0123456789"
READY_SECONDS = 60
DEFAULTS = {
    "SECRET_KEY": SECRET_KEY,
    "IDENTITY_SECRET": IDENTITY_SECRET,
    # Every visitor of a test comes from one address, so its limits would hit first.
    "RATE_LIMITS": "100",
    "PYTHONUNBUFFERED": "1",
}
READ_BY_SETTINGS = (
    *("DATABASE_URL", "REDIS_URL", "DATA_DIR", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "DEBUG"),
    *("OPENAI_API_KEY", "OPENAI_BASE_URL", "WIDGET_ORIGINS", "CHANNEL_LAYER", "TLS"),
)


class Server:
    """One server process of a site."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        if not self.process.alive:
            raise RuntimeError(f"The server ended:\n{self.process.output()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def wait_ready(self) -> Server:
        wait_until(self.is_ready, seconds=READY_SECONDS, what=f"{self.url}/readyz")
        return self

    def output(self) -> str:
        return self.process.output()

    def kill(self) -> None:
        self.process.kill()

    def stop(self, **options: Any) -> int:
        return self.process.stop(**options)


class Site:
    """A database with its data directory, and the processes that serve it."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if self._passes(name)}
        self.env = {**inherited, **DEFAULTS, "DATA_DIR": str(folder), **env}
        self.servers: list[Server] = []
        self.workers: list[Process] = []
        self._starts = 0

    @staticmethod
    def _passes(name: str) -> bool:
        return name not in READ_BY_SETTINGS and not name.startswith(("BOTS_", "SCRIPTED_"))

    def manage(self, *arguments: str) -> str:
        """What `manage.py` prints; its failure is the test's."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def serve(self, *, port: int | None = None, server: str = "daphne", **env: str) -> Server:
        """Start one more process without waiting for it; `server` is daphne or uvicorn."""
        port = port or free_port()
        command = self._command(server, port)
        running = Server(self._process(command, env), port)
        self.servers.append(running)
        return running

    def start(self, **options: Any) -> Server:
        """Start one more process and wait until it is ready."""
        return self.serve(**options).wait_ready()

    def work(self, **env: str) -> Process:
        """Start `frontdesk worker`."""
        return self.python("manage.py", "frontdesk", "worker", **env)

    def python(self, *arguments: str, **env: str) -> Process:
        """Start another Python program beside the servers, with the site's environment."""
        worker = self._process([sys.executable, *arguments], env)
        self.workers.append(worker)
        return worker

    def _command(self, server: str, port: int) -> list[str]:
        if server == "uvicorn":
            ours = "inbox.serving.uvicorn:FrontdeskProtocol"
            options = ["--port", str(port), "--ws", ours, "--no-access-log"]
            limits = ["--ws-max-size", "1048576", "--ws-per-message-deflate", "false"]
            uvicorn = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
            return [*uvicorn, *options, *limits, "--log-level", "warning"]
        return [sys.executable, "manage.py", "frontdesk", "serve", "--port", str(port)]

    def _process(self, command: list[str], env: dict[str, str]) -> Process:
        self._starts += 1
        log = self.folder / f"process-{self._starts}.log"
        return Process(command, log=log, env={**self.env, **env}, cwd=ROOT)

    def close(self) -> None:
        for process in [*self.workers, *(server.process for server in self.servers)]:
            process.kill()


class Stack:
    """A running site; with several processes the visitor and the operator use different ones."""

    def __init__(self, site: Site, servers: list[Server]) -> None:
        self.site = site
        self.visitor, self.operator = servers[0], servers[-1]

    @property
    def url(self) -> str:
        return self.visitor.url


def seed_folder(folder: Path) -> Path:
    """Put the demo into a data directory."""
    Site(folder, {"SQLITE_SYNCHRONOUS": "OFF"}).manage("demo_setup")
    return folder


def seed_database(server: PostgresServer, folder: Path) -> str:
    """The name of a new database with the demo in it; `folder` holds what is no row."""
    name = server.create_database()
    Site(folder, {"DATABASE_URL": server.url(name)}).manage("demo_setup")
    return name


@pytest.fixture(scope="session")
def seeded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the demo in it, to be copied."""
    return seed_folder(tmp_path_factory.mktemp("seeded"))


@pytest.fixture(scope="session")
def seeded_database(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a PostgreSQL database with the demo in it, to be copied."""
    return seed_database(postgres_server, tmp_path_factory.mktemp("seeded"))


MakeSite = Callable[..., Site]


def _sites(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[MakeSite]:
    opened: list[Site] = []

    def make(kind: str = "sqlite", **env: str) -> Site:
        folder = factory.mktemp("site")
        if kind == "sqlite":
            seeded = request.getfixturevalue("seeded_folder")
            shutil.copytree(seeded, folder, dirs_exist_ok=True)
        else:
            postgres: PostgresServer = request.getfixturevalue("postgres_server")
            redis: RedisServer = request.getfixturevalue("redis_server")
            template = request.getfixturevalue("seeded_database")
            name = postgres.create_database(template=template)
            env = {"DATABASE_URL": postgres.url(name), "REDIS_URL": redis.url, **env}
        opened.append(Site(folder, env))
        return opened[-1]

    yield make
    for site in opened:
        site.close()


@pytest.fixture
def make_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeSite]:
    """Sites of one test, seeded: `make_site("postgres-redis", BOTS_BACKEND="scripted")`."""
    yield from _sites(request, tmp_path_factory)


@pytest.fixture(scope="module")
def make_module_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeSite]:
    """The same for a whole module."""
    yield from _sites(request, tmp_path_factory)


@pytest.fixture(scope="module")
def stack_env() -> dict[str, str]:
    """More environment for `stack`; a module overrides this fixture."""
    return {}


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres-redis", marks=pytest.mark.services)],
)
def stack(
    request: pytest.FixtureRequest, make_module_site: MakeSite, stack_env: dict[str, str]
) -> Stack:
    """One process on SQLite, and two on PostgreSQL with Redis between them."""
    site = make_module_site(request.param, **stack_env)
    servers = [site.serve() for _ in range(1 if request.param == "sqlite" else 2)]
    return Stack(site, [server.wait_ready() for server in servers])
