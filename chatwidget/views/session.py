"""``POST session``: who is it, what do they see, and where does the socket wait."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import translation

from chatwidget.access import address_of, is_secure
from chatwidget.actions.sessions import Arrival, begin_session
from chatwidget.frames import PageClaim, SessionBody
from chatwidget.http import endpoint, open_widget, read_json
from chatwidget.identify import identify
from chatwidget.languages import negotiate
from chatwidget.look import widget_look
from chatwidget.models import Widget
from chatwidget.standing import conversation_body, count_unread, load_standing
from chatwidget.tokens import VisitorToken, issue_ticket, issue_token, read_token
from inbox.database import in_thread
from inbox.models import Visitor

BODY_BYTES = 64 * 1024


@endpoint("POST")
async def session(request: HttpRequest) -> HttpResponseBase:
    """Open the chat: a visitor's row from here on, a conversation's only with its first message."""
    body = read_json(request, SessionBody, BODY_BYTES)
    return JsonResponse(await in_thread(_open, request, body), status=201)


def _open(request: HttpRequest, body: SessionBody) -> dict[str, Any]:
    widget = open_widget(request, body.widget)
    locale = negotiate(body.locale, request)
    with translation.override(locale):
        page = body.page or PageClaim()
        arrival = Arrival(
            widget_key=widget.key,
            identity=identify(request, widget, body.identity),
            token=read_token(body.token) if body.token else None,
            address=address_of(request),
            language=locale,
            page_url=page.url or "",
            page_title=page.title or "",
            referrer=page.referrer or "",
            user_agent=request.headers.get("User-Agent", ""),
        )
        visitor, unread = begin_session(arrival, count_unread)
        return _answer(request, widget, visitor, locale) | {"unread": unread}


def _answer(request: HttpRequest, widget: Widget, visitor: Visitor, locale: str) -> dict[str, Any]:
    standing = load_standing(visitor)
    token = VisitorToken(
        visitor=visitor.public_id,
        widget=widget.key,
        epoch=visitor.token_epoch,
        known=visitor.verified,
    )
    return {
        "session_id": str(standing.session_id),
        "token": issue_token(token),
        "ws_url": _socket_url(request, str(standing.session_id)),
        "ticket": issue_ticket(token),
        "head": standing.head,
        "epoch": standing.epoch,
        "conversation": conversation_body(standing.conversation),
        "reads": standing.reads,
        "widget": widget_look(widget, locale),
    }


def _socket_url(request: HttpRequest, session_id: str) -> str:
    scheme = "wss" if is_secure(request) else "ws"
    root = request.META.get("SCRIPT_NAME", "").rstrip("/")
    return f"{scheme}://{request.get_host()}{root}/ws/chat/{session_id}/"
