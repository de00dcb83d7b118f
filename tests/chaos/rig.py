"""A site under load and what can be done to it: signals, restarts, losses, resets."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.fault_proxy import FaultProxy
from tests.support.processes import Process, wait_until
from tests.support.services import PostgresServer, RedisServer
from tests.support.sites import Server, Site

RESET_EVERY_SECONDS = 0.4
"""Mean pause between two faults of one proxy."""


@dataclass
class Rig:
    """One stack: processes of a site, its services, a fault proxy before each server.

    Args:
        server: daphne or uvicorn.
        worker_count: processes of `frontdesk worker`.
        database_resets: whether the way to PostgreSQL breaks now and then too.
    """

    site: Site
    redis: RedisServer | None = None
    postgres: PostgresServer | None = None
    server: str = "daphne"
    server_count: int = 1
    worker_count: int = 0
    resets: bool = False
    database_resets: bool = False
    dice: random.Random = field(default_factory=random.Random)
    done: Counter[str] = field(default_factory=Counter)
    """Faults by kind that were done."""
    before_servers: list[FaultProxy] = field(default_factory=list)
    before_database: FaultProxy | None = None
    _harassing: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def urls(self) -> list[str]:
        """Where clients connect: through the proxies where there are any."""
        if self.resets:
            return [f"http://127.0.0.1:{proxy.port}" for proxy in self.before_servers]
        return self.direct_urls

    @property
    def _proxies(self) -> list[FaultProxy]:
        return [*self.before_servers, *([self.before_database] if self.before_database else [])]

    @property
    def direct_urls(self) -> list[str]:
        return [server.url for server in self.site.servers]

    async def start(self) -> None:
        """Start everything and wait until it is ready."""
        if self.database_resets:
            await self._put_proxy_before_database()
        for _ in range(self.server_count):
            self.site.serve(server=self.server)
        for _ in range(self.worker_count):
            self.site.work()
        await self.until_ready()
        if self.resets:
            self.before_servers = [await self._put_proxy(s.port) for s in self.site.servers]

    async def _put_proxy_before_database(self) -> None:
        url = urlsplit(self.site.env["DATABASE_URL"])
        self.before_database = await self._put_proxy(url.port or 5432)
        where = url.netloc.replace(f":{url.port}", f":{self.before_database.port}")
        self.site.env["DATABASE_URL"] = url._replace(netloc=where).geturl()

    async def _put_proxy(self, port: int) -> FaultProxy:
        return await FaultProxy(port, self.dice).start()

    def harass(self) -> None:
        """Begin to break connections, until `calm`."""
        for proxy in self._proxies:
            self._harassing.append(asyncio.create_task(proxy.harass(RESET_EVERY_SECONDS)))

    async def until_ready(self) -> None:
        """Every server says so; a process that ended meanwhile is started again."""
        for server in list(self.site.servers):
            await asyncio.to_thread(server.wait_ready)
        for worker in list(self.site.workers):
            await asyncio.to_thread(wait_until, lambda w=worker: is_working(w), seconds=60)

    async def kill(self) -> None:
        """SIGKILL a server or a worker and start its successor."""
        number = self.dice.randrange(self.server_count + self.worker_count)
        if number < self.server_count:
            await self._kill_server(self.site.servers[number])
        else:
            await self._kill_worker(self.site.workers[number - self.server_count])
        self.done["kills"] += 1

    async def _kill_server(self, victim: Server) -> None:
        await asyncio.to_thread(victim.kill)
        self.site.servers.remove(victim)
        self.site.serve(port=victim.port, server=self.server)
        await asyncio.to_thread(self.site.servers[-1].wait_ready)

    async def _kill_worker(self, victim: Process) -> None:
        await asyncio.to_thread(victim.kill)
        self.site.workers.remove(victim)
        worker = self.site.work()
        await asyncio.to_thread(wait_until, lambda: is_working(worker), seconds=60)

    async def trouble_redis(self) -> None:
        """Kill it, stop it, or make it forget."""
        assert self.redis is not None
        fault = self.dice.choice(("kill", "freeze", "flush"))
        seconds = self.dice.uniform(0.3, 3.0)
        if fault == "kill":
            await asyncio.to_thread(self.redis.kill)
            await asyncio.sleep(seconds)
            self.redis.start()
        elif fault == "freeze":
            self.redis.freeze()
            await asyncio.sleep(seconds)
            self.redis.thaw()
        else:
            await asyncio.to_thread(self.redis.flush)
        self.done["Redis faults"] += 1

    async def restart_postgres(self) -> None:
        """An immediate stop, a moment of nothing, recovery."""
        assert self.postgres is not None
        await asyncio.to_thread(self.postgres.crash)
        await asyncio.sleep(self.dice.uniform(0, 1))
        self.postgres.launch()
        await asyncio.to_thread(self.postgres.wait_ready)
        self.done["PostgreSQL restarts"] += 1

    async def calm(self) -> None:
        """No more faults of the network."""
        for task in self._harassing:
            task.cancel()
        await asyncio.gather(*self._harassing, return_exceptions=True)
        self._harassing.clear()
        self.done["connections broken"] = sum(proxy.faults.total() for proxy in self._proxies)

    async def close(self) -> None:
        """End what runs in this process; the site and the services belong to somebody else."""
        await self.calm()
        for proxy in self._proxies:
            await proxy.close()
        with contextlib.suppress(ProcessLookupError):
            if self.redis is not None and self.redis.process.alive:
                self.redis.thaw()

    def tracebacks(self) -> int:
        """How many the logs of all processes hold; none is expected, whatever breaks."""
        logs = self.site.folder.glob("process-*.log")
        return sum(log.read_text(errors="replace").count("Traceback (most") for log in logs)


def is_working(worker: Process) -> bool:
    if not worker.alive:
        raise RuntimeError(f"The worker ended:\n{worker.output()[-4000:]}")
    return "Working." in worker.output()
