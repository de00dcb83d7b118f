"""The backend without a model: quotations with sources, refusals, small talk, hand-offs."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from bots.backends import get_backend
from bots.backends.base import (
    Ask,
    BackendEvent,
    ChatTurn,
    Delta,
    Finished,
    HandOff,
    Passage,
    Source,
    Sources,
)
from bots.backends.offline import OfflineBackend
from bots.knowledge.extract import ANSWER_CHARS, extract

RETURNS = Source(url="/help/en/returns/", title="Returns", snippet="You can return")
DELIVERY = Source(url="/help/en/delivery/", title="Delivery", snippet="We deliver")


@pytest.fixture(autouse=True)
def _at_once(settings) -> None:
    settings.BOTS_OFFLINE_TOKENS_PER_SECOND = 0


def passage(text: str, *, source: Source = RETURNS, score: float = 0.9, language="en") -> Passage:
    return Passage(source=source, text=text, score=score, article_id=1, language=language)


async def answer(question: str, *passages: Passage, **values) -> list[BackendEvent]:
    ask = Ask(question=question, passages=passages, **({"language": "en"} | values))
    async with aclosing(OfflineBackend().stream(ask)) as events:
        return [event async for event in events]


def text_of(events: list[BackendEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_it_is_the_backend_called_offline() -> None:
    assert isinstance(get_backend("offline"), OfflineBackend)
    assert get_backend("offline").check() == []


async def test_sources_come_before_the_text_and_one_end_after_it() -> None:
    found = passage("### Deadline\n\nYou can return a lamp within **30 days**.")
    events = await answer("How long can I return a lamp?", found)
    assert [type(event) for event in events] == [Sources, Delta, Finished]
    quoted = replace(RETURNS, snippet="You can return a lamp within 30 days.")
    assert events[0] == Sources([quoted])
    assert text_of(events) == "**Deadline**\n\nYou can return a lamp within **30 days**. [1]"
    assert events[-1] == Finished("stop")


async def test_the_answer_streams_word_by_word_at_the_set_pace(settings) -> None:
    settings.BOTS_OFFLINE_TOKENS_PER_SECOND = 100
    words = "Return " + "it " * 28 + "today.  \n"
    began = time.perf_counter()
    events = await answer("return", passage(words))
    assert 0.25 < time.perf_counter() - began < 2
    deltas = [event.text for event in events if isinstance(event, Delta)]
    assert len(deltas) == 31
    assert "".join(deltas).startswith("Return it it")
    assert all(delta.strip() for delta in deltas)


async def test_the_first_word_comes_at_once_and_the_rest_can_be_stopped(settings) -> None:
    settings.BOTS_OFFLINE_TOKENS_PER_SECOND = 0.1
    stream = OfflineBackend().stream(
        Ask(question="return", passages=(passage("Return it. " * 20),), language="en")
    )
    async with asyncio.timeout(5), aclosing(stream) as events:
        async for event in events:
            if isinstance(event, Delta):
                break


async def test_without_a_passage_it_says_so_and_offers_a_person() -> None:
    events = await answer("What is the capital of France?")
    assert [type(event) for event in events] == [Delta, Finished]
    assert text_of(events) == (
        "I have not found an answer to that in our help pages. "
        "Would you like to write with a person of our team?"
    )


async def test_it_answers_in_the_language_of_the_question() -> None:
    refused = text_of(await answer("Wie heißt die Hauptstadt von Frankreich?"))
    assert refused.endswith("Möchten Sie mit einem Menschen aus unserem Team schreiben?")
    assert text_of(await answer("Danke!", language="de")).startswith("Gern geschehen!")


async def test_a_short_message_keeps_the_language_of_earlier_ones() -> None:
    history = (ChatTurn(role="user", content="Wie kann ich bezahlen?"),)
    assert "Team schreiben?" in text_of(await answer("Bitcoin?", history=history))


async def test_an_article_in_another_language_is_announced() -> None:
    found = passage("Sie können Lampen zurückgeben.", language="de")
    text = text_of(await answer("Can I send lamps back?", found))
    assert text == "I only found this in German:\n\nSie können Lampen zurückgeben. [1]"
    odd = passage("Nuqneh.", language="tlh")
    assert text_of(await answer("Can I send lamps back?", odd)) == "Nuqneh. [1]"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Hello!", "Hello! How can I help you?"),
        ("Thanks a lot", "You're welcome!"),
        ("bye", "Goodbye"),
        ("How are you?", "All is well"),
        ("Are you a human?", "I am a bot"),
        ("What can you do?", "I am a bot and answer questions"),
        ("Bist du ein Roboter?", "Ich bin ein Bot"),
    ],
)
async def test_small_talk_is_answered_politely_and_without_sources(question, said) -> None:
    events = await answer(question, passage("Return a lamp."), language="en")
    assert [type(event) for event in events] == [Delta, Finished]
    assert text_of(events).startswith(said)


async def test_the_greeting_names_the_site() -> None:
    assert text_of(await answer("Hi", site_name="Lumen")).startswith("Hello and welcome to Lumen!")


@pytest.mark.parametrize(
    ("question", "language"),
    [("I want to talk to a human", "en"), ("Ich möchte mit einem Menschen sprechen", "de")],
)
async def test_a_wish_for_a_person_hands_over_with_the_open_question(question, language) -> None:
    history = (
        ChatTurn(role="user", content="Hi"),
        ChatTurn(role="user", content="Where is my parcel?"),
        ChatTurn(role="assistant", content="On its way."),
    )
    events = await answer(question, passage("Return a lamp."), history=history)
    (handed,) = events
    assert isinstance(handed, HandOff)
    assert handed.question == "Where is my parcel?"
    assert handed.language == language
    assert handed.summary
    assert handed.suggested_reply
    assert handed.tried


async def test_a_wish_for_a_person_alone_is_its_own_question() -> None:
    (handed,) = await answer("human please")
    assert isinstance(handed, HandOff)
    assert (handed.question, handed.tried) == ("human please", "")


async def test_a_wish_for_a_person_that_says_why_is_its_own_question() -> None:
    history = (ChatTurn(role="user", content="Where is my parcel?"),)
    question = "The lamp came broken and nobody answers my mail, I want to talk to a human now"
    (handed,) = await answer(question, history=history)
    assert isinstance(handed, HandOff)
    assert handed.question == question


@pytest.mark.parametrize("language", ["en", "de"])
async def test_yes_to_the_offer_of_a_person_hands_over(language) -> None:
    question = {"en": "Who wrote that song?", "de": "Wer hat das Lied geschrieben?"}[language]
    offer = text_of(await answer(question, language=language))
    history = (
        ChatTurn(role="user", content=question),
        ChatTurn(role="assistant", content=offer),
    )
    yes = {"en": "yes please", "de": "ja gerne"}[language]
    (handed,) = await answer(yes, history=history, language=language)
    assert isinstance(handed, HandOff)
    assert handed.question == question


async def test_yes_to_anything_else_does_not(settings) -> None:
    history = (ChatTurn(role="assistant", content="You can return a lamp within 30 days."),)
    assert not isinstance((await answer("yes", history=history))[0], HandOff)
    assert not isinstance((await answer("yes"))[0], HandOff)
    by_operator = (
        ChatTurn(role="operator", content="Would you like to write with a person of our team?"),
    )
    assert not isinstance((await answer("yes", history=by_operator))[0], HandOff)


# --- what is quoted --------------------------------------------------------------------------

LONG = (
    "You can return any lamp within 30 days. " + "Our lamps are made with care. " * 12 + "\n\n"
    "Refunds take 5 working days and go back the way you paid.\n\n"
    "| Country | Days |\n|---|---|\n| Austria | 3 |\n| Italy | 6 |\n| Spain | 7 |\n\n"
    "Do this:\n\n1. Print the label.\n2. Pack the lamp.\n"
)


def test_a_long_passage_is_cut_to_the_sentences_that_answer() -> None:
    found = extract("When do I get a refund?", [passage(LONG)], language="en")
    assert found.text == "Refunds take 5 working days and go back the way you paid. [1]"


def test_of_a_table_only_the_rows_asked_for_are_quoted() -> None:
    found = extract("How many days to Italy?", [passage(LONG)], language="en")
    assert "- Italy – Days: 6" in found.text
    assert "Austria" not in found.text
    assert "Spain" not in found.text


def test_a_list_is_quoted_whole_with_the_sentence_before_it() -> None:
    found = extract("Where do I print the label?", [passage(LONG)], language="en")
    assert found.text == "Do this:\n\n1. Print the label.\n2. Pack the lamp. [1]"


def test_an_answer_stays_readable_even_from_the_longest_passage() -> None:
    found = extract("lamp", [passage("A lamp is a lamp in a lamp. " * 60)], language="en")
    assert len(found.text) < ANSWER_CHARS + 60


def test_a_second_source_is_quoted_when_it_adds_something() -> None:
    first = passage("You can return a lamp within 30 days.")
    second = passage("Express delivery comes tomorrow.", source=DELIVERY, score=0.85)
    found = extract("return a lamp and express delivery", [first, second], language="en")
    assert found.text == (
        "You can return a lamp within 30 days. [1]\n\nExpress delivery comes tomorrow. [2]"
    )
    assert [source.url for source in found.sources] == [RETURNS.url, DELIVERY.url]


def test_two_passages_of_one_article_are_one_source() -> None:
    first = passage("You can return a lamp within 30 days.")
    second = passage("### Post\n\nExpress delivery comes tomorrow.", score=0.85)
    found = extract("return a lamp and express delivery", [first, second], language="en")
    assert found.text.count("[1]") == 2
    assert [source.url for source in found.sources] == [RETURNS.url]


@pytest.mark.parametrize("score", [0.85, 0.5])
def test_a_second_passage_that_adds_nothing_or_fits_less_is_left_out(score: float) -> None:
    first = passage("You can return a lamp within 30 days.")
    other = Source(url="/help/en/lamps/", title="Lamps", snippet="")
    same = passage("A lamp can be returned.", source=other, score=0.85)
    worse = passage("Express delivery comes tomorrow.", source=DELIVERY, score=0.5)
    second = same if score > 0.8 else worse
    found = extract("return a lamp and express delivery", [first, second], language="en")
    assert [source.url for source in found.sources] == [RETURNS.url]


def test_a_mistyped_question_still_picks_the_right_sentence() -> None:
    found = extract("refudn", [passage(LONG)], language="en")
    assert found.text.startswith("Refunds take 5 working days")


def test_code_is_quoted_as_code() -> None:
    found = extract("install", [passage("Install it:\n\n```\npip install x\n```")], language="en")
    assert found.text == "Install it:\n\n```\npip install x\n``` [1]"
