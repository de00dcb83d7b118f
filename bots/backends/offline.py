"""A backend without a model: it answers with the site's own sentences, or says that it cannot.

It reads nothing but the ``Ask``: whoever runs it has searched already (``knowledge.retrieval``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

from django.utils import translation
from django.utils.translation import gettext as _

from bots.backends.base import Ask, Backend, BackendEvent, Delta, Finished, HandOff, Sources
from bots.conf import bots_settings
from bots.knowledge.extract import extract
from bots.knowledge.language import detect
from bots.knowledge.retrieval import earlier_question
from bots.knowledge.smalltalk import Talk, is_yes, recognise

MAX_WISH_WORDS = 12
"""A longer wish for a person says itself what it is about."""

_PIECE = re.compile(r"\s*\S+\s*$|\s*\S+")


class OfflineBackend(Backend):
    """Quotes the passages it is given, with sources; needs no network and no key."""

    name = "offline"
    names_sources = True

    async def stream(self, ask: Ask) -> AsyncGenerator[BackendEvent, None]:
        """Small talk, a hand-off, a quotation with its sources, or a polite refusal."""
        language = spoken_language(ask)
        talk = recognise(ask.question)
        if talk is Talk.PERSON or (is_yes(ask.question) and _was_offered_a_person(ask)):
            yield _hand_off(ask, language)
            return
        if talk is not None:
            text = _small_talk(talk, ask, language)
        elif ask.passages:
            context = earlier_question(ask.question, ask.history, language)
            found = extract(ask.question, ask.passages, language=language, context=context)
            yield Sources(found.sources)
            text = _in_other_language(found.language, language) + found.text
        else:
            text = _refusal(language)
        async for delta in _paced(text):
            yield delta
        yield Finished("stop")


def spoken_language(ask: Ask) -> str:
    """The language to answer in: the question's, else that of earlier ones, else the ask's."""
    language = ask.language
    for turn in ask.history:
        if turn.role == "user":
            language = detect(turn.content, language)
    return detect(ask.question, language)


async def _paced(text: str) -> AsyncGenerator[Delta, None]:
    """The text word by word at ``BOTS_OFFLINE_TOKENS_PER_SECOND``, or whole when that is 0."""
    rate = bots_settings.OFFLINE_TOKENS_PER_SECOND
    if rate <= 0:
        yield Delta(text)
        return
    loop = asyncio.get_running_loop()
    due = loop.time()
    for number, piece in enumerate(_PIECE.findall(text)):
        if number:
            # Against the clock, not step by step: a busy loop must not slow the answer.
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
        yield Delta(piece)


def _hand_off(ask: Ask, language: str) -> HandOff:
    """The open question is the last one that was more than a wish for a person."""
    earlier = [turn.content for turn in ask.history if turn.role == "user"]
    asked = [text for text in earlier if recognise(text) is None and not is_yes(text)]
    says_more = len(ask.question.split()) > MAX_WISH_WORDS
    question = ask.question if says_more or not asked else asked[-1]
    with translation.override(language or None):
        return HandOff(
            reason="visitor_asked",
            summary=_("The visitor asks for a person."),
            question=question,
            language=language,
            suggested_reply=_("Hello, how can I help you?"),
            tried=_("The bot answered from the articles.") if asked else "",
        )


def _small_talk(talk: Talk, ask: Ask, language: str) -> str:
    with translation.override(language or None):
        match talk:
            case Talk.THANKS:
                return _("You're welcome! Is there anything else you would like to know?")
            case Talk.GOODBYE:
                return _("Goodbye, and thank you for your visit!")
            case Talk.HOW_ARE_YOU:
                return _("All is well, thank you. What would you like to know?")
            case Talk.ARE_YOU_A_BOT:
                return _(
                    "I am a bot and answer from our help pages. If you would rather write with a "
                    "person of our team, just say so."
                )
            case Talk.WHAT_CAN_YOU_DO:
                return _(
                    "I am a bot and answer questions from our help pages. Just ask in your own "
                    "words. If I don't know, I can bring in a person of our team."
                )
            case _:
                if ask.site_name:
                    return _("Hello and welcome to %(site)s! How can I help you?") % {
                        "site": ask.site_name
                    }
                return _("Hello! How can I help you?")


def _refusal(language: str) -> str:
    with translation.override(language or None):
        regret = _("I have not found an answer to that in our help pages.")
        return f"{regret} {_offer()}"


def _offer() -> str:
    """The offer of a person, in the active language; a visitor may answer it with yes."""
    return _("Would you like to write with a person of our team?")


def _was_offered_a_person(ask: Ask) -> bool:
    """Whether the last thing said was the bot's offer, in whatever language it was made."""
    if not ask.history or ask.history[-1].role != "assistant":
        return False
    said = ask.history[-1].content.rstrip()
    spoken = {spoken_language(ask), ask.language, "en", ""}
    for language in spoken:
        with translation.override(language or None):
            if said.endswith(_offer()):
                return True
    return False


def _in_other_language(quoted: str, language: str) -> str:
    """A word of excuse when the quoted article is in another language than the answer."""
    if not quoted or quoted == language.split("-")[0].lower():
        return ""
    with translation.override(language or None):
        try:
            name = translation.get_language_info(quoted)["name_translated"]
        except KeyError:
            return ""
        return _("I only found this in %(language)s:") % {"language": name} + "\n\n"
