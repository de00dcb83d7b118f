"""Wraps the product's own functions at the points of `tests.chaos.points`."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

from django.apps import AppConfig

from tests.chaos import census, database_faults
from tests.chaos.points import LOSE, reach, wishes

SHOWN_SECONDS = 0.1
"""How long a word may take to its readers before the worker that said it dies."""

words_of_turns: dict[int, str] = {}
words_of_conversations: dict[str, str] = {}


class PlantedFaults(AppConfig):
    """The last app: everything it wraps is loaded."""

    name = "tests.chaos"
    label = "planted_faults"

    def ready(self) -> None:
        """Plant."""
        plant_claims()
        plant_speech()
        plant_checkpoints()
        plant_tools()
        plant_endings()
        plant_server()
        plant_bus()
        database_faults.plant()
        signal.signal(signal.SIGUSR1, census.write)


def around(
    owner: Any,
    name: str,
    *,
    before: Callable[..., None] | None = None,
    after: Callable[..., None] | None = None,
) -> None:
    """Call these with the arguments of a function (and its result) around each call of it."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if before is not None:
            before(*args, **kwargs)
        result = original(*args, **kwargs)
        if after is not None:
            after(result, *args, **kwargs)
        return result

    setattr(owner, name, wrapper)


def plant_claims() -> None:
    from bots.actions import leases
    from bots.models import Turn

    original = leases._claim

    def claim(due: Any, limit: int) -> list[Turn]:
        found = dict(due.values_list("pk", "trigger__content")[:limit])
        for words in found.values():
            reach("before_claim", words)
        # Only these: another one that comes this very moment would be claimed without a look.
        turns: list[Turn] = original(due.filter(pk__in=found), limit)
        for turn in turns:
            words = words_of_turns[turn.pk] = turn.trigger.content
            words_of_conversations[str(turn.conversation_id)] = words
            reach("after_claim", words)
        return turns

    leases._claim = claim


def plant_speech() -> None:
    from bots.backends.base import Delta
    from bots.backends.scripted import ScriptedBackend

    original = ScriptedBackend.stream

    async def stream(self: Any, ask: Any) -> AsyncGenerator[Any, None]:
        reach("question_sent", ask.question)
        said = 0
        async for event in original(self, ask):
            yield event
            said += isinstance(event, Delta)
            for point, words in (("first_word", 1), ("mid_text", 12)):
                if said == words and wishes(ask.question, point):
                    await asyncio.sleep(SHOWN_SECONDS)
                    reach(point, ask.question)

    ScriptedBackend.stream = stream  # type: ignore[method-assign]


def plant_checkpoints() -> None:
    from bots.running import keeper, lease

    def at(point: str, beats: Any) -> None:
        for beat in beats:
            if beat.text:
                reach(point, words_of_turns.get(beat.claim.turn_id, ""))

    for owner in (keeper, lease):
        around(
            owner,
            "renew",
            before=lambda beats: at("before_checkpoint", beats),
            after=lambda _, beats: at("after_checkpoint", beats),
        )


def plant_tools() -> None:
    from bots.running import attempt

    def at(point: str, claim: Any) -> None:
        reach(point, words_of_turns.get(claim.turn_id, ""))

    around(attempt, "begin_call", after=lambda _, claim, row: at("tool_begun", claim))
    around(
        attempt,
        "end_call",
        before=lambda claim, row, **_: at("tool_ran", claim),
        after=lambda _, claim, row, **__: at("tool_stored", claim),
    )


def plant_endings() -> None:
    from bots.actions import endings

    original = endings._ending

    def ending(turn: Any, claim: Any, record: Any, **options: Any) -> Any:
        end = original(turn, claim, record, **options)

        def wrapper(journal: Any, conversation: Any) -> bool:
            ours = end(journal, conversation)
            around(
                journal,
                "write",
                after=lambda _: reach("answer_open", words_of_turns.get(turn.pk, "")),
            )
            return ours

        return wrapper

    endings._ending = ending
    around(
        endings,
        "hand_to_person",
        after=lambda _, journal, conversation, *__, **___: reach(
            "hand_off_open", words_of_conversations.get(str(conversation.pk), "")
        ),
    )


def plant_bus() -> None:
    from inbox.realtime.bus import Bus

    original = Bus.send

    def send(self: Bus, batch: Any) -> None:
        records = [record for change in batch.changes for record in change.records]
        if not any(LOSE in (record.body.get("content") or "") for record in records):
            original(self, batch)

    Bus.send = send  # type: ignore[method-assign]


def plant_server() -> None:
    from bots.responder import BotResponder
    from inbox.actions import journal, webhooks
    from inbox.webhooks import source

    if seconds := os.environ.get("WEBHOOK_LEASE"):
        webhooks.LEASE_SECONDS = float(seconds)  # type: ignore[assignment]

    around(journal, "publish", before=_about_to_tell)
    around(journal.Journal, "write", before=_note_written)
    around(journal, "wake", before=_about_to_wake)
    # The message was published a moment ago by this very thread.
    around(BotResponder, "wake", before=lambda _: reach("turn_committed", _here.told))
    around(source, "finish_attempt", before=lambda claim, _: reach("webhook_posted", claim.body))


class _Here(threading.local):
    """Words that this thread has just stored and told."""

    outbox = ""
    told = ""


_here = _Here()


def _note_written(written: Any) -> None:
    # A transaction may write several times; the next one of this thread begins behind a wake.
    _here.outbox += "".join(message.content for message in written._messages)


def _about_to_wake(_source: str) -> None:
    words, _here.outbox = _here.outbox, ""
    reach("webhook_committed", words)


def _about_to_tell(batch: Any) -> None:
    for change in batch.changes:
        messages = [record.body for record in change.records if record.kind == "message"]
        _here.told = "".join(body["content"] for body in messages if body["role"] == "user")
        reach("message_committed", _here.told)
        words = words_of_conversations.get(change.conversation_id, "")
        for end in change.endings:
            point = "hand_off" if end.outcome == "handed_over" else "answer"
            reach(f"{point}_committed", words)
