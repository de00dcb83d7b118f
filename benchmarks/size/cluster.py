"""A PostgreSQL cluster that stays when its server stops."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import psycopg

from tests.support.processes import free_port
from tests.support.services import PostgresServer

NAME = "frontdesk"


class KeptCluster(PostgresServer):
    """Initialised once in a folder of its own, started again on another port each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.durable = False
        self.user = self._unprivileged_user()
        if not (self.data / "PG_VERSION").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            if self.user:
                shutil.chown(folder, self.user)
            self._initialise()
        self.start()

    def database(self) -> str:
        """The URL of its one database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if known.fetchone() is None:
                connection.execute(f'CREATE DATABASE "{NAME}"')
        return self.url(NAME)

    def stop(self) -> None:
        """Let it write everything and end."""
        self.process.stop(number=signal.SIGINT)
