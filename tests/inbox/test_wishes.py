"""Which words ask for a person, and which only mention one."""

from __future__ import annotations

import pytest

from inbox.assignment.wishes import asks_for_person, mentions


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a human",
        "Can I speak with a real person, please?",
        "talk to a person",
        "Please connect me to an operator.",
        "connect me with someone from your team",
        "Could you transfer me to customer support?",
        "not a bot, a human please",
        "HUMAN!",
        "Human please",
        "agent",
        "Hello. I need a human.",
        "I'd like a live agent instead",
        "get me a real person now",
        "can't I talk to somebody?",
        "Why can’t I speak to someone real?",
        "put me through to the sales team",
        "Ich möchte mit einem Menschen sprechen",
        "Kann ich bitte mit einem Mitarbeiter reden?",
        "Kann ich nicht mit jemandem sprechen?",
        "mit jemandem vom Support sprechen",
        "Verbinden Sie mich bitte mit einem Kundenberater",
        "Leiten Sie mich an einen Mitarbeiter weiter",
        "einen echten Menschen bitte",
        "Ich will einen Menschen!",
        "Mitarbeiter bitte",
        "Ich brauche einen Ansprechpartner",
    ],
)
def test_words_that_ask_for_a_person(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Where is my order?",
        "How many people fit under this lamp?",
        "I am only human and forgot my password",
        "Is this lamp safe for a person with epilepsy?",
        "I don't want to talk to a human",
        "No need to speak with an operator",
        "Can you help me without connecting me to an agent?",
        "I talked to someone yesterday and nothing happened",
        "Does the delivery person ring the bell?",
        "I need someone to deliver it upstairs",
        "Which operator runs the parcel service?",
        "Wie viele Menschen kaufen das?",
        "Ich möchte nicht mit einem Menschen sprechen",
        "Haben Ihre Mitarbeiter Rabatt?",
        "Ich habe gestern mit jemandem gesprochen",
        "Kann mein Mitarbeiter das Paket annehmen?",
        "Die Person am Empfang war nett",
    ],
)
def test_words_that_only_mention_a_person(text: str) -> None:
    assert not asks_for_person(text)


def test_configured_keywords_count_wherever_they_stand() -> None:
    assert asks_for_person("Il me faut un Conseiller, vite", ["conseiller"])
    assert asks_for_person("une vraie   personne svp", ["vraie personne"])
    assert not asks_for_person("conseillers", ["conseiller"])
    assert not asks_for_person("anything", ["", "  "])


@pytest.mark.parametrize(
    ("text", "keywords", "expected"),
    [
        ("My INVOICE is wrong", ["invoice"], True),
        ("voice lessons", ["invoice", "voi"], False),
        ("What about the Straße?", ["STRASSE"], True),
        ("c++ question", ["c++"], True),
        ("a (refund)", ["refund"], True),
        ("", ["refund"], False),
        ("refund", [], False),
    ],
)
def test_keywords_are_whole_words_in_any_case(
    text: str, keywords: list[str], expected: bool
) -> None:
    assert mentions(text, keywords) is expected
