"""The search in a conversation: follow-ups, changes of subject, the message's own language."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from bots.actions.article_import import import_folder
from bots.actions.articles import save_article
from bots.backends.base import ChatTurn
from bots.knowledge.retrieval import retrieve

KNOWLEDGE = Path(settings.BASE_DIR) / "config" / "demo" / "knowledge"

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> None:
    """The demo's articles."""
    import_folder(KNOWLEDGE)


def article(key: str, **values: str) -> None:
    save_article(key=key, language="en", **values)


def titles(question: str, *before: str, **options) -> list[str]:
    history = [ChatTurn(role="user", content=text) for text in before]
    return [passage.source.title for passage in retrieve(question, history, "en", **options)]


@pytest.mark.usefixtures("shop")
def test_a_follow_up_is_searched_with_the_question_before_it() -> None:
    assert titles("and how long does that take?") == []
    first = "How do I return a lamp?"
    assert titles("and how long does that take?", first)[0] == "Returns and refunds"
    assert titles("And to Switzerland?", "How much is delivery to Austria?")[0] == "Delivery abroad"
    assert titles("und wie lange dauert das?", "Wie schicke ich etwas zurück?")[0] == (
        "Rückgabe und Erstattung"
    )


@pytest.mark.usefixtures("shop")
def test_a_follow_up_looks_past_small_talk() -> None:
    assert titles("and how long does that take?", "How do I return a lamp?", "ok")[0] == (
        "Returns and refunds"
    )


@pytest.mark.usefixtures("shop")
def test_a_new_subject_leaves_the_old_one_behind() -> None:
    assert titles("Do you repair lamps?", "How do I return a lamp?")[0] == "Warranty and repairs"
    complete = "And how long does delivery take?"
    assert titles(complete, "Can I return a lamp?")[0] == "Delivery times and costs"
    assert titles("And who pays for it?", "Can I return a lamp?")[0] == "Returns and refunds"
    assert titles("And what's the capital of France?", "How do I return a lamp?") == []
    assert titles("Who wrote that song?", "How do I return a lamp?") == []


@pytest.mark.usefixtures("shop")
def test_a_question_that_stands_for_itself_is_not_mixed_with_the_one_before() -> None:
    before = "How much is delivery to Austria?"
    assert titles("Can I return it?", before) == titles("Can I return it?")
    assert titles("Is it in the household waste?", "Where do I put old bulbs?")[0] == (
        "Light bulbs and energy"
    )


@pytest.mark.usefixtures("shop")
def test_a_question_for_a_property_is_about_what_was_asked_before() -> None:
    assert titles("Is it free?", "Do you repair lamps?")[0] == "Warranty and repairs"
    assert titles("how much is it", "Do you sell gift cards?")[0] == "Gift cards"
    assert titles("Was kostet das?", "Bietet ihr einen Montageservice an?")[0] == (
        "Aufbau und Montage"
    )


def test_a_vague_question_is_searched_with_the_one_before() -> None:
    article("shades", title="Shades", body="Silk shades are cleaned with a brush.")
    article("cables", title="Cables", body="A cable is cleaned with a cloth. Silk cables too.")
    assert titles("Is it cleaned?", "Tell me about silk shades")[0] == "Shades"


@pytest.mark.usefixtures("shop")
def test_the_bots_own_words_are_no_question() -> None:
    history = [ChatTurn(role="assistant", content="You can return a lamp within 30 days.")]
    assert retrieve("and how long does that take?", history, "en") == ()


@pytest.mark.usefixtures("shop")
def test_the_messages_language_wins_over_the_pages() -> None:
    assert titles("Wie kann ich bezahlen?")[0] == "Zahlungsarten"


@pytest.mark.usefixtures("shop")
def test_one_article_does_not_fill_all_places(settings) -> None:
    settings.BOTS_PASSAGES = 5
    found = titles("How can I return a lamp?")
    assert len(found) == 5
    assert found.count("Returns and refunds") <= 3
    assert titles("How can I return a lamp?", limit=1) == ["Returns and refunds"]
    assert titles("How can I return a lamp?", min_score=0.99) == []
