"""What every HTTP address of the widget shares: CORS, strict JSON in, JSON refusals out.

Cookies never count as a proof of anything here, so there is no CSRF to protect from.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from chatwidget.access import Caller, any_widget_allows, check_origin, find_caller, find_widget
from chatwidget.errors import method_not_allowed, too_large
from chatwidget.models import Widget
from inbox.conf import inbox_settings
from inbox.database import in_thread
from inbox.errors import InboxError, ProtocolError, TryAgainError
from inbox.outages import tell
from inbox.realtime import metrics
from inbox.realtime.wire import into, parse_json

logger = logging.getLogger("frontdesk.chatwidget")

PREFLIGHT_SECONDS = 600
ALLOWED_HEADERS = "Authorization, Content-Type, Last-Event-ID"

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
Body = TypeVar("Body")


def endpoint(*methods: str) -> Callable[[View], View]:
    """Make an async view an address of the widget.

    It answers preflights, turns every ``InboxError`` into JSON and adds CORS headers. Such views
    are non-atomic by declaration: an action owns its transaction.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "OPTIONS":
                response: HttpResponseBase = HttpResponse(status=204)
                response["Access-Control-Allow-Methods"] = ", ".join((*methods, "OPTIONS"))
                response["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
                response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
            elif request.method not in methods:
                response = refusal(method_not_allowed())
                response["Allow"] = ", ".join(methods)
            else:
                response = await _guarded(view, request, *args, **kwargs)
            await _add_cors(request, response)
            response.setdefault("Cache-Control", "no-store")
            return response

        return transaction.non_atomic_requests(csrf_exempt(answer))

    return decorate


async def _guarded(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        return await view(request, *args, **kwargs)
    except InboxError as error:
        return refusal(error)
    except Exception as error:
        tell(logger, "a request could not be handled", error)
        return refusal(TryAgainError())


def refusal(error: InboxError) -> HttpResponse:
    """``{code, message, retryable, retry_after?, field?}`` with its status."""
    metrics.refusals.labels(error.code).inc()
    response = JsonResponse(error.as_dict(), status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(max(1, round(error.retry_after)))
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def read_json(request: HttpRequest, struct: type[Body], limit: int | None = None) -> Body:
    """The request's body as a typed struct; the same strictness as for frames."""
    data = read_object(request, limit)
    return into(data, struct)


def read_object(request: HttpRequest, limit: int | None = None) -> dict[str, Any]:
    """The request's body as one JSON object of at most ``limit`` bytes."""
    limit = limit or inbox_settings.MAX_FRAME_BYTES
    try:
        if int(request.headers.get("Content-Length") or 0) > limit or len(request.body) > limit:
            raise too_large()
        data = parse_json(request.body.decode())
    except RequestDataTooBig:
        raise too_large() from None
    except (ValueError, UnreadablePostError):
        raise ProtocolError("bad_json") from None
    if not isinstance(data, dict):
        raise ProtocolError("bad_frame")
    return data


def admit(request: HttpRequest, widget: Widget) -> None:
    """Refuse a page that this widget does not list; let the others read our answer."""
    check_origin(request, widget)
    request.frontdesk_admitted = True  # type: ignore[attr-defined]


def open_widget(request: HttpRequest, key: str) -> Widget:
    """The widget of this key for the asking page; asks the database."""
    widget = find_widget(key)
    admit(request, widget)
    return widget


async def authenticate(request: HttpRequest) -> Caller:
    """The visitor who asks."""
    caller = await in_thread(find_caller, request)
    admit(request, caller.widget)
    return caller


async def _add_cors(request: HttpRequest, response: HttpResponseBase) -> None:
    """Name the asking page exactly; credentials are never allowed."""
    patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin")
    if origin is None:
        return
    admitted = getattr(request, "frontdesk_admitted", False)
    with contextlib.suppress(DatabaseError):
        if admitted or await in_thread(any_widget_allows, request):
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Retry-After"
