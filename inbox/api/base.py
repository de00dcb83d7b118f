"""What every endpoint shares: who may call, how refusals look, what is parsed and rendered.

Set per view, so that a host project's own REST settings change nothing here.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from inbox import queries
from inbox.actions.operators import take_seat
from inbox.api.schema import Schema
from inbox.errors import InboxError, ProtocolError, RefusedError, TryAgainError, not_found
from inbox.models import Conversation, Operator
from inbox.outages import tell
from inbox.realtime import metrics

logger = logging.getLogger("frontdesk.api")


class WorksInInbox(BasePermission):
    """An account with ``view_inbox``; which rows it may see is the query's business."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.has_perm("frontdesk_inbox.view_inbox"))


class InboxView(APIView):
    """One endpoint."""

    # Token first: its challenge makes a missing login 401 instead of 403.
    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [WorksInInbox]
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    throttle_classes: list[Any] = []
    versioning_class = None
    schema = Schema()

    def get_exception_handler(self) -> Any:
        """Refusals of this interface have one shape."""
        return refusal

    @property
    def operator(self) -> Operator:
        """The caller's seat, made on its first act."""
        return take_seat(self.request.user)

    def conversation(self, conversation_id: uuid.UUID) -> Conversation:
        """A conversation that the caller may see; raises ``not_found``."""
        return queries.get_conversation(self.request.user, conversation_id)

    def read(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The body, checked; raises ``bad_frame`` or ``invalid_field`` with the field."""
        data = self.request.data
        if not isinstance(data, dict):
            raise ProtocolError("bad_frame")
        serializer = serializer_class(data=data)
        if not serializer.is_valid():
            raise ProtocolError("invalid_field", field=_first_field(serializer.errors))
        return dict(serializer.validated_data)


def refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """Any exception of an endpoint as the contract's ``{code, message, retryable, …}``."""
    known = as_inbox_error(error)
    if known is None:
        tell(logger, "a request failed", error)
        known = TryAgainError()
    metrics.refusals.labels(known.code).inc()
    response = Response(known.as_dict(), status=known.status)
    if isinstance(error, exceptions.APIException):
        challenge = getattr(error, "auth_header", None)
        if challenge:
            response["WWW-Authenticate"] = challenge
    if known.retry_after is not None:
        response["Retry-After"] = str(max(1, round(known.retry_after)))
    return response


def as_inbox_error(error: Exception) -> InboxError | None:
    """The refusal that an exception stands for; None when it is a fault of ours."""
    match error:
        case InboxError():
            return error
        case Http404() | exceptions.NotFound():
            return not_found()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            text = _("Sign in, or send a valid token.")
            return RefusedError("not_authenticated", str(text), status=401)
        case PermissionDenied() | exceptions.PermissionDenied():
            return RefusedError("no_permission", status=403)
        case exceptions.ParseError():
            return ProtocolError("bad_json")
        case RequestDataTooBig():
            return RefusedError("too_large", status=413)
        case exceptions.APIException():
            code = str(error.default_code)
            return RefusedError(code, str(error.detail), status=error.status_code)
        case _:
            return None


def _first_field(errors: Any, path: str = "") -> str:
    """The path of the first wrong field in a serializer's errors."""
    if not isinstance(errors, dict) or not errors:
        return path
    name, inner = next(iter(errors.items()))
    return _first_field(inner, f"{path}.{name}" if path else str(name))
