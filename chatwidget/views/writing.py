"""What a visitor writes over HTTP: messages, and every other frame of the socket."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from chatwidget.access import Caller, address_of
from chatwidget.commands import perform
from chatwidget.frames import CLIENT_FRAMES, MessageFrame, TypingFrame
from chatwidget.http import authenticate, endpoint, read_json, read_object
from chatwidget.limits import FRAMES, limiter
from chatwidget.writing import Visit, ack_body, post_message, tell_typing
from inbox.errors import ProtocolError, rate_limited
from inbox.realtime.wire import convert


def visit_of(request: HttpRequest, caller: Caller) -> Visit:
    """The visitor behind this request, in the conversation that they see now."""
    return Visit(
        visitor_id=caller.visitor.pk,
        session_id=caller.visitor.session_id,
        address=address_of(request),
        name=caller.visitor.display_name,
        bot_key=caller.widget.bot_key,
        team_id=caller.widget.team_id,
    )


@endpoint("POST")
async def messages(request: HttpRequest) -> HttpResponseBase:
    """``{client_id, id, seq, timestamp}``: 201, or 200 for a resend of what is stored."""
    caller = await authenticate(request)
    frame = read_json(request, MessageFrame)
    posted = await post_message(visit_of(request, caller), frame)
    return JsonResponse(ack_body(posted), status=200 if posted.duplicate else 201)


@endpoint("POST")
async def frames(request: HttpRequest) -> HttpResponseBase:
    """Any frame of the socket but ``message``: 204. ``resume`` and ``ping`` have nothing to do
    here: a long poll says ``since`` itself."""
    caller = await authenticate(request)
    wait = limiter.hit((FRAMES, str(caller.visitor.pk)))
    if wait is not None:
        raise rate_limited(wait)
    frame = convert(read_object(request), CLIENT_FRAMES)
    if isinstance(frame, MessageFrame):
        raise ProtocolError("unknown_type", field="type")
    visit = visit_of(request, caller)
    if isinstance(frame, TypingFrame):
        tell_typing(visit, is_typing=frame.is_typing)
    else:
        await perform(visit, frame)
    return HttpResponse(status=204)
