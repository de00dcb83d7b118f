"""What an operator does about a visitor."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from inbox import queries
from inbox.actions import visitors
from inbox.api import serializers as shapes
from inbox.api.base import InboxView
from inbox.api.conversations import REFUSALS
from inbox.api.schema import described
from inbox.models import Visitor


class VisitorAction(InboxView):
    """Base: find the visitor among those the caller may see, act, answer with the visitor."""

    def act(self, visitor: Visitor) -> None:
        """Call the action."""
        raise NotImplementedError

    def post(self, request: Request, visitor_id: uuid.UUID) -> Response:
        """Do it."""
        self.act(queries.get_visitor(request.user, visitor_id))
        visitor = queries.get_visitor(request.user, visitor_id)
        return Response(shapes.VisitorSerializer(visitor).data)


def _documented(name: str) -> Any:
    return described(
        operation_id=f"visitors_{name}",
        request=shapes.EmptySerializer,
        responses={200: shapes.VisitorSerializer, **REFUSALS},
    )


@_documented("block")
class Block(VisitorAction):
    """Take no more messages from this visitor; open sockets close with 4499."""

    def act(self, visitor: Visitor) -> None:
        visitors.block(visitor_id=visitor.pk)


@_documented("unblock")
class Unblock(VisitorAction):
    """Take messages again."""

    def act(self, visitor: Visitor) -> None:
        visitors.unblock(visitor_id=visitor.pk)


@_documented("revoke")
class Revoke(VisitorAction):
    """Make every token of this visitor worthless; open sockets close with 4401."""

    def act(self, visitor: Visitor) -> None:
        visitors.revoke(visitor_id=visitor.pk)
