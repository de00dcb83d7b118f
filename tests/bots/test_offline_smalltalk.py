"""What the offline bot takes for small talk, and what it does not."""

from __future__ import annotations

import time

import pytest

from bots.knowledge.smalltalk import Talk, is_yes, recognise, wants_person

PERSON = [
    "I want to talk to a human",
    "Can I speak with a real person?",
    "can i talk to someone please",
    "Please connect me with an operator",
    "connect me to a representative",
    "I need a human",
    "human please",
    "Human!",
    "agent",
    "speak to customer service",
    "Could you transfer me to your team?",
    "Ich möchte mit einem Menschen sprechen",
    "Kann ich mit jemandem reden?",
    "Kann ich bitte einen Mitarbeiter sprechen?",
    "Mit einem Mitarbeiter verbinden",
    "Verbinden Sie mich bitte mit einem Kollegen",
    "Ich will mit einer echten Person chatten",
    "Mensch bitte",
    "Mitarbeiter",
    "Ich brauche einen Menschen",
    "Kann ich mit dem Kundenservice sprechen?",
    "je voudrais parler à quelqu'un",
    "quiero hablar con una persona",
]
NO_PERSON = [
    "I don't want to talk to a human",
    "I do not want to speak to anyone, no need to connect me with an operator",
    "Ich möchte nicht mit einem Menschen sprechen",
    "Are you a human?",
    "Is a person needed for the mounting?",
    "When is customer service open?",
    "How many people fit in the showroom?",
    "Can someone else collect my order?",
    "Bist du ein Mensch?",
    "Wann ist der Kundenservice erreichbar?",
    "Für wie viele Personen ist der Tisch?",
    "Do you ship to a person in Austria?",
    "What does the parcel agent need?",
    "",
]
TALK = [
    ("Hi", Talk.GREETING),
    ("hello there!", Talk.GREETING),
    ("Guten Tag", Talk.GREETING),
    ("Hallo zusammen 👋", Talk.GREETING),
    ("Grüß Gott", Talk.GREETING),
    ("thanks!", Talk.THANKS),
    ("ok thank you very much", Talk.THANKS),
    ("Vielen Dank!", Talk.THANKS),
    ("Super, danke schön", Talk.THANKS),
    ("bye", Talk.GOODBYE),
    ("Tschüss!", Talk.GOODBYE),
    ("How are you?", Talk.HOW_ARE_YOU),
    ("Hallo, wie geht's?", Talk.HOW_ARE_YOU),
    ("Are you a bot?", Talk.ARE_YOU_A_BOT),
    ("are you a real person or a robot", Talk.ARE_YOU_A_BOT),
    ("Bist du ein Mensch?", Talk.ARE_YOU_A_BOT),
    ("Spreche ich hier mit einem Roboter?", Talk.ARE_YOU_A_BOT),
    ("what can you do?", Talk.WHAT_CAN_YOU_DO),
    ("Hilfe", Talk.WHAT_CAN_YOU_DO),
    ("I want to talk to a human", Talk.PERSON),
]
QUESTIONS = [
    "Hello, where is my parcel?",
    "Hi, can I return a lamp?",
    "Thanks, but how long does it take?",
    "Hallo, was kostet der Versand?",
    "help me mount a lamp",
    "Danke, und wie lange dauert das?",
    "Is this lamp a bot lamp",
    "",
    "?",
]


@pytest.mark.parametrize("text", PERSON)
def test_a_wish_for_a_person_is_understood(text: str) -> None:
    assert wants_person(text)
    assert recognise(text) is Talk.PERSON


@pytest.mark.parametrize("text", NO_PERSON)
def test_talking_about_people_is_no_wish_for_one(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize(("text", "talk"), TALK)
def test_small_talk_is_recognised(text: str, talk: Talk) -> None:
    assert recognise(text) is talk


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_no_small_talk_even_behind_a_greeting(text: str) -> None:
    assert recognise(text) is None


@pytest.mark.parametrize("text", ["yes", "Yes, please!", "ja gerne", "Ja, bitte", "ok", "sure"])
def test_yes_is_understood(text: str) -> None:
    assert is_yes(text)


@pytest.mark.parametrize("text", ["no", "nein", "yes but first tell me the price", "jawohl?!x", ""])
def test_other_answers_are_not_yes(text: str) -> None:
    assert not is_yes(text)


@pytest.mark.parametrize(
    "text", ["mit " * 1000, "speak to " * 450, "ich " + "a " * 2000, "hi " * 130, "!" * 4000]
)
def test_hostile_text_is_read_in_no_time(text: str) -> None:
    began = time.thread_time()  # a busy machine does not count
    recognise(text)
    is_yes(text)
    assert time.thread_time() - began < 0.2
