"""Driving bot turns inside one process: a stepped backend, a visitor's screen, posting."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from typing import Any

from asgiref.sync import sync_to_async

from bots.actions import leases
from bots.backends.base import Ask, Backend, BackendEvent, Delta, Finished
from bots.models import Bot, Turn
from bots.running.run import Run
from inbox.actions.posting import Draft, Posted, VisitorSender, post
from inbox.models import Conversation, Visitor
from inbox.realtime.hub import Hub
from inbox.realtime.reader import Reader
from inbox.realtime.records import Audience

STEPPED = "tests.support.turns.SteppedBackend"


class SteppedBackend(Backend):
    """Says exactly what a test hands it, when the test hands it over.

    ``script`` is a list of answers, one for each question; an answer is a list of events,
    exceptions, or callables that are awaited in between.
    """

    name = "stepped"
    supports_tools = True
    uses_knowledge = False
    script: list[list[Any]] = []
    asked: list[Ask] = []

    @classmethod
    def play(cls, *answers: list[Any]) -> None:
        """Begin a new script; the last answer is repeated."""
        cls.script = list(answers) or [[Delta("Hi"), Finished("stop")]]
        cls.asked = []

    async def stream(self, ask: Ask) -> AsyncGenerator[BackendEvent, None]:
        """Play the next answer."""
        answer = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(ask)
        for step in answer:
            if isinstance(step, Exception):
                raise step
            if callable(step):
                await step()
            else:
                yield step


class Screen:
    """A client: follows the frames by the contract's rules and remembers them."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.congested = False
        self.text = ""
        """What the streaming bubble shows."""
        self._turn: tuple[str, int] | None = None
        self._news = asyncio.Event()

    def send(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        self._show(frame)
        self._news.set()

    def _show(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "response_start":
            self._turn, self.text = (frame["turn"], frame["revision"]), ""
        elif frame["type"] == "text_delta" and self._turn == (frame["turn"], frame["revision"]):
            if frame["offset"] == 0:
                self.text = frame["content"]
            elif frame["offset"] == len(self.text):
                self.text += frame["content"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Frames of one type in order."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def until(self, condition: Callable[[Screen], Any], seconds: float = 10.0) -> None:
        """Wait for something on the screen."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                self._news.clear()
                await self._news.wait()


async def watch(
    hub: Hub, conversation_id: Any, *, audience: Audience = "visitor", ownership: int = 0
) -> Screen:
    """A screen that has read this conversation from its beginning and follows it."""
    screen = Screen()
    reader = Reader(conversation_id=str(conversation_id), audience=audience, sink=screen, since=0)
    hub.subscribe(reader, ownership=ownership)
    while reader.pumping:
        await asyncio.sleep(0)
    return screen


def make_bot(key: str = "default", **fields: Any) -> Bot:
    """Robbie, with other fields where given."""
    bot, _ = Bot.objects.update_or_create(key=key, defaults={"name": "Robbie", **fields})
    return bot


def say(visitor: Visitor, content: str = "Hello", *, client_id: str = "") -> Posted:
    """The visitor writes, through the door that every message takes."""
    return post(
        Draft(
            sender=VisitorSender(visitor_id=visitor.pk),
            conversation_id=visitor.session_id,
            client_id=client_id or uuid.uuid4().hex,
            content=content,
        )
    )


def claim_one(conversation: Conversation | None = None) -> Run:
    """Claim the next due turn as a worker would."""
    since = time.monotonic()
    only = {"conversation_id": conversation.pk} if conversation else {}
    (turn,) = leases.claim(1, **only)
    return Run(turn, since)


async def answer_all(limit: int = 20) -> list[Run]:
    """Run every due turn, one after the other, until none is left."""
    runs: list[Run] = []
    while await sync_to_async(Turn.objects.due().exists)():
        assert len(runs) < limit, "turns without end"
        run = await sync_to_async(claim_one)()
        await run.run()
        runs.append(run)
    return runs
