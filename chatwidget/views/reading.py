"""What a visitor reads over HTTP: long poll, event stream, their conversations, the badge."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from chatwidget.access import Caller
from chatwidget.conf import chatwidget_settings
from chatwidget.http import authenticate, endpoint
from chatwidget.limits import FRAMES, limiter
from chatwidget.paging import Asked, next_page
from chatwidget.standing import conversation_body, count_unread
from chatwidget.streaming import open_event_stream
from inbox.database import in_thread
from inbox.errors import ProtocolError, not_found, rate_limited
from inbox.models import Conversation
from inbox.realtime.records import timestamp

PAGE_ROWS = 50


@endpoint("GET")
async def events(request: HttpRequest) -> HttpResponseBase:
    """``{session_id, epoch, head, events}`` or ``{reset}`` after at most 25 s; with
    ``Accept: text/event-stream`` the same as a stream without end."""
    caller = await _reader(request)
    asked = Asked(
        session_id=_uuid(request.GET.get("session_id")),
        since=request.GET.get("since") or request.headers.get("Last-Event-ID"),
        epoch=request.GET.get("epoch"),
    )
    if "text/event-stream" in request.headers.get("Accept", ""):
        return await open_event_stream(caller.visitor, asked)
    wait = min(25.0, chatwidget_settings.LONG_POLL_SECONDS)
    return JsonResponse(await next_page(caller.visitor.pk, asked, wait_seconds=wait))


@endpoint("GET")
async def conversations(request: HttpRequest) -> HttpResponseBase:
    """``{results, next}``: the visitor's own, newest first; ``next`` is a ``before`` parameter."""
    caller = await _reader(request)
    before = _uuid(request.GET.get("before"))
    return JsonResponse(await in_thread(_conversations, caller.visitor.pk, before))


@endpoint("GET")
async def conversation_events(request: HttpRequest, conversation_id: uuid.UUID) -> HttpResponseBase:
    """A page of one of the visitor's conversations, closed ones too; never waits."""
    caller = await _reader(request)
    asked = Asked(
        session_id=conversation_id,
        since=request.GET.get("since") or "0",
        epoch=request.GET.get("epoch"),
    )
    owned = Conversation.objects.filter(id=conversation_id, visitor=caller.visitor)
    if not await in_thread(owned.exists):
        raise not_found()
    return JsonResponse(await next_page(caller.visitor.pk, asked, wait_seconds=0))


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
async def nothing(request: HttpRequest, anything: str) -> HttpResponseBase:
    """An address that does not exist; an id that cannot be one is no more and no less."""
    raise not_found()


@endpoint("GET")
async def unread(request: HttpRequest) -> HttpResponseBase:
    """``{unread}`` for the badge of a page on which the chat is not open."""
    caller = await _reader(request)
    return JsonResponse({"unread": await in_thread(count_unread, caller.visitor)})


async def _reader(request: HttpRequest) -> Caller:
    caller = await authenticate(request)
    wait = limiter.hit((FRAMES, str(caller.visitor.pk)))
    if wait is not None:
        raise rate_limited(wait)
    return caller


def _uuid(text: str | None) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ProtocolError("invalid_field", field="session_id") from None


def _conversations(visitor_id: int, before: uuid.UUID | None) -> dict[str, Any]:
    rows = Conversation.objects.filter(visitor_id=visitor_id).select_related("operator__user")
    if before is not None:
        edge = rows.filter(id=before).values("created_at")[:1]
        rows = rows.filter(created_at__lt=edge)
    page = list(rows.order_by("-created_at", "-id")[: PAGE_ROWS + 1])
    more = len(page) > PAGE_ROWS
    return {
        "results": [_row(conversation) for conversation in page[:PAGE_ROWS]],
        "next": str(page[PAGE_ROWS - 1].id) if more else None,
    }


def _row(conversation: Conversation) -> dict[str, Any]:
    closed_at = conversation.closed_at
    return {
        **(conversation_body(conversation) or {}),
        "head": conversation.visitor_head,
        "preview": conversation.preview,
        "rating": conversation.rating,
        "created_at": timestamp(conversation.created_at),
        "updated_at": timestamp(conversation.updated_at),
        "closed_at": timestamp(closed_at) if closed_at else None,
    }
