"""The chat as a plain page with a form: for browsers without scripts, and behind the noscript link.

There is no cookie: the visitor's token travels in the form, never in an address.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from chatwidget.access import address_of
from chatwidget.actions.sessions import Arrival, begin_session
from chatwidget.commands import perform
from chatwidget.errors import method_not_allowed
from chatwidget.frames import MessageFrame, RequestHumanFrame
from chatwidget.http import open_widget
from chatwidget.identify import identify
from chatwidget.languages import negotiate
from chatwidget.look import find_text
from chatwidget.models import DEFAULT_KEY, Widget
from chatwidget.paging import Asked, next_page
from chatwidget.tokens import VisitorToken, issue_token, read_token
from chatwidget.writing import Visit, post_message
from inbox.conf import inbox_settings
from inbox.database import in_thread
from inbox.errors import InboxError
from inbox.models import Event, EventKind, Role, Visitor
from inbox.realtime.wire import into

ANSWER_SECONDS = 8.0
"""How long a sent form waits for the answer before the page is shown without it."""
PAGE_MESSAGES = 100


@transaction.non_atomic_requests
@csrf_exempt
async def page(request: HttpRequest) -> HttpResponseBase:
    """Show the form, or do what it asks and show the conversation."""
    try:
        if request.method not in ("GET", "HEAD", "POST"):
            raise method_not_allowed()
        fields = request.POST if request.method == "POST" else request.GET
        widget = await in_thread(open_widget, request, fields.get("widget") or DEFAULT_KEY)
    except InboxError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    shown: dict[str, Any] = {"draft": "", "token": "", "messages": []}
    status = 200
    if request.method == "POST":
        try:
            await _act(request, widget, fields, shown)
        except InboxError as error:
            status = error.status
            shown |= {"error": error.message, "draft": fields.get("content", "")}
    response = await in_thread(_render, request, widget, shown)
    response.status_code = status
    response["Cache-Control"] = "no-store"
    return response


async def _act(
    request: HttpRequest, widget: Widget, fields: QueryDict, shown: dict[str, Any]
) -> None:
    visitor = await in_thread(_arrive, request, widget, fields)
    shown["token"] = issue_token(
        VisitorToken(
            visitor=visitor.public_id,
            widget=widget.key,
            epoch=visitor.token_epoch,
            known=visitor.verified,
        )
    )
    visit = Visit(
        visitor_id=visitor.pk,
        session_id=visitor.session_id,
        address=address_of(request),
        name=visitor.display_name,
        bot_key=widget.bot_key,
        team_id=widget.team_id,
    )
    try:
        await _perform(visit, fields)
    finally:
        shown["messages"] = await in_thread(_messages, visit.session_id)


async def _perform(visit: Visit, fields: QueryDict) -> None:
    if fields.get("do") == "human":
        visit.session_id = await perform(visit, RequestHumanFrame())
    elif fields.get("do") == "send":
        words = {"client_id": fields.get("client_id", ""), "content": fields.get("content", "")}
        posted = await post_message(visit, into(words, MessageFrame))
        visit.session_id = posted.conversation_id
        asked = Asked(session_id=posted.conversation_id, since=str(posted.seq))
        await next_page(visit.visitor_id, asked, wait_seconds=ANSWER_SECONDS)


def _arrive(request: HttpRequest, widget: Widget, fields: QueryDict) -> Visitor:
    arrival = Arrival(
        widget_key=widget.key,
        identity=identify(request, widget),
        token=read_token(fields.get("token", "")),
        address=address_of(request),
        language=negotiate(None, request),
        user_agent=request.headers.get("User-Agent", ""),
    )
    return begin_session(arrival, lambda visitor: 0)[0]


def _messages(session_id: uuid.UUID) -> list[dict[str, Any]]:
    events = Event.objects.filter(
        conversation_id=session_id, kind=EventKind.MESSAGE, visitor_seq__isnull=False
    ).select_related("message")
    newest = list(events.order_by("-visitor_seq")[:PAGE_MESSAGES])
    rows = [event.message for event in reversed(newest) if event.message is not None]
    return [
        {
            "role": row.role,
            "label": _("You") if row.role == Role.USER else row.author_name,
            "content": row.content,
            "sources": row.sources,
        }
        for row in rows
    ]


def _render(request: HttpRequest, widget: Widget, shown: dict[str, Any]) -> HttpResponse:
    language = negotiate(None, request)
    text = find_text(widget, language)
    with translation.override(language):
        return render(
            request,
            "chatwidget/page.html",
            {
                "language": language,
                "dir": "rtl" if translation.get_language_bidi() else "ltr",
                "title": text.name or widget.name,
                "greeting": text.greeting or widget.greeting,
                "widget": widget.key,
                "human": widget.human,
                "privacy_url": widget.privacy_url,
                "client_id": uuid.uuid4().hex,
                "max_chars": inbox_settings.MAX_MESSAGE_CHARS,
                "action": reverse("chatwidget:page"),
                **shown,
            },
        )
