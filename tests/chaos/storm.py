"""One run: visitors write, an operator follows, everything breaks; then the journal is checked."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from tests.chaos.client import BROKEN, Visitor, http_client
from tests.chaos.desk import Desk
from tests.chaos.rig import Rig
from tests.chaos.verdict import Verdict, judge_desk, judge_visitor
from tests.chaos.view import Frame
from tests.support.contract import Operator

NOTE_EVERY = 25
"""One private note of the operator for so many messages of visitors."""

BACKLOG = 40
"""Messages that one visitor has unacknowledged at most before the next one is written."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is written and how often what is broken, spread evenly over the run."""

    messages: int
    kills: int = 0
    redis_faults: int = 0
    postgres_restarts: int = 0
    visitors: int = 20
    per_second: float = 250.0
    """How fast visitors write at most."""
    by_http: float = 0.1
    patience_seconds: float = 90.0
    """How long everything may take to be acknowledged and read after the last fault."""
    seed: int = 1


@dataclass
class Outcome:
    """What a run left behind."""

    verdict: Verdict = field(default_factory=Verdict)
    stored: int = 0
    """Visitors' messages in the journals."""
    answered: int = 0
    """Messages of the bot in the journals."""
    unanswered: int = 0
    """Conversations that the bot has and whose last word is a visitor's."""
    connects: int = 0
    refusals: int = 0
    resets: int = 0
    evidence: list[str] = field(default_factory=list)
    """For each conversation with a fault what is wrong there."""
    catch_up_seconds: float = 0.0
    seconds: float = 0.0


async def storm(rig: Rig, plan: Plan) -> Outcome:
    """Run a plan against a started rig."""
    began = time.monotonic()
    dice = random.Random(plan.seed)
    async with http_client() as http, asyncio.TaskGroup() as group:
        cast = await _Cast.gather(rig, plan, http, dice)
        lives = [group.create_task(client.live()) for client in (*cast.visitors, cast.desk)]
        rig.harass()
        await _Weather(rig, plan, cast).pass_over()
        await rig.calm()
        await rig.until_ready()
        calm = time.monotonic()
        # Whoever is not there by then is found by the judgement.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(plan.patience_seconds):
                await cast.caught_up()
        caught_up = time.monotonic() - calm
        for life in lives:
            life.cancel()
        outcome = await cast.judged()
    outcome.catch_up_seconds = caught_up
    outcome.seconds = time.monotonic() - began
    return outcome


class _Weather:
    """Writes the messages and breaks things, so that both are spread over the same time."""

    def __init__(self, rig: Rig, plan: Plan, cast: _Cast) -> None:
        self.rig, self.plan, self.cast = rig, plan, cast
        self.written = 0
        self._moved = asyncio.Event()
        self._faults: dict[str, int] = {}

    async def pass_over(self) -> None:
        plan, rig = self.plan, self.rig
        kinds = (
            ("kills", plan.kills, rig.kill),
            ("Redis faults", plan.redis_faults, rig.trouble_redis),
            ("PostgreSQL restarts", plan.postgres_restarts, rig.restart_postgres),
        )
        async with asyncio.TaskGroup() as group:
            for name, count, fault in kinds:
                if count:
                    self._faults[name] = 0
                    group.create_task(self._break(name, count, fault))
            group.create_task(self._write())

    async def _break(self, name: str, count: int, fault: Callable[[], Awaitable[None]]) -> None:
        for number in range(count):
            while self.written < self.plan.messages * (number + 0.5) / count:
                await self._news()
            await fault()
            self._faults[name] = number + 1
            self._moved.set()

    async def _write(self) -> None:
        for number in range(self.plan.messages):
            visitor = self.cast.visitors[number % len(self.cast.visitors)]
            while self.written > self._allowed() or len(visitor.waiting) >= BACKLOG:
                await asyncio.sleep(0.02)
            visitor.write(f"message {number}")
            if number % NOTE_EVERY == 0:
                self.cast.desk.leave_note(f"note {number}")
            self.written += 1
            self._moved.set()
            await asyncio.sleep(1 / self.plan.per_second)

    def _allowed(self) -> float:
        """Messages that may be written before the next fault of each kind was done."""
        plan = self.plan
        counts = {
            "kills": plan.kills,
            "Redis faults": plan.redis_faults,
            "PostgreSQL restarts": plan.postgres_restarts,
        }
        shares = [(done + 1.5) / counts[name] for name, done in self._faults.items()]
        return plan.messages * min(shares, default=1)

    async def _news(self) -> None:
        self._moved.clear()
        await self._moved.wait()


