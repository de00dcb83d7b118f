"""What a turn asks of the database: every message begins one, so that each statement counts."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bots import work
from bots.actions import endings, leases
from bots.models import Turn, TurnStatus
from bots.responder import BotResponder
from bots.running.brief import load, spent_by
from inbox.models import Message
from inbox.testing import make_visitor
from tests.support.turns import STEPPED, SteppedBackend, make_bot, say

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def robbie(settings):
    settings.BOTS_BACKENDS = {"stepped": {"BACKEND": STEPPED}}
    return make_bot(backend="stepped")


def test_a_turn_takes_few_statements(robbie, django_assert_max_num_queries):
    vera = make_visitor("Vera")
    say(vera, "Hello")
    own = connection.features.has_select_for_update_skip_locked
    # BEGIN, the turns, their claim, COMMIT; elsewhere a look first, which begins nothing.
    with django_assert_max_num_queries(4 if own else 5):
        [turn] = leases.claim(10)
    # The conversation with its visitor, the words, what the visitor used today.
    with django_assert_max_num_queries(3):
        brief = load(turn, SteppedBackend())
    assert brief is not None
    # BEGIN, conversation, visitor, the end, message, event, conversation, webhooks, COMMIT.
    with django_assert_max_num_queries(10):
        assert endings.finish(
            turn, leases.claim_of(turn), endings.Record(), content="Hi.", sources=[]
        )
    assert Turn.objects.get().status == TurnStatus.DONE


def test_what_others_asked_today_is_not_read_for_a_turn(robbie):
    """Else every turn costs as much as there were turns that day."""
    vera = make_visitor("Vera")
    for visitor in (vera, make_visitor("Otto")):
        say(visitor, "Hello")
    turn = Turn.objects.get(conversation__visitor=vera)
    with CaptureQueriesContext(connection) as asked:
        assert spent_by(turn, vera.pk).turns_of_visitor == 0
        assert spent_by(Turn(bot=robbie), vera.pk).turns_of_visitor == 1
    for statement in asked.captured_queries:
        explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        with connection.cursor() as cursor:
            cursor.execute(explain + statement["sql"])
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
        assert "frontdesk_turn_created" not in plan, plan


def test_a_message_asks_once_whether_its_bot_can_be_asked(robbie, monkeypatch):
    asked = []
    is_available = BotResponder.is_available

    def counted(responder: BotResponder, bot_key: str) -> bool:
        asked.append(bot_key)
        return is_available(responder, bot_key)

    monkeypatch.setattr(BotResponder, "is_available", counted)
    say(make_visitor("Vera"), "Hello")
    assert asked == ["default"]
    assert Turn.objects.count() == 1


def test_files_without_words_are_still_named(robbie, monkeypatch):
    vera = make_visitor("Vera")
    say(vera, "Hello")
    message = Message.objects.get()
    message.attachments.create(name="lamp.png", size=1, content_type="image/png", visitor=vera)
    Message.objects.update(content="")
    [turn] = leases.claim(1)
    brief = load(turn, SteppedBackend())
    assert brief is not None
    assert brief.ask.question == "[lamp.png]"


async def test_only_words_behind_an_answered_message_make_the_runner_look_again(hub, robbie):
    vera = await sync_to_async(make_visitor)("Vera")

    async def writes_once_more() -> None:
        await sync_to_async(say)(vera, "And?")

    async def answered(words: str) -> bool:
        await sync_to_async(say)(vera, words)
        [claimed] = await sync_to_async(source.claim)(10)
        return await source.run(claimed)

    source = work.TurnSource()
    SteppedBackend.play()
    await answered("Hello")  # who answers is an event behind the first words
    assert await answered("How are you?") is False
    [answer] = SteppedBackend.script
    SteppedBackend.play([writes_once_more, *answer], answer)
    assert await answered("Where are you?") is True
    assert await Turn.objects.due().acount() == 1
