"""The write path: a visitor's message until the operator has it, stored."""

from __future__ import annotations

from contextlib import AsyncExitStack

from benchmarks.desks import fastapi_desk, product_desk, tutorial_desk
from benchmarks.product import product
from benchmarks.rows import Gate, Run, row
from benchmarks.servers import UVICORN, scratch, serving
from benchmarks.tutorial import tutorial
from benchmarks.windows import window_of

PAIRS = 50
INBOX = 200


TUTORIALS = {"defaults": False, "tuned": True}


@row("delivery", "A stored message from visitor to operator, Daphne and SQLite")
async def delivery(run: Run) -> None:
    async with AsyncExitStack() as stack:
        site = stack.enter_context(product(server="daphne"))
        desk = await stack.enter_async_context(product_desk(site, PAIRS))
        windows = {"product": window_of("product", desk, site.pids, run.seconds)}
        for name, tuned in TUTORIALS.items():
            other = stack.enter_context(tutorial(tuned=tuned))
            plain = tutorial_desk(*other.ws_urls, visitors=PAIRS)
            other_desk = await stack.enter_async_context(plain)
            windows[name] = window_of(name, other_desk, other.pids, run.seconds)
        await run.alternate(windows)
    yields = "messages per CPU second, product / tutorial"
    run.ratio(Gate(f"{yields} at Django's defaults", 12, 20, True), "product", "defaults")
    run.ratio(Gate(f"{yields} tuned", 4.5, 7, True), "product", "tuned")


@row("scale-out", "The same on PostgreSQL and Redis, the operator on the second of two processes")
async def scale_out(run: Run) -> None:
    many = {"database": "postgres", "processes": 2}
    async with AsyncExitStack() as stack:
        site = stack.enter_context(product(server="daphne", layer="redis", **many))
        desk = await stack.enter_async_context(product_desk(site, PAIRS))
        windows = {"product": window_of("product", desk, site.pids, run.seconds)}
        for name, tuned in TUTORIALS.items():
            layer = "pubsub" if tuned else "redis"
            other = stack.enter_context(tutorial(tuned=tuned, layer=layer, **many))
            plain = tutorial_desk(*other.ws_urls, visitors=PAIRS)
            other_desk = await stack.enter_async_context(plain)
            windows[name] = window_of(name, other_desk, other.pids, run.seconds)
        await run.alternate(windows)
    yields = "messages per CPU second, product / tutorial"
    run.ratio(Gate(f"{yields} at Django's defaults", 25, 45, True), "product", "defaults")
    run.ratio(Gate(f"{yields} tuned", 8, 14, True), "product", "tuned")


@row("operator", "200 visitors write to one operator, stored, on uvicorn")
async def operator(run: Run) -> None:
    async with AsyncExitStack() as stack:
        site = stack.enter_context(product(server="uvicorn"))
        desk = await stack.enter_async_context(product_desk(site, INBOX))
        windows = {"product": window_of("product", desk, site.pids, run.seconds)}
        folder = stack.enter_context(scratch())
        for name in ("memory", "sqlalchemy"):
            app = f"benchmarks.references.fastapi_{name}:app"
            command = ("-m", "uvicorn", app, "--port", "{port}", *UVICORN)
            env = {"CHAT_DATABASE": str(folder / "chat.sqlite3")}
            server = stack.enter_context(serving(*command, env=env))
            other = await stack.enter_async_context(fastapi_desk(server.ws_url, INBOX))
            windows[name] = window_of(name, other, lambda pid=server.pid: [pid], run.seconds)
        await run.alternate(windows)
    cost = "CPU per message, product / FastAPI"
    run.ratio(Gate(f"{cost} in memory", 1.2, 0.8, False), "product", "memory", per="cpu_per_work")
    gate = Gate(f"{cost} with SQLAlchemy", 1 / 10, 1 / 15, False)
    run.ratio(gate, "product", "sqlalchemy", per="cpu_per_work")


@row("durability", "SQLite that survives a power cut, against one that survives a crash")
async def durability(run: Run) -> None:
    async with AsyncExitStack() as stack:
        windows = {}
        for mode in ("FULL", "NORMAL"):
            site = stack.enter_context(product(SQLITE_SYNCHRONOUS=mode))
            desk = await stack.enter_async_context(product_desk(site, PAIRS))
            windows[mode] = window_of(mode, desk, site.pids, run.seconds)
        await run.alternate(windows)
    gate = Gate("messages per second, synchronous FULL / NORMAL", 0.5, 0.7, True)
    run.ratio(gate, "FULL", "NORMAL", per="work_per_second")


@row("processes", "The operator on another process, reached through Redis")
async def processes(run: Run) -> None:
    async with AsyncExitStack() as stack:
        windows = {}
        for name, count in (("one process", 1), ("two processes", 2)):
            site = stack.enter_context(product(database="postgres", layer="redis", processes=count))
            desk = await stack.enter_async_context(product_desk(site, PAIRS))
            windows[name] = window_of(name, desk, site.pids, run.seconds)
        await run.alternate(windows)
    gate = Gate("CPU per message, two processes / one", 1.7, 1.4, False)
    run.ratio(gate, "two processes", "one process", per="cpu_per_work")