@dataclass
class _Cast:
    """The clients of a run."""

    rig: Rig
    plan: Plan
    visitors: list[Visitor]
    desk: Desk

    @classmethod
    async def gather(
        cls, rig: Rig, plan: Plan, http: httpx2.AsyncClient, dice: random.Random
    ) -> _Cast:
        """New visitors and a signed-in operator."""
        olga = await asyncio.to_thread(Operator, rig.site.servers[0], "operator2")
        printed = await asyncio.to_thread(rig.site.manage, "frontdesk", "token", "operator2")
        cookie = "; ".join(f"{name}={value}" for name, value in olga.http.cookies.items())
        olga.http.close()
        visitors = [
            Visitor(rig.urls, http, dice=random.Random(dice.random()), by_http=plan.by_http)
            for _ in range(plan.visitors)
        ]
        desk = Desk(rig.urls, http, cookie, printed.split()[-1], dice=random.Random(dice.random()))
        return cls(rig, plan, visitors, desk)

    async def caught_up(self) -> None:
        """Return when everything is acknowledged and everybody has read to the head."""
        while any(visitor.waiting for visitor in self.visitors) or self.desk.unsent:
            await asyncio.sleep(0.05)
        while not await self._everybody_is_there():
            await asyncio.sleep(0.2)

    async def _everybody_is_there(self) -> bool:
        with contextlib.suppress(*BROKEN):
            for visitor in self.visitors:
                row = await self._row(visitor)
                if visitor.view.head != row["head"] or _waits_for_bot(visitor, row):
                    return False
                detail = await self.desk.call("GET", f"conversations/{visitor.session_id}/")
                desk = self.desk.views.get(visitor.session_id)
                if desk is None or desk.head != detail.json()["head"]:
                    return False
            return True
        return False

    async def _row(self, visitor: Visitor) -> Frame:
        """The visitor's conversation as a fresh fetch tells it."""
        url = self.rig.direct_urls[0]
        headers = {"Authorization": f"Bearer {visitor.token}"}
        answer = await visitor.http.get(f"{url}/chat/conversations", headers=headers)
        return dict(answer.json()["results"][0])

    async def judged(self) -> Outcome:
        """The journals against what the clients know."""
        self.desk.urls = self.rig.direct_urls
        outcome = Outcome()
        for visitor in self.visitors:
            journal = await self._journal(visitor)
            roles = [frame.get("role") for frame in journal]
            outcome.stored += roles.count("user")
            outcome.answered += roles.count("assistant")
            outcome.unanswered += _waits_for_bot(visitor, await self._row(visitor))
            outcome.connects += visitor.connects
            outcome.refusals += len(visitor.refused)
            outcome.resets += visitor.resets
            verdict = judge_visitor(
                written=visitor.outbox,
                acked=visitor.acked,
                contradicted=len(visitor.contradicted) + len(visitor.view.contradictions),
                refused={client_id for _, client_id in visitor.refused},
                shown=visitor.view.frames,
                journal=journal,
            )
            verdict += await self._judged_desk(visitor.session_id)
            if not verdict.is_clean:
                outcome.evidence.append(evidence(visitor, journal, verdict))
            outcome.verdict += verdict
        return outcome

    async def _judged_desk(self, key: str) -> Verdict:
        return judge_desk(
            notes={c: text for c, (where, text) in self.desk.notes.items() if where == key},
            shown=self.desk.views[key].frames,
            journal=await self.desk.journal(key),
        )

    async def _journal(self, visitor: Visitor) -> list[Frame]:
        """A fresh fetch of the visitor's conversation from its beginning."""
        url = f"{self.rig.direct_urls[0]}/chat/conversations/{visitor.session_id}/events"
        headers = {"Authorization": f"Bearer {visitor.token}"}
        frames: list[Frame] = []
        while True:
            params = {"since": len(frames)}
            page = (await visitor.http.get(url, params=params, headers=headers)).json()
            if not page["events"]:
                return frames
            frames += page["events"]


def evidence(visitor: Visitor, journal: list[Frame], verdict: Verdict) -> str:
    """What somebody needs who wants to know why."""
    own = [frame for frame in journal if frame.get("role") == "user"]
    stored = {frame["client_id"] for frame in own}
    written = [client_id for client_id in visitor.outbox if client_id in stored]
    wrong = [
        f"{frame['content']!r} at {frame['seq']} ({frame['timestamp']})"
        for client_id, frame in zip(written, own, strict=False)
        if client_id != frame["client_id"]
    ]
    return (
        f"{verdict}: screen at {visitor.view.head} of {len(journal)}, "
        f"{len(visitor.waiting)} unacknowledged, {visitor.connects} connections, "
        f"refused {[(c, visitor.outbox.get(i)) for c, i in visitor.refused]}, misplaced {wrong}"
    )


def _waits_for_bot(visitor: Visitor, row: Frame) -> bool:
    """Whether the bot has this conversation and has not answered the last word yet."""
    words = [f["role"] for f in visitor.view.frames if f["type"] == "message"]
    return row["handled_by"] == "bot" and words[-1:] == ["user"]
