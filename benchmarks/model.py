"""Reading a model's stream: the product's decoder beside the openai SDK's typed stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.cpu import CLIENT_CORE, SERVER_CORE, cpu_seconds, own_cpu_seconds, pinned
from benchmarks.rows import Gate, Run, Sample, row
from benchmarks.servers import ROOT, scratch
from tests.support.processes import Process, wait_until

STREAMS = 40
WORDS = 120
PAUSE_SECONDS = 0.01
"""Between two words of one answer, so that chunks come one by one as a model sends them."""


class Reader:
    """A process that reads answers when told to."""

    def __init__(self, name: str, child: asyncio.subprocess.Process) -> None:
        self.name, self.child = name, child
        self.hashes: set[str] = set()

    async def answers(self) -> dict[str, Any]:
        """Let it read one answer on each stream."""
        assert self.child.stdin is not None and self.child.stdout is not None
        self.child.stdin.write(b"\n")
        line = await self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"the reader {self.name} ended")
        told: dict[str, Any] = json.loads(line)
        self.hashes.add(told["hash"])
        return told

    async def window(self) -> Sample:
        """One round of answers."""
        cpu, client, started = cpu_seconds([self.child.pid]), own_cpu_seconds(), time.monotonic()
        told = await self.answers()
        return Sample(
            self.name,
            work=told["pieces"],
            cpu=cpu_seconds([self.child.pid]) - cpu,
            wall=time.monotonic() - started,
            client_cpu=own_cpu_seconds() - client,
        )


@contextlib.asynccontextmanager
async def reader(name: str, wire: str, url: str) -> AsyncIterator[Reader]:
    """A reader that has warmed up."""
    command = [sys.executable, "-m", "benchmarks.readers", name, wire, url, str(STREAMS)]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    with scratch() as folder, pinned(SERVER_CORE):
        env = {**os.environ, "DATA_DIR": str(folder), "SECRET_KEY": "benchmark" * 5}
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, **pipes)
    try:
        started = Reader(f"{name} {wire}", child)
        await started.answers()
        yield started
    finally:
        child.kill()
        await child.wait()


@contextlib.contextmanager
def model_server() -> Any:
    """A server that speaks both APIs, one word in each chunk; gives its URL."""
    text = " ".join(f"word{number}" for number in range(WORDS))
    command = [sys.executable, "-m", "tests.support.model_server"]
    command += ["--text", text, "--pause", str(PAUSE_SECONDS)]
    with scratch() as folder, pinned(CLIENT_CORE):
        log = folder / "log"
        process = Process(command, log=log, cwd=ROOT)
        try:
            wait_until(lambda: "ready" in process.output(), what="the model's server")
            yield process.output().split()[1]
        finally:
            process.kill()


@row("model-stream", "Reading a model's stream, CPU per chunk, beside the openai SDK")
async def model_stream(run: Run) -> None:
    for wire in ("chat", "responses"):
        with model_server() as url:
            async with reader("product", wire, url) as ours, reader("sdk", wire, url) as typed:
                await run.alternate({ours.name: ours.window, typed.name: typed.window})
        if ours.hashes != typed.hashes or len(ours.hashes) != 1:
            raise RuntimeError(f"{wire}: the two did not read the same text")
        gate = Gate(f"CPU per chunk, product / SDK's typed stream, {wire}", 0.6, 0.2, False)
        run.ratio(gate, ours.name, typed.name, per="cpu_per_work")
