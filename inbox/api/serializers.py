"""Shapes of requests and answers; they carry no rules beyond types and lengths."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inbox.models import (
    CannedReply,
    Conversation,
    HandledBy,
    MessageKind,
    Status,
    Tag,
    Team,
    Visitor,
)

MAX_NAME = 150
"""Longest user name that Django stores, and longer than any team's."""


class TextField(serializers.CharField):
    """Text as it came: what cannot be stored is refused with its own code by the action."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)
        self.validators = []

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    avatar = serializers.CharField(source="avatar_url")


class TeamSerializer(serializers.ModelSerializer[Team]):
    class Meta:
        model = Team
        fields = ["id", "name", "slug"]


class TagSerializer(serializers.ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ["id", "name"]


class CannedReplySerializer(serializers.ModelSerializer[CannedReply]):
    team = TeamSerializer(allow_null=True)

    class Meta:
        model = CannedReply
        fields = ["id", "shortcut", "title", "content", "team"]


class OperatorSerializer(PersonSerializer):
    teams = TeamSerializer(many=True)
    available = serializers.BooleanField()
    capacity = serializers.IntegerField()


class VisitorSerializer(serializers.ModelSerializer[Visitor]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField(source="display_name")
    verified = serializers.BooleanField()
    blocked = serializers.SerializerMethodField()

    class Meta:
        model = Visitor
        fields = [
            "id",
            "name",
            "verified",
            "email",
            "external_id",
            "language",
            "page_url",
            "page_title",
            "referrer",
            "user_agent",
            "blocked",
            "created_at",
            "last_seen_at",
        ]

    def get_blocked(self, visitor: Visitor) -> bool:
        return visitor.blocked_at is not None


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    handled_by = serializers.ChoiceField(choices=HandledBy.choices)
    operator = PersonSerializer(allow_null=True)
    team = TeamSerializer(allow_null=True)
    visitor = VisitorSerializer()
    tags = TagSerializer(many=True)
    unread = serializers.IntegerField()

    class Meta:
        model = Conversation
        fields = [
            "id",
            "head",
            "status",
            "handled_by",
            "operator",
            "team",
            "visitor",
            "tags",
            "unread",
            "language",
            "preview",
            "preview_role",
            "waiting_since",
            "queued_at",
            "snoozed_until",
            "rating",
            "rating_comment",
            "created_at",
            "updated_at",
            "closed_at",
        ]


class PageSerializer(serializers.Serializer[Any]):
    results = ConversationSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Send it back as ?cursor=.")


class EventSerializer(serializers.Serializer[Any]):
    """A durable operator frame; which further fields it has depends on its type."""

    type = serializers.ChoiceField(choices=["message", "message_updated", "conversation"])
    seq = serializers.IntegerField()
    conversation_id = serializers.UUIDField()
    id = serializers.UUIDField(required=False)
    client_id = serializers.CharField(required=False)
    role = serializers.ChoiceField(
        choices=["user", "assistant", "operator", "system"], required=False
    )
    kind = serializers.ChoiceField(choices=MessageKind.choices, required=False)
    author = serializers.DictField(required=False)
    content = serializers.CharField(required=False, allow_null=True)
    attachments = serializers.ListField(child=serializers.DictField(), required=False)
    sources = serializers.ListField(child=serializers.DictField(), required=False)
    quick_replies = serializers.ListField(child=serializers.JSONField(), required=False)
    outcome = serializers.CharField(required=False)
    timestamp = serializers.DateTimeField(required=False)
    reason = serializers.CharField(required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    handled_by = serializers.ChoiceField(choices=HandledBy.choices, required=False)
    operator = serializers.DictField(required=False)


class EventsSerializer(serializers.Serializer[Any]):
    head = serializers.IntegerField()
    results = EventSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Send it back as ?since=.")
    reset = serializers.CharField(required=False, help_text="`since` was beyond the head.")


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    retryable = serializers.BooleanField()
    retry_after = serializers.FloatField(required=False)
    field = serializers.CharField(required=False)


class SendSerializer(serializers.Serializer[Any]):
    client_id = serializers.RegexField(r"\A[A-Za-z0-9_-]{1,64}\Z", trim_whitespace=False)
    content = TextField()
    kind = serializers.ChoiceField(choices=MessageKind.choices, default=MessageKind.REPLY)
    expected_seq = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    attachments = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=10
    )


class SentSerializer(serializers.Serializer[Any]):
    client_id = serializers.CharField()
    id = serializers.UUIDField()
    seq = serializers.IntegerField()
    timestamp = serializers.DateTimeField()


class TakeSerializer(serializers.Serializer[Any]):
    force = serializers.BooleanField(default=False)


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]})
class IdOrNameField(serializers.Field[Any, Any, Any, Any]):
    """A whole number is an id, text is a name: a user name, or the name of a team."""

    def to_internal_value(self, data: Any) -> int | str:
        is_id = isinstance(data, int) and not isinstance(data, bool) and 0 < data < 2**63
        is_name = isinstance(data, str) and 0 < len(data) <= MAX_NAME and data.isprintable()
        if not (is_id or is_name):
            raise serializers.ValidationError(code="invalid")
        found: int | str = data
        return found

    def to_representation(self, value: Any) -> Any:
        return value


class AssignSerializer(serializers.Serializer[Any]):
    operator = IdOrNameField()


class TransferSerializer(serializers.Serializer[Any]):
    operator = IdOrNameField(required=False, allow_null=True)
    team = IdOrNameField(required=False, allow_null=True)
    comment = TextField(required=False, default="")


class SnoozeSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField()


class ReadSerializer(serializers.Serializer[Any]):
    seq = serializers.IntegerField(min_value=0)


class TagNameSerializer(serializers.Serializer[Any]):
    name = TextField()


class PresenceSerializer(serializers.Serializer[Any]):
    available = serializers.BooleanField(required=False)
    sound = serializers.BooleanField(required=False)


class EmptySerializer(serializers.Serializer[Any]):
    """A body without fields."""
