"""Take-overs in a running site: visitor's server, operator's server and workers are processes."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import websockets

from tests.chaos.turn_kills import shown

QUESTION = "[[rate 20]] [[tokens 30]]"
FRAMES = 34
"""Typing, start, thirty words, end and typing: the take-over comes behind one of the first so
many frames of the bot, or before all of them."""
LISTEN_SECONDS = 0.7
PATIENCE_SECONDS = 30
SPOKEN = {"response_start", "sources", "text_delta"}

Frame = dict[str, Any]


@dataclass
class Races:
    """What came of many races."""

    points: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    late: int = 0
    wrongs: list[str] = field(default_factory=list)


@dataclass
class Field:
    """Where it is raced.

    Args:
        visitors, operators: base URLs of servers.
        token: API token of the operator who takes over.
    """

    visitors: Sequence[str]
    operators: Sequence[str]
    token: str
    dice: random.Random
    http: httpx2.AsyncClient = field(
        default_factory=lambda: httpx2.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False)
    )

    async def session(self, base: str) -> Frame:
        """A new guest."""
        answer = await self.http.post(f"{base}/chat/session", json={"widget": "demo"})
        session: Frame = answer.json()
        return session

    async def act(self, conversation: str, action: str) -> int:
        """What the operator does; the status of the answer."""
        base = self.dice.choice(self.operators)
        answer = await self.http.post(
            f"{base}/api/v1/conversations/{conversation}/{action}/",
            headers={"Authorization": f"Token {self.token}"},
            json={},
        )
        return int(answer.status_code)


async def race_many(place: Field, count: int, *, lanes: int) -> Races:
    """So many conversations, `lanes` of them at once."""
    races, left = Races(), iter(range(count))

    async def lane() -> None:
        for number in left:
            point = number % FRAMES
            races.points[point] += 1
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await race(place, point, races)
            except (TimeoutError, OSError, websockets.WebSocketException) as error:
                races.wrongs.append(f"point {point}: {type(error).__name__}")

    await asyncio.gather(*(lane() for _ in range(lanes)))
    await place.http.aclose()
    return races


async def race(place: Field, point: int, races: Races) -> None:
    """One conversation: asked, taken over, listened to for a while."""
    session = await place.session(place.dice.choice(place.visitors))
    protocols = ["chat.v1", f"ticket.{session['ticket']}"]
    frames: list[Frame] = []
    async with websockets.connect(session["ws_url"], subprotocols=protocols) as socket:
        message = {"type": "message", "client_id": uuid.uuid4().hex, "content": QUESTION}
        await socket.send(json.dumps(message))
        spoken = -1
        while spoken < point and not any(f["type"] == "response_end" for f in frames):
            frames.append(json.loads(await socket.recv()))
            spoken = max(spoken, 0) if frames[-1]["type"] == "ack" else spoken
            spoken += is_bots(frames[-1])
        taking = asyncio.create_task(place.act(session["session_id"], "take"))
        while not any(is_taken(frame) for frame in frames):
            frames.append(json.loads(await socket.recv()))
        status = await taking
        closing = asyncio.create_task(place.act(session["session_id"], "close"))
        try:
            async with asyncio.timeout(LISTEN_SECONDS):
                while True:
                    frames.append(json.loads(await socket.recv()))
        except TimeoutError:
            pass
        await closing
    judge(frames, point, status, races)


def is_bots(frame: Frame) -> bool:
    """Whether the bot shows itself in it."""
    return frame["type"] in SPOKEN or frame.get("role") == "assistant"


def is_taken(frame: Frame) -> bool:
    """The event of the take-over."""
    return frame["type"] == "conversation" and frame["handled_by"] == "operator"


def judge(frames: list[Frame], point: int, status: int, races: Races) -> None:
    """No word behind the event; what was shown before it is what is stored before it."""
    taken = next(index for index, frame in enumerate(frames) if is_taken(frame))
    late = [f for f in frames[taken + 1 :] if is_bots(f) and f.get("is_typing") is not False]
    races.late += len(late)
    answers = [frame for frame in frames if frame.get("role") == "assistant" and "seq" in frame]
    ends = [frame for frame in frames if frame["type"] == "response_end"]
    outcome = ends[0]["outcome"] if ends else "unheard"
    races.outcomes[outcome] += 1
    seen = shown(frames[:taken])
    stored = answers[0]["content"] if answers else ""
    seqs = [frame["seq"] for frame in frames if "seq" in frame and frame["type"] != "ack"]
    wrongs = {
        f"take answered {status}": status != 200,
        f"{outcome}: showed {seen[-30:]!r}, stored {stored[-30:]!r}": seen != stored,
        f"{len(answers)} answers, {len(ends)} ends": len(answers) > 1 or len(ends) > 1,
        f"numbers {seqs}": seqs != list(range(1, len(seqs) + 1)),
        "an end that names another text": bool(ends) and ends[0]["full_content"] != stored,
    }
    races.wrongs += [f"point {point}: {what}" for what, is_wrong in wrongs.items() if is_wrong]
