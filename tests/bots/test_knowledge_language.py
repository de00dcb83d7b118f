"""Guessing the language of short messages."""

from __future__ import annotations

import pytest

from bots.knowledge.language import detect
from tests.bots.knowledge_questions import HELD_OUT, OFF_TOPIC, OFF_TOPIC_HELD_OUT, TUNING


def test_every_labelled_question_is_recognised_whatever_the_page_speaks() -> None:
    wrong = [
        (language, question)
        for language, question, *_ in [*TUNING, *HELD_OUT, *OFF_TOPIC, *OFF_TOPIC_HELD_OUT]
        for expected in ("en", "de", "")
        if question != "asdf qwer zxcv" and detect(question, expected) != language
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected", "language"),
    [
        ("", "de-AT", "de-AT"),
        ("12345 ???", "fr", "fr"),
        ("Hallo", "en", "en"),
        ("Wie geht das?", "de-CH", "de-CH"),
        ("où est mon colis ?", "en", "fr"),
        ("¿Dónde está mi pedido?", "en", "es"),
        ("Dov'è il mio pacco?", "en", "it"),
        ("Waar is mijn pakket?", "en", "nl"),
        ("Где моя посылка?", "en", "ru"),
        ("Де моя посилка?", "uk", "uk"),
        ("荷物はどこですか", "en", "ja"),
        ("我的包裹在哪里", "en", "zh"),
        ("أين طردي؟", "en", "ar"),
    ],
)
def test_the_language_is_guessed_or_the_expected_one_kept(
    text: str, expected: str, language: str
) -> None:
    assert detect(text, expected) == language
