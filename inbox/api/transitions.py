"""What an operator does to a conversation: one endpoint per action, each answers with its state."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from inbox import queries
from inbox.actions import reading, tags, transitions
from inbox.api import serializers as shapes
from inbox.api.base import InboxView
from inbox.api.conversations import REFUSALS
from inbox.api.schema import described
from inbox.errors import ProtocolError, not_found
from inbox.models import Operator, Team


class Transition(InboxView):
    """Base: find, act, answer with the conversation, or with 204 when it went out of sight."""

    shape: ClassVar[type[Serializer[Any]]] = shapes.EmptySerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        """Call the action."""
        raise NotImplementedError

    def post(self, request: Request, conversation_id: uuid.UUID) -> Response:
        """Do it."""
        self.conversation(conversation_id)
        self.act(conversation_id, self.read(self.shape) if request.data else self.read_nothing())
        rows = queries.with_unread(queries.visible(request.user), self.operator)
        found = rows.filter(pk=conversation_id).first()
        if found is None:
            return Response(status=204)
        return Response(shapes.ConversationSerializer(found).data)

    def read_nothing(self) -> dict[str, Any]:
        """A missing body is an empty one, so that required fields are still asked for."""
        serializer = self.shape(data={})
        if not serializer.is_valid():
            raise ProtocolError("invalid_field", field=next(iter(serializer.errors)))
        return dict(serializer.validated_data)


def _documented(name: str, shape: type[Serializer[Any]]) -> Any:
    return described(
        operation_id=f"conversations_{name}",
        request=shape,
        responses={200: shapes.ConversationSerializer, 204: None, **REFUSALS},
    )


@_documented("take", shapes.TakeSerializer)
class Take(Transition):
    """Answer it oneself; `force` takes it from a colleague."""

    shape = shapes.TakeSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        transitions.take(
            conversation_id=conversation_id, operator=self.operator, force=wanted["force"]
        )


@_documented("assign", shapes.AssignSerializer)
class Assign(Transition):
    """Give it to an operator."""

    shape = shapes.AssignSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        transitions.assign(
            conversation_id=conversation_id,
            operator=self.operator,
            to=find_colleague(wanted["operator"]),
        )


@_documented("transfer", shapes.TransferSerializer)
class Transfer(Transition):
    """Give it to an operator or a team, with a comment that stays a private note."""

    shape = shapes.TransferSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        team, colleague = wanted.get("team"), wanted.get("operator")
        if (team is None) == (colleague is None):
            raise ProtocolError("invalid_field", field="team")
        transitions.transfer(
            conversation_id=conversation_id,
            operator=self.operator,
            to_team=find_team(team) if team is not None else None,
            to_operator=find_colleague(colleague) if colleague is not None else None,
            comment=wanted["comment"],
        )


@_documented("handback", shapes.EmptySerializer)
class HandBack(Transition):
    """Back to the bot."""

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        transitions.hand_back(conversation_id=conversation_id, operator=self.operator)


@_documented("close", shapes.EmptySerializer)
class Close(Transition):
    """End it; the visitor's next message begins another."""

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        transitions.close(conversation_id=conversation_id, operator=self.operator)


@_documented("reopen", shapes.EmptySerializer)
class Reopen(Transition):
    """Open it again."""

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        transitions.reopen(conversation_id=conversation_id, operator=self.operator)


@_documented("snooze", shapes.SnoozeSerializer)
class Snooze(Transition):
    """Put it aside until a time, or until the visitor writes."""

    shape = shapes.SnoozeSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        transitions.snooze(
            conversation_id=conversation_id, operator=self.operator, until=wanted["until"]
        )


@_documented("read", shapes.ReadSerializer)
class Read(Transition):
    """Mark it as read up to a number."""

    shape = shapes.ReadSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        reading.mark_read(
            conversation_id=conversation_id, operator=self.operator, seq=wanted["seq"]
        )


@_documented("tag", shapes.TagNameSerializer)
class AddTag(Transition):
    """Put a tag on it, by name; an unknown one is made."""

    shape = shapes.TagNameSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        tags.add_tag(conversation_id=conversation_id, name=wanted["name"])


@_documented("untag", shapes.TagNameSerializer)
class RemoveTag(Transition):
    """Take a tag off it, by name."""

    shape = shapes.TagNameSerializer

    def act(self, conversation_id: uuid.UUID, wanted: dict[str, Any]) -> None:
        tags.remove_tag(conversation_id=conversation_id, name=wanted["name"])


def find_colleague(wanted: int | str) -> Operator:
    """An operator with an active account, by id or user name; raises ``not_found``."""
    by = Q(pk=wanted) if isinstance(wanted, int) else Q(user__username=wanted)
    found = queries.colleagues().filter(by).first()
    if found is None:
        raise not_found()
    return found


def find_team(wanted: int | str) -> Team:
    """A team, by id, name or short name; raises ``not_found``."""
    by = Q(pk=wanted) if isinstance(wanted, int) else Q(name=wanted) | Q(slug=wanted)
    found = Team.objects.filter(by).first()
    if found is None:
        raise not_found()
    return found
