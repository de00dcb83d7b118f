"""Starting the tutorial's project, which is the reference on Daphne."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.servers import ROOT, UVICORN, Server, postgres, redis, scratch, serving

PACKAGE = "benchmarks.references.tutorial"
APPLICATION = f"{PACKAGE}.asgi:application"
ENDPOINT = "tcp:port={port}:interface=127.0.0.1:backlog=4096"
# With the defaults (50 waiting connections, 5 s for a handshake) a storm is refused by the kernel
# and by Daphne, and its clients try for minutes: their repetitions would count against it.
STORM_PROOF = ("-e", ENDPOINT, "--websocket_connect_timeout", "300")
DAPHNE = ("-m", "daphne", "-v", "0", *STORM_PROOF, APPLICATION)
ON_UVICORN = ("-m", "uvicorn", APPLICATION, "--port", "{port}", *UVICORN)


@dataclass(frozen=True, slots=True)
class Tutorial:
    """Its running processes and the environment for its commands."""

    servers: Sequence[Server]
    env: dict[str, str]

    @property
    def ws_urls(self) -> list[str]:
        """Where each process waits for sockets."""
        return [server.ws_url for server in self.servers]

    def pids(self) -> list[int]:
        """The processes whose CPU counts."""
        return [server.pid for server in self.servers]

    def run(self, module: str, *arguments: str) -> str:
        """What a module of its package prints."""
        return _python(self.env, f"{PACKAGE}.{module}", *arguments)


@contextlib.contextmanager
def tutorial(
    *,
    server: str = "daphne",
    database: str = "sqlite",
    layer: str = "memory",
    tuned: bool = False,
    processes: int = 1,
) -> Iterator[Tutorial]:
    """The tutorial's project on the servers' core.

    Args:
        server: daphne or uvicorn.
        database: sqlite or postgres.
        layer: memory, redis (the layer that the tutorial names) or pubsub.
        tuned: what somebody who reads the manuals would set, else Django's defaults.
        processes: server processes; several need a layer that reaches them.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch())
        env = {
            "DJANGO_SETTINGS_MODULE": f"{PACKAGE}.settings",
            "TUTORIAL_DATABASE": str(folder / "db.sqlite3"),
            "TUTORIAL_LAYER": layer,
            "TUTORIAL_TUNED": "1" if tuned else "",
        }
        if layer != "memory":
            env["REDIS_URL"] = stack.enter_context(redis()).url
        if database == "postgres":
            cluster = stack.enter_context(postgres())
            env["TUTORIAL_DATABASE"] = cluster.url(cluster.create_database())
        _python(env, "django", "migrate", "--run-syncdb")
        command = DAPHNE if server == "daphne" else ON_UVICORN
        servers = [stack.enter_context(serving(*command, env=env)) for _ in range(processes)]
        yield Tutorial(servers, env)


def _python(env: dict[str, str], module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
