"""Workers that die at a named point of a turn, and what visitors see of it.

The short test and the long proof both call `run`; they differ in how often and how many at once.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.points import TURN_POINTS, died_at, words_to_die
from tests.chaos.tools import charges
from tests.chatwidget.wire import Socket, VisitorClient
from tests.support.processes import Process, wait_until
from tests.support.sites import Site

LEASE_SECONDS = 2
PATIENCE_SECONDS = 45
"""How long an answer is awaited at all; the promise is 30 s from the death."""
PROMISED_SECONDS = 30
QUIET_SECONDS = 0.3
"""How long a visitor listens for words behind the end."""

WORDS = " ".join(f"token{number}" for number in range(1, 25))
ANSWER = "[[rate 40]] [[tokens 24]]"
SLOW_ANSWER = "[[rate 16]] [[tokens 24]]"
"""Long enough for a checkpoint in the middle."""


@dataclass(frozen=True)
class Plan:
    """One question, the point at which its worker dies, and how it must end."""

    point: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def question(self) -> str:
        """What the visitor writes."""
        if self.point.startswith("tool"):
            rest = f'[[rate 40]] [[say Just a moment.]] [[tool charge {{"token": "{self.token}"}}]]'
        elif self.point.startswith("hand_off"):
            rest = "[[rate 40]] [[say Let me ask somebody.]] [[handoff refund]]"
        else:
            rest = SLOW_ANSWER if "checkpoint" in self.point else ANSWER
        return f"{words_to_die(self.point, self.token)} {rest}"

    @property
    def outcome(self) -> str:
        """How the turn must end, and in no other way."""
        if self.point in ("tool_begun", "tool_ran"):
            # It began and nobody knows how far it came: once more could do it twice.
            return "failed"
        return "handed_over" if self.point.startswith("hand_off") else "done"

    @property
    def text(self) -> str | None:
        """The answer that must be stored; None where it is an apology in words of its own."""
        if self.outcome == "failed":
            return None
        if self.point.startswith("tool"):
            return f"Just a moment.Charged for {self.token}."
        return "Let me ask somebody." if self.point.startswith("hand_off") else WORDS

    @property
    def charges(self) -> int:
        """How often the tool has done its work."""
        return int(self.point in ("tool_ran", "tool_stored"))


@dataclass
class Fate:
    """What became of one plan."""

    plan: Plan
    seconds: float = 0.0
    """From the death until the answer streamed again or had ended."""
    faults: list[str] = field(default_factory=list)


async def run(site: Site, urls: Sequence[str], plans: Iterable[Plan], *, lanes: int) -> list[Fate]:
    """Ask everything, `lanes` visitors at once; workers must be running."""
    waiting = list(plans)[::-1]
    fates: list[Fate] = []
    marks = Path(site.env["FAULTS_DIR"])

    async def lane(number: int) -> None:
        while waiting:
            plan = waiting.pop()
            fates.append(await live_through(urls[number % len(urls)], plan, marks))

    await asyncio.gather(*(lane(number) for number in range(lanes)))
    counted = Counter(charges(marks))
    for fate in fates:
        if counted[fate.plan.token] != fate.plan.charges:
            fate.faults.append(f"charged {counted[fate.plan.token]} times")
    return fates


async def live_through(url: str, plan: Plan, marks: Path) -> Fate:
    """One visitor asks, the worker dies, and the answer comes all the same."""
    fate = Fate(plan)
    async with VisitorClient(url).connect() as socket:
        heard: list[tuple[float, dict[str, Any]]] = []
        await socket.send("message", client_id=plan.token, content=plan.question)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not is_over(socket):
                    frame = await socket.receive(PATIENCE_SECONDS)
                    heard.append((time.time(), frame))
        except TimeoutError:
            fate.faults.append(f"no end within {PATIENCE_SECONDS} s")
        await socket.drain(QUIET_SECONDS)
    death = died_at(marks, plan.token)
    if death is None:
        fate.faults.append("no worker died")
    else:
        fate.seconds = sign_of_life(plan, heard, death) - death
        if fate.seconds > PROMISED_SECONDS:
            fate.faults.append(f"a sign of life only after {fate.seconds:.1f} s")
    fate.faults += wrongs(plan, socket.frames)
    return fate


def is_over(socket: Socket) -> bool:
    """The end of the stream and the durable message are both there."""
    ended = any(frame["type"] == "response_end" for frame in socket.frames)
    return ended and any(
        frame.get("role") == "assistant" and "seq" in frame for frame in socket.frames
    )


def sign_of_life(plan: Plan, heard: list[tuple[float, dict[str, Any]]], death: float) -> float:
    """When readers were first shown something that a living worker brought."""
    first = 1 if plan.point == "before_claim" else 2
    for at, frame in heard:
        anew = frame["type"] == "response_start" and frame["revision"] >= first
        stored = frame.get("role") == "assistant" and "seq" in frame
        if at >= death and (anew or stored or frame["type"] == "response_end"):
            return at
    return heard[-1][0] if heard else death + PATIENCE_SECONDS


def shown(frames: Iterable[dict[str, Any]]) -> str:
    """What a client shows: replaced by each attempt, appended to at its own length."""
    text, attempt = "", None
    for frame in frames:
        if frame["type"] == "response_start":
            text, attempt = "", (frame["turn"], frame["revision"])
        elif frame["type"] == "text_delta" and (frame["turn"], frame["revision"]) == attempt:
            if frame["offset"] == 0:
                text = frame["content"]
            elif frame["offset"] == len(text):
                text += frame["content"]
    return text


def wrongs(plan: Plan, frames: list[dict[str, Any]]) -> list[str]:
    """Everything about these frames that breaks the promise of one answer."""
    found = []
    ends = [frame for frame in frames if frame["type"] == "response_end"]
    answers = [f for f in frames if f.get("role") == "assistant" and "seq" in f]
    if [end["outcome"] for end in ends] != [plan.outcome]:
        found.append(f"ended as {[end['outcome'] for end in ends]}")
    if len({frame["id"] for frame in answers}) != 1 or len(answers) != 1:
        found.append(f"{len(answers)} answers")
        return found
    text = answers[0]["content"]
    if ends and ends[-1]["full_content"] != text:
        found.append("the end names another text than the one stored")
    if plan.text is not None:
        if text != plan.text:
            found.append(f"stored {text!r}")
        # Where the end came without its words, a client shows the stored text.
        if not plan.text.startswith(shown(frames)):
            found.append(f"showed {shown(frames)!r}")
    elif "token1" in text or not text:
        found.append(f"apologised with {text!r}")
    seqs = [frame["seq"] for frame in frames if "seq" in frame and frame["type"] != "ack"]
    if seqs != list(range(1, len(seqs) + 1)):
        found.append(f"numbers {seqs}")
    return found


RUNNERS = {
    "worker": (("worker",), "Working."),
    "procrastinate": (("worker",), "Working."),
    "embedded": (("serve", "--port", "0"), "Listening on"),
}
"""Dispatcher → the command that runs its turns, and what that prints when it is ready."""

NO_RUNNER = {"SERVERS_RUN_NOTHING": "1"}
"""For servers whose visitors stay while those that run the turns die."""


async def hatch(site: Site, count: int) -> Process:
    """What runs the site's turns, by the dozen, each for one at a time; the dead are replaced."""
    command, ready = RUNNERS[site.env["BOTS_DISPATCHER"]]
    nest = site.python("-m", "tests.chaos.nest", str(count), *command)

    def works() -> bool:
        return nest.output().count(ready) >= count

    await asyncio.to_thread(wait_until, works, seconds=60, what="the workers")
    return nest


def environment(marks: Path, **more: str) -> dict[str, str]:
    """A site whose workers die when asked to."""
    marks.mkdir(exist_ok=True)
    return {
        "DJANGO_SETTINGS_MODULE": "tests.chaos.faulty_settings",
        "FAULTS_DIR": str(marks),
        "BOTS_BACKEND": "scripted",
        "BOTS_DISPATCHER": "worker",
        "BOTS_CONCURRENCY": "1",
        "BOTS_LEASE_SECONDS": str(LEASE_SECONDS),
        "BOTS_FLUSH_MS": "0",
        **more,
    }


def every_point(times: int) -> list[Plan]:
    """Each point so often, in turn."""
    return [Plan(point) for _ in range(times) for point in TURN_POINTS]
