"""``POST /api/chatbot``: single questions without a conversation; nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chatwidget.access import address_of, find_caller
from chatwidget.errors import SIGN_IN_FIRST, invalid_token
from chatwidget.frames import QuestionBody
from chatwidget.http import endpoint, open_widget, read_json
from chatwidget.languages import negotiate
from chatwidget.limits import QUESTIONS, limiter
from chatwidget.models import DEFAULT_KEY, Widget
from inbox.conf import inbox_settings
from inbox.database import in_thread
from inbox.errors import InboxError, RefusedError, rate_limited
from inbox.ports import AnswerPart, AnswerSource, Question, answer_sources
from inbox.realtime.records import encode_json
from inbox.texts import check_text

Parts = AsyncIterator[AnswerPart]
Absolute = Callable[[str], str]


@endpoint("POST")
async def chatbot(request: HttpRequest) -> HttpResponseBase:
    """``{answer, sources}``, or ``DATA:`` records as the answer is written."""
    body = read_json(request, QuestionBody)
    widget = await in_thread(_open, request, body.widget or DEFAULT_KEY)
    wait = limiter.hit((QUESTIONS, address_of(request)))
    if wait is not None:
        raise rate_limited(wait)
    _check_query(body.query)
    source = await in_thread(_source_for, widget.bot_key)
    question = Question(
        query=body.query,
        language=negotiate(body.language, request),
        bot_key=widget.bot_key,
        widget_key=widget.key,
    )
    parts = aiter(source.answer(question))
    first = await _first(parts)
    # Whoever asks has no page of ours on which a path would mean anything.
    absolute = request.build_absolute_uri
    if not body.stream:
        return JsonResponse(await _whole(first, parts, absolute))
    response = StreamingHttpResponse(
        _records(first, parts, absolute), content_type="text/plain; charset=utf-8"
    )
    # nginx would collect the answer and hand it over at once.
    response["X-Accel-Buffering"] = "no"
    return response


def _open(request: HttpRequest, key: str) -> Widget:
    widget = open_widget(request, key)
    if not widget.anonymous and not request.headers.get("Authorization"):
        raise invalid_token(str(SIGN_IN_FIRST))
    if not widget.anonymous and not find_caller(request).token.known:
        raise invalid_token(str(SIGN_IN_FIRST))
    return widget


def _check_query(query: str) -> None:
    check_text(query, "query")
    if not query.strip():
        raise RefusedError("empty_message", field="query")
    if len(query) > inbox_settings.MAX_MESSAGE_CHARS:
        raise RefusedError("too_long", field="query")


def _source_for(bot_key: str) -> AnswerSource:
    for source in answer_sources():
        if bot_key and source.bot_name(bot_key) is not None:
            return source
    raise RefusedError("no_bot", status=409)


async def _first(parts: Parts) -> AnswerPart:
    """The first part; what fails before it is a plain refusal."""
    first = await anext(parts, AnswerPart(type="end"))
    if first.type == "error":
        raise _failure(first)
    return first


def _failure(part: AnswerPart) -> InboxError:
    return InboxError(part.code or "try_again", str(part.data), status=503, retryable=True)


async def _in_order(
    first: AnswerPart, parts: Parts, absolute: Absolute
) -> AsyncIterator[AnswerPart]:
    """Sources before everything else, maybe none; exactly one end."""
    if first.type != "sources":
        yield AnswerPart(type="sources", data=[])
    yield _with_addresses(first, absolute)
    if first.type == "end":
        return
    async for part in parts:
        yield _with_addresses(part, absolute)
        if part.type in ("end", "error"):
            return
    yield AnswerPart(type="end")


def _with_addresses(part: AnswerPart, absolute: Absolute) -> AnswerPart:
    """Sources with whole addresses; one without an address stays without."""
    if part.type != "sources":
        return part
    data = [{**row, "url": absolute(row["url"])} if row.get("url") else row for row in part.data]
    return replace(part, data=data)


async def _whole(first: AnswerPart, parts: Parts, absolute: Absolute) -> dict[str, Any]:
    sources: list[dict[str, Any]] = []
    words: list[str] = []
    async with aclosing(_in_order(first, parts, absolute)) as ordered:  # type: ignore[type-var]
        async for part in ordered:
            if part.type == "error":
                raise _failure(part)
            if part.type == "sources":
                sources = part.data
            elif part.type == "text":
                words.append(part.data)
    return {"answer": "".join(words), "sources": sources}


async def _records(first: AnswerPart, parts: Parts, absolute: Absolute) -> AsyncIterator[bytes]:
    """``DATA:`` + JSON + an empty line each. A reader that goes away closes this generator, and
    with it the answer's own: the work stops."""
    try:
        async for part in _in_order(first, parts, absolute):
            record: dict[str, Any] = {"type": part.type, "data": part.data}
            if part.code:
                record["code"] = part.code
            yield b"DATA:" + encode_json(record) + b"\n\n"
    finally:
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()
