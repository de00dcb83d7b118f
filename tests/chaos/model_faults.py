"""A provider that fails in twenty-five ways, once or for ever, and what visitors see of it."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bots.test_backend_faults import FAULTS
from tests.chatwidget.wire import VisitorClient
from tests.support.model_server import ANSWER, ModelServer

NAMES = (
    *("rate_limited", "quota", "server_error", "bad_gateway", "overloaded", "broken_error"),
    *("unauthorized", "model_missing", "too_long_code", "filtered_request", "redirect"),
    *("clean_cut", "cut_in_event", "only_done", "html_as_stream", "reset", "bad_json"),
    *("gzip_garbage", "hang_up", "error_event", "failed", "stall", "drip", "nothing", "refusal"),
)
PATIENCE_SECONDS = 5
"""How long a silent provider is waited for, in place of the product's 15 and 20 s."""
PROMISED_SECONDS = 30
WISH = re.compile(r"\(\((once|always) (\w+) (\w+)\)\)")


class FailingModelServer(ModelServer):
    """Fails as the visitor's words say: `((once NAME TOKEN))` or `((always NAME TOKEN))`."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: set[str] = set()

    def _choose(self, raw: str) -> str:
        wishes = WISH.findall(raw)
        if not wishes:
            return super()._choose(raw)
        how_often, name, token = wishes[-1]
        if how_often == "once" and token in self._failed:
            return self.default
        self._failed.add(token)
        return str(name)


@dataclass
class Fault:
    """One question to a provider that fails."""

    name: str
    how_often: str
    seconds: float = 0.0
    wrongs: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """How its turn must end."""
        _, is_retryable = FAULTS[self.name]
        return "done" if self.how_often == "once" and is_retryable else "failed"


async def suffer(urls: Sequence[str], faults: Iterable[Fault], *, lanes: int) -> list[Fault]:
    """Ask for each fault, `lanes` visitors at once."""
    waiting, over = list(faults)[::-1], []

    async def lane(number: int) -> None:
        while waiting:
            fault = waiting.pop()
            await _ask(urls[number % len(urls)], fault)
            over.append(fault)

    await asyncio.gather(*(lane(number) for number in range(lanes)))
    return over


async def _ask(url: str, fault: Fault) -> None:
    async with VisitorClient(url).connect() as socket:
        began = time.monotonic()
        words = f"May I return it? (({fault.how_often} {fault.name} {uuid.uuid4().hex[:8]}))"
        await socket.send("message", client_id=uuid.uuid4().hex, content=words)
        try:
            await socket.expect("response_end", PROMISED_SECONDS)
            await socket.seen("message", role="assistant")
        except AssertionError as missing:
            fault.wrongs.append(str(missing)[:200])
        fault.seconds = time.monotonic() - began
        await socket.drain(0.3)
    fault.wrongs += _wrongs(fault, socket.frames, socket.durable)


def _wrongs(fault: Fault, frames: list[dict[str, Any]], durable: list[dict[str, Any]]) -> list[str]:
    found = []
    outcomes = [frame["outcome"] for frame in frames if frame["type"] == "response_end"]
    if outcomes != [fault.outcome]:
        found.append(f"ended as {outcomes}")
    texts = [frame["content"] for frame in durable if frame.get("role") == "assistant"]
    if len(texts) != 1:
        found.append(f"{len(texts)} answers")
    elif (texts[0] == ANSWER) != (fault.outcome == "done") or not texts[0].strip():
        found.append(f"stored {texts[0]!r}")
    return found
