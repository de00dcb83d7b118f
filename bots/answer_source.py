"""Single questions without a conversation: the same bots, and nothing of it is stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from django.utils import translation
from django.utils.translation import gettext as _

from bots import prompt
from bots.backends import get_backend
from bots.backends.base import (
    Ask,
    Backend,
    BackendEvent,
    Delta,
    Finished,
    HandOff,
    Passage,
    Source,
    Sources,
)
from bots.conf import bots_settings
from bots.errors import BackendError
from bots.knowledge.retrieval import retrieve
from bots.models import Bot
from bots.responder import backend_works, is_failing
from bots.running.decisions import after_error
from bots.running.events import CUT_MARK, as_dicts, named_errors
from inbox.database import in_thread
from inbox.errors import RefusedError
from inbox.ports import AnswerPart, Question

logger = logging.getLogger("frontdesk.answers")


class BotAnswers:
    """Bots as an ``AnswerSource``. Tools are left out: there is nobody they could act for."""

    def bot_name(self, bot_key: str) -> str | None:
        """The name of an enabled bot."""
        name: str | None = (
            Bot.objects.enabled().filter(key=bot_key).values_list("name", flat=True).first()
        )
        return name

    async def answer(self, question: Question) -> AsyncIterator[AnswerPart]:
        """Stream an answer, tried again as long as nothing of it was told."""
        bot = await in_thread(_bot, question.bot_key)
        loop = asyncio.get_running_loop()
        began, attempt, shorten = loop.time(), 1, False
        while True:
            told = False
            try:
                backend = get_backend(bot.backend_alias)
                ask = await in_thread(_ask, bot, backend, question)
                parts = _parts(backend, prompt.shortened(ask) if shorten else ask)
                async with aclosing(parts):
                    async for part in parts:
                        told = True
                        yield part
                return
            except BackendError as error:
                logger.warning("a question to bot %s: %s", bot.key, error)
                retry = after_error(
                    error,
                    attempt=attempt,
                    attempts=bots_settings.ATTEMPTS,
                    elapsed=loop.time() - began,
                    window=bots_settings.RETRY_SECONDS,
                )
                if told or retry is None:
                    yield _failure(error, question.language)
                    return
            attempt, shorten = attempt + 1, shorten or retry.shorten
            await asyncio.sleep(retry.delay)


async def _parts(backend: Backend, ask: Ask) -> AsyncGenerator[AnswerPart, None]:
    """One attempt. Sources are told right before the first word, so that until then another
    attempt can still take its place."""
    named: list[Source] = [passage.source for passage in ask.passages]
    if backend.names_sources:
        named = []
    told = False
    async with (
        aclosing(backend.stream(ask)) as answer,
        aclosing(named_errors(answer)) as events,
    ):
        async for event in events:
            words = _words(event, ask.language, told=told)
            if isinstance(event, Sources) and not told:
                named = [*named, *event.sources]
            if words and not told:
                told = True
                yield AnswerPart(type="sources", data=as_dicts(named))
            if words:
                yield AnswerPart(type="text", data=words)
            if isinstance(event, Finished | HandOff):
                break
        else:
            raise BackendError("answer_cut", "the backend ended without a word", retryable=True)
    if not told:
        raise BackendError("answer_empty", retryable=True)
    yield AnswerPart(type="end")


def _words(event: BackendEvent, language: str, *, told: bool) -> str:
    if isinstance(event, Delta):
        return event.text
    if isinstance(event, HandOff) and not told:
        with translation.override(language):
            return _("A person has to look at this. Please ask for one in the chat.")
    if isinstance(event, Finished) and event.reason in {"length", "content_filter"}:
        return CUT_MARK
    return ""


def _bot(bot_key: str) -> Bot:
    """The bot, if it can be asked now.

    Raises:
        InboxError: ``no_bot``.
    """
    bot: Bot | None = Bot.objects.enabled().filter(key=bot_key).first()
    if bot is None or not backend_works(bot) or is_failing(bot):
        raise RefusedError("no_bot", status=503, retryable=True)
    return bot


def _ask(bot: Bot, backend: Backend, question: Question) -> Ask:
    passages: tuple[Passage, ...] = ()
    if backend.uses_knowledge:
        passages = retrieve(
            question.query, (), question.language, question.widget_key, min_score=bot.min_score
        )
    return Ask(
        question=question.query,
        passages=passages,
        instructions=bot.instructions,
        language=question.language,
        model=bot.model,
        temperature=bot.temperature,
        max_output_tokens=bot.output_limit,
        bot_name=bot.name,
        site_name=bots_settings.SITE_NAME,
    )


def _failure(error: BackendError, language: str) -> AnswerPart:
    with translation.override(language):
        return AnswerPart(type="error", data=error.message, code=error.code)
