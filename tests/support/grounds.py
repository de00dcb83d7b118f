"""Sites with services of their own, outside pytest: what a long proof runs on."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Self

from tests.support.services import PostgresServer, RedisServer
from tests.support.sites import Site, seed_database, seed_folder


class Ground:
    """Seeded sites, one Redis and one PostgreSQL, each started when first asked for.

    A context manager: leaving it ends every process and removes every file.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="frontdesk-ground-"))
        self.sites: list[Site] = []
        self._numbers = itertools.count(1)

    @cached_property
    def redis(self) -> RedisServer:
        return RedisServer(self._new_folder())

    @cached_property
    def postgres(self) -> PostgresServer:
        return PostgresServer(durable=True)

    @cached_property
    def seeded_folder(self) -> Path:
        return seed_folder(self._new_folder())

    @cached_property
    def seeded_database(self) -> str:
        return seed_database(self.postgres, self._new_folder())

    def site(self, kind: str = "sqlite", **env: str) -> Site:
        """A seeded site as the fixture `make_site` makes it: "sqlite" or "postgres-redis"."""
        folder = self._new_folder()
        if kind == "sqlite":
            shutil.copytree(self.seeded_folder, folder, dirs_exist_ok=True)
        else:
            name = self.postgres.create_database(template=self.seeded_database)
            env = {"DATABASE_URL": self.postgres.url(name), "REDIS_URL": self.redis.url, **env}
        self.sites.append(Site(folder, env))
        return self.sites[-1]

    def _new_folder(self) -> Path:
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def close(self) -> None:
        for site in self.sites:
            site.close()
        if "redis" in self.__dict__:
            self.redis.kill()
        if "postgres" in self.__dict__:
            self.postgres.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
