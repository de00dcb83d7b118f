"""What a page of the inbox needs besides conversations."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from inbox import lists, queries
from inbox.actions import presence
from inbox.actions.operators import set_sound
from inbox.api import serializers as shapes
from inbox.api.base import InboxView
from inbox.api.conversations import REFUSALS
from inbox.api.schema import described
from inbox.errors import RefusedError, not_found
from inbox.models import CannedReply, Tag, Team

Endpoint = TypeVar("Endpoint", bound=Callable[..., Response])


def _listed(shape: type[serializers.Serializer[Any]], name: str) -> Callable[[Endpoint], Endpoint]:
    wrapped = inline_serializer(
        f"{name.title().replace('_', '')}Page",
        {
            "results": shape(many=True),
            "next": serializers.CharField(allow_null=True),
        },
    )
    documented: Callable[[Endpoint], Endpoint] = described(
        operation_id=f"{name}_list", responses={200: wrapped, **REFUSALS}
    )
    return documented


class Root(InboxView):
    """Where things are."""

    @described(exclude=True)
    def get(self, request: Request) -> Response:
        """Addresses of the lists."""
        names = (
            "conversations",
            "counters",
            "unread",
            "operators",
            "teams",
            "tags",
            "canned-replies",
        )
        return Response({name: reverse(f"inbox-api:{name}", request=request) for name in names})


class Missing(InboxView):
    """Every other address."""

    @described(exclude=True)
    def get(self, request: Request) -> Response:
        """Refuse, like for what exists but may not be seen."""
        raise not_found()

    post = put = patch = delete = get


class Counters(InboxView):
    """How much stands in each view."""

    @described(
        operation_id="counters_retrieve",
        responses={
            200: inline_serializer(
                "Counters",
                {view: serializers.IntegerField() for view in lists.COUNTED_VIEWS},
            ),
            **REFUSALS,
        },
    )
    def get(self, request: Request) -> Response:
        """Closed conversations are not counted; 100 stands for 100 or more."""
        return Response(lists.counters(request.user))


class Unread(InboxView):
    """What the caller has not read."""

    @described(
        operation_id="unread_retrieve",
        parameters=[
            OpenApiParameter(
                "ids",
                {"type": "array", "items": {"type": "string", "format": "uuid"}},
                required=True,
                style="form",
                explode=False,
            )
        ],
        responses={
            200: {"type": "object", "additionalProperties": {"type": "integer"}},
            **REFUSALS,
        },
    )
    def get(self, request: Request) -> Response:
        """Unread words of the visitor by conversation, at most 100 conversations."""
        return Response(queries.unread_of(request.user, _ids(request.query_params.get("ids", ""))))


class Presence(InboxView):
    """The caller's own switches."""

    @described(
        operation_id="presence_update",
        request=shapes.PresenceSerializer,
        responses={200: shapes.OperatorSerializer, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Available or away; whether the page rings."""
        wanted = self.read(shapes.PresenceSerializer)
        operator = self.operator
        if "available" in wanted:
            presence.set_available(operator=operator, available=wanted["available"])
        if "sound" in wanted:
            set_sound(operator=operator, sound=wanted["sound"])
        operator.refresh_from_db()
        return Response(shapes.OperatorSerializer(operator).data)


class Operators(InboxView):
    """Who can be given a conversation."""

    @_listed(shapes.OperatorSerializer, "operators")
    def get(self, request: Request) -> Response:
        """Operators with an active account."""
        everybody = list(queries.colleagues().prefetch_related("teams"))
        rows = shapes.OperatorSerializer(everybody, many=True).data
        return Response({"results": rows, "next": None})


class Teams(InboxView):
    """Where a conversation can be sent."""

    @_listed(shapes.TeamSerializer, "teams")
    def get(self, request: Request) -> Response:
        """Every team."""
        rows = shapes.TeamSerializer(Team.objects.all(), many=True).data
        return Response({"results": rows, "next": None})


class Tags(InboxView):
    """Labels in use."""

    @_listed(shapes.TagSerializer, "tags")
    def get(self, request: Request) -> Response:
        """Every tag."""
        rows = shapes.TagSerializer(Tag.objects.all(), many=True).data
        return Response({"results": rows, "next": None})


class CannedReplies(InboxView):
    """Prepared texts for the caller's teams."""

    @_listed(shapes.CannedReplySerializer, "canned_replies")
    def get(self, request: Request) -> Response:
        """By shortcut; `{visitor}` and `{operator}` are filled by whoever inserts them."""
        seat = queries.operator_of(request.user)
        usable = CannedReply.objects.filter(team=None)
        replies = CannedReply.objects.usable_by(seat) if seat else usable
        rows = shapes.CannedReplySerializer(replies.select_related("team"), many=True).data
        return Response({"results": rows, "next": None})


def _ids(text: str) -> set[uuid.UUID]:
    try:
        return {uuid.UUID(part) for part in text.split(",")}
    except ValueError:
        raise RefusedError("invalid_field", field="ids") from None
