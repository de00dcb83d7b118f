"""What operators read of conversations and of one another, always within what a user may see.

The query is the authorisation: what ``visible_to`` leaves out is not found. Nothing here writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from inbox.errors import RefusedError, not_found
from inbox.models import (
    Conversation,
    Event,
    EventKind,
    Operator,
    ReadMarker,
    Role,
    Tag,
    Team,
    Visitor,
)
from inbox.realtime.records import Record, to_record

PAGE_EVENTS = 50
"""Events that a thread shows at first, some screens full; scrolling up loads the ones before."""
LOOKED_AT = 100
"""Unread words are counted among so many latest events; nobody reads a larger number."""
NUMBERS_AT_ONCE = 100
"""Conversations whose unread words one request may ask for."""


@dataclass(frozen=True, slots=True)
class Label:
    """A tag or a team as a choice of the page."""

    pk: int
    name: str
    worn: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """Durable events of one conversation in order, and whether earlier ones exist."""

    records: list[Record]
    has_earlier: bool
    head: int


def visible(user: Any) -> QuerySet[Conversation]:
    """Every conversation that the user may see."""
    return Conversation.objects.visible_to(user)


def with_unread(rows: QuerySet[Conversation], operator: Operator | None) -> QuerySet[Conversation]:
    """Rows ready for a list: neighbours loaded, ``unread`` = the visitor's words not yet read."""
    return _count_unread(rows.select_related("visitor", "operator__user", "team"), operator)


def unread_of(user: Any, ids: Collection[uuid.UUID]) -> dict[str, int]:
    """How many of the visitor's words the user has not read in each of some conversations.

    What the user may not see is left out. Words count among the latest ``LOOKED_AT`` events.

    Raises:
        RefusedError: ``too_large`` for more than ``NUMBERS_AT_ONCE`` conversations.
    """
    if len(ids) > NUMBERS_AT_ONCE:
        raise RefusedError("too_large", field="ids", status=413)
    rows = _count_unread(visible(user).filter(pk__in=ids), operator_of(user)).order_by()
    return {str(row.pk): row.unread for row in rows.only("pk")}  # type: ignore[attr-defined]


def _count_unread(
    rows: QuerySet[Conversation], operator: Operator | None
) -> QuerySet[Conversation]:
    marker = ReadMarker.objects.filter(conversation=OuterRef("pk"), operator=operator)
    read_up_to = Coalesce(Subquery(marker.values("seq")[:1]), 0)
    said = Event.objects.filter(
        conversation=OuterRef("pk"),
        kind=EventKind.MESSAGE,
        message__role=Role.USER,
        seq__gt=Greatest(OuterRef("read_up_to"), OuterRef("head") - LOOKED_AT),
    )
    count = said.order_by().values("conversation").annotate(n=Count("pk")).values("n")
    return rows.annotate(read_up_to=read_up_to if operator else F("head")).annotate(
        unread=Coalesce(Subquery(count), 0)
    )


def get_conversation(user: Any, conversation_id: uuid.UUID) -> Conversation:
    """One conversation that the user may see, ready for a list, with ``read_by_user``: how far
    the visitor has read; raises ``not_found``."""
    mark = ReadMarker.objects.filter(conversation=OuterRef("pk"), operator=None)
    rows = with_unread(visible(user), operator_of(user)).annotate(
        read_by_user=Coalesce(Subquery(mark.values("seq")[:1]), 0)
    )
    found = rows.filter(pk=conversation_id).first()
    if found is None:
        raise not_found()
    return found


def get_visitor(user: Any, public_id: uuid.UUID) -> Visitor:
    """One visitor of whom the user may see a conversation; raises ``not_found``."""
    found = Visitor.objects.visible_to(user).filter(public_id=public_id).first()
    if found is None:
        raise not_found()
    return found


def operator_of(user: Any) -> Operator | None:
    """The seat of an account, remembered on the account for this request."""
    if not hasattr(user, "_frontdesk_operator"):
        seat = Operator.objects.select_related("user").filter(user_id=user.pk).first()
        user._frontdesk_operator = seat
    found: Operator | None = user._frontdesk_operator
    return found


def thread(conversation: Conversation, *, before: int | None = None) -> Thread:
    """The latest events of a conversation, or the ones before number ``before``."""
    rows = Event.objects.filter(conversation=conversation)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    latest = list(
        rows.select_related("message")
        .prefetch_related("message__attachments")
        .order_by("-seq")[:PAGE_EVENTS]
    )
    latest.reverse()
    return Thread(
        records=[to_record(event) for event in latest],
        has_earlier=bool(latest) and latest[0].seq > 1,
        head=latest[-1].seq if latest else conversation.head,
    )


def reads(conversation: Conversation) -> dict[str, int]:
    """How far each side has read, in operators' numbering, as the wire's ``reads``."""
    marks = {"user": 0, "operator": 0}
    for operator_id, seq in ReadMarker.objects.filter(conversation=conversation).values_list(
        "operator_id", "seq"
    ):
        role = "user" if operator_id is None else "operator"
        marks[role] = max(marks[role], seq)
    return marks


def other_conversations(user: Any, conversation: Conversation) -> QuerySet[Conversation]:
    """The same visitor's other conversations that the user may see, newest first."""
    return (
        Conversation.objects.visible_to(user)
        .filter(visitor_id=conversation.visitor_id)
        .exclude(pk=conversation.pk)
        .select_related("visitor")
        .order_by("-created_at")[:20]
    )


def colleagues() -> QuerySet[Operator]:
    """Operators with an active account, by name."""
    return (
        Operator.objects.filter(user__is_active=True)
        .select_related("user")
        .order_by("display_name", "user__username")
    )


def labels_and_teams(conversation: Conversation) -> tuple[list[Label], list[Label]]:
    """Every tag, those of the conversation marked as worn, and every team; one statement."""
    worn = Exists(
        Conversation.tags.through.objects.filter(conversation=conversation, tag=OuterRef("pk"))
    )
    tags = Tag.objects.order_by().values_list(
        Value("tag"), "pk", "name", Case(When(worn, then=1), default=0)
    )
    teams = Team.objects.order_by().values_list(Value("team"), "pk", "name", Value(0))
    rows = sorted(tags.union(teams, all=True), key=lambda row: row[2])
    labels = [Label(pk, name, bool(mark)) for kind, pk, name, mark in rows if kind == "tag"]
    return labels, [Label(pk, name) for kind, pk, name, _ in rows if kind == "team"]
