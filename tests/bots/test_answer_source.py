"""Single questions without a conversation."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from bots.answer_source import BotAnswers
from bots.backends.base import Delta, Finished, HandOff, Passage, Source, Sources
from bots.errors import BackendError
from bots.models import Turn
from inbox.errors import InboxError
from inbox.models import Conversation, Message
from inbox.ports import Question, answer_sources
from tests.support.turns import SteppedBackend

pytestmark = pytest.mark.django_db(transaction=True)

A = {"url": "/a", "title": "A", "snippet": "s"}
SOURCE = Source(**A)


async def parts(language: str = "en", bot_key: str = "default") -> list[tuple[str, object]]:
    question = Question(query="How long?", language=language, bot_key=bot_key)
    return [(part.type, part.data) async for part in BotAnswers().answer(question)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("bots.running.decisions.FIRST_DELAY_SECONDS", 0)


def test_the_app_declares_its_answers():
    assert [type(source) for source in answer_sources()] == [BotAnswers]


def test_only_enabled_bots_have_a_name(robbie):
    assert BotAnswers().bot_name("default") == "Robbie"
    assert BotAnswers().bot_name("nonsense") is None
    robbie.enabled = False
    robbie.save()
    assert BotAnswers().bot_name("default") is None


@pytest.mark.usefixtures("robbie")
async def test_sources_come_first_then_the_text_then_the_end():
    SteppedBackend.play([Sources([SOURCE]), Delta("Thirty "), Delta("days."), Finished("stop")])
    assert await parts() == [
        ("sources", [A]),
        ("text", "Thirty "),
        ("text", "days."),
        ("end", ""),
    ]
    assert not await Conversation.objects.aexists()
    assert not await Message.objects.aexists()
    assert not await Turn.objects.aexists()


@pytest.mark.usefixtures("robbie")
async def test_without_sources_an_empty_list_comes_first():
    assert await parts() == [("sources", []), ("text", "Hi"), ("end", "")]


async def test_the_bot_answers_from_its_knowledge(robbie, monkeypatch):
    asked: list[tuple] = []

    def retrieve(*question, **names):
        asked.append(question)
        return (Passage(source=SOURCE, text="30 days", score=1),)

    monkeypatch.setattr("bots.answer_source.retrieve", retrieve)
    monkeypatch.setattr(SteppedBackend, "uses_knowledge", True)
    robbie.instructions = "Be short."
    await robbie.asave()
    assert (await parts("de"))[0] == ("sources", [A])
    assert asked == [("How long?", (), "de", "")]
    (ask,) = SteppedBackend.asked
    assert (ask.question, ask.language, ask.instructions) == ("How long?", "de", "Be short.")
    assert ask.tools == ()
    assert len(ask.passages) == 1


@pytest.mark.usefixtures("robbie")
async def test_an_attempt_that_fails_before_its_first_word_is_made_again():
    SteppedBackend.play(
        [Sources([SOURCE]), BackendError("answer_cut", retryable=True)],
        [Delta("Fine."), Finished("stop")],
    )
    assert await parts() == [("sources", []), ("text", "Fine."), ("end", "")]


@pytest.mark.usefixtures("robbie")
async def test_an_answer_that_breaks_off_ends_with_an_error():
    SteppedBackend.play([Delta("Thir"), BackendError("answer_cut", retryable=True)])
    told = await parts()
    assert told[:2] == [("sources", []), ("text", "Thir")]
    assert told[2:] == [("error", "The answer broke off.")]
    assert len(SteppedBackend.asked) == 1


@pytest.mark.usefixtures("robbie")
@pytest.mark.parametrize("answer", [[], [Finished("stop")]])
async def test_silence_is_an_error(answer):
    SteppedBackend.play(answer)
    assert [kind for kind, _ in await parts()] == ["error"]
    assert len(SteppedBackend.asked) == 3


@pytest.mark.usefixtures("robbie")
async def test_an_unexpected_exception_is_an_error_too():
    SteppedBackend.play([ValueError("a bug of a host's own backend")])
    assert [kind for kind, _ in await parts()] == ["error"]


@pytest.mark.usefixtures("robbie")
async def test_an_error_is_told_in_the_language_of_the_question():
    SteppedBackend.play([BackendError("answer_cut")])
    ((_, english),) = await parts("en")
    ((_, german),) = await parts("de")
    assert english != german


@pytest.mark.usefixtures("robbie")
async def test_a_bot_that_wants_a_person_says_where_to_find_one():
    SteppedBackend.play([HandOff(reason="r")])
    kinds = await parts()
    assert [kind for kind, _ in kinds] == ["sources", "text", "end"]
    assert "person" in kinds[1][1]


@pytest.mark.usefixtures("robbie")
async def test_words_before_a_hand_off_are_all_there_is():
    SteppedBackend.play([Delta("Well."), HandOff(reason="r")])
    assert await parts() == [("sources", []), ("text", "Well."), ("end", "")]


@pytest.mark.usefixtures("robbie")
async def test_an_answer_cut_by_a_limit_carries_a_mark():
    SteppedBackend.play([Delta("Once"), Finished("length")])
    assert (await parts())[1:] == [("text", "Once"), ("text", " …"), ("end", "")]


async def test_a_bot_that_cannot_be_asked_is_a_plain_refusal(robbie):
    with pytest.raises(InboxError) as refused:
        await parts(bot_key="nonsense")
    assert refused.value.code == "no_bot"
    robbie.backend = "nonsense"
    await robbie.asave()
    with pytest.raises(InboxError):
        await parts()


@pytest.mark.usefixtures("robbie")
async def test_closing_the_answer_closes_the_backend():
    closed: list[bool] = []

    async def never():
        raise AssertionError("went on")

    class Watched(SteppedBackend):
        async def stream(self, ask):
            try:
                yield Delta("one")
                await never()
            finally:
                closed.append(True)

    from bots import backends

    alias, (entry, _) = next(
        (alias, made) for alias, made in backends._made.items() if alias == "stepped"
    )
    backends._made[alias] = (entry, Watched())
    answer = BotAnswers().answer(Question(query="q", language="en", bot_key="default"))
    assert (await anext(answer)).type == "sources"
    await answer.aclose()
    del backends._made[alias]
    assert await sync_to_async(lambda: closed)() == [True]
