"""At the edges of a commit and of a socket: what is promised is kept, or refused aloud."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, ClassVar

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection
from django.utils import timezone

from inbox.actions import posting, transitions
from inbox.actions.answering import finish_answer
from inbox.actions.posting import Draft, Posted, VisitorSender, post, post_batch
from inbox.errors import TryAgainError
from inbox.models import Message
from inbox.realtime import metrics
from inbox.realtime.committer import commit
from inbox.realtime.socket import LeanConsumer
from inbox.testing import make_conversation, make_operator, make_visitor, transcript

pytestmark = pytest.mark.django_db(transaction=True)


def draft(visitor: Any, content: str = "Hello") -> Draft:
    return Draft(
        sender=VisitorSender(visitor_id=visitor.pk, bot_key=""),
        conversation_id=visitor.session_id,
        client_id=uuid.uuid4().hex,
        content=content,
    )


async def test_what_is_acknowledged_is_there_for_everybody_else(hub):
    """Another thread has another connection, which sees what was committed and nothing else."""
    vera = await sync_to_async(make_visitor)()
    posted = await commit(draft(vera))
    assert await sync_to_async(Message.objects.filter(pk=posted.id).exists)()


def test_what_could_not_be_committed_is_not_acknowledged(monkeypatch):
    vera = make_visitor()
    monkeypatch.setattr(posting, "_store_retrying", posting._store)

    def full() -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(connection, "commit", full)
        with pytest.raises(OperationalError):
            post(draft(vera))
    assert not Message.objects.exists()


def test_a_database_that_stays_away_is_told_as_try_again(monkeypatch):
    vera = make_visitor()

    def away(*_args: object, **_options: object) -> None:
        raise OperationalError("the server is gone")

    from inbox.database import retrying

    monkeypatch.setattr(posting, "_store_retrying", retrying(away, budget_seconds=0.05))
    with pytest.raises(TryAgainError):
        post(draft(vera))


def test_a_batch_stands_in_the_order_in_which_it_came():
    vera, tom = make_visitor(), make_visitor()
    words = [f"word {number}" for number in range(6)]
    results = post_batch([draft(vera if n % 2 else tom, text) for n, text in enumerate(words)])
    assert all(isinstance(result, Posted) for result in results)
    for visitor, own in ((tom, words[::2]), (vera, words[1::2])):
        said = transcript(visitor.conversations.get())
        assert [text for role, text in said if role == "user"] == own
    seqs = [result.seq for result in results if isinstance(result, Posted)]
    assert seqs[::2] == sorted(seqs[::2])


def test_an_answer_of_an_earlier_owner_is_not_stored(robbie):
    """Taken over and given back meanwhile: the bot answers again, but not with that answer."""
    conversation = make_conversation(bot_key="robbie", handled_by="bot")
    before = conversation.ownership
    olga = make_operator("Olga")
    transitions.take(conversation_id=conversation.id, operator=olga)
    transitions.hand_back(conversation_id=conversation.id, operator=olga)
    stored = finish_answer(
        conversation_id=conversation.id,
        ownership=before,
        turn_key=uuid.uuid4().hex,
        message_id=uuid.uuid4(),
        content="What I was going to say",
        author_name="Robbie",
    )
    assert not stored
    assert "assistant" not in [role for role, _ in transcript(conversation)]


@pytest.mark.parametrize(("outcome", "waits"), [("done", False), ("failed", True)])
def test_an_answer_ends_the_wait_and_an_apology_does_not(robbie, outcome, waits):
    conversation = make_conversation(
        bot_key="robbie", handled_by="bot", waiting_since=timezone.now()
    )
    finish_answer(
        conversation_id=conversation.id,
        ownership=conversation.ownership,
        turn_key=uuid.uuid4().hex,
        message_id=uuid.uuid4(),
        content="Words",
        author_name="Robbie",
        outcome=outcome,
    )
    conversation.refresh_from_db()
    assert (conversation.waiting_since is not None) == waits


class Door(LeanConsumer):
    """A socket that is sent whatever a test hands it."""

    side: ClassVar[str] = "visitor"

    async def enter(self) -> None:
        await self.accept()

    async def on_frame(self, text: str) -> None:
        raise AssertionError("nothing is sent to it")

    async def leave(self) -> None:
        pass

    def heartbeat(self) -> dict[str, Any]:
        return {"type": "pong"}


async def test_a_reader_with_too_much_waiting_is_told_to_come_back(settings):
    """Nothing is left out of the middle: the socket ends, and its successor reads it all."""
    settings.INBOX_SEND_BUDGET_BYTES = 2_000
    before = metrics.slow_readers._value.get()
    door, sent = Door(), []
    opened, reads, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await incoming.put({"type": "websocket.connect"})

    async def send(event: dict[str, Any]) -> None:
        if event["type"] == "websocket.send":
            await reads.wait()
        sent.append(event)
        (opened if event["type"] == "websocket.accept" else closed).set()

    task = asyncio.create_task(door({"type": "websocket"}, incoming.get, send))
    async with asyncio.timeout(10):
        await opened.wait()
        for number in range(40):
            door.send_frame({"type": "message", "seq": number, "content": "x" * 100})
        await asyncio.sleep(0)
        reads.set()
        await closed.wait()
        while sent[-1]["type"] == "websocket.send" and len(sent) < 50:
            await asyncio.sleep(0.01)
    assert sent[-1] == {"type": "websocket.close", "code": 4013}
    assert metrics.slow_readers._value.get() == before + 1
    await incoming.put({"type": "websocket.disconnect"})
    await asyncio.wait_for(task, 10)
