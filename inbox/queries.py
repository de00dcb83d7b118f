"""What operators read: lists, threads and counters, always within what a user may see.

The query is the authorisation: what ``visible_to`` leaves out is not found. Nothing here writes.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from inbox.errors import RefusedError, not_found
from inbox.models import (
    Conversation,
    Event,
    EventKind,
    HandledBy,
    Operator,
    ReadMarker,
    Role,
    Status,
    Visitor,
)
from inbox.realtime.records import Record, to_record
from inbox.search import matching

VIEWS = ("mine", "unassigned", "all", "bot", "snoozed", "closed")
"""The lists of the inbox. ``all`` is everything open; a search in it finds closed ones too."""

PAGE_ROWS = 50
PAGE_EVENTS = 100
MAX_UNREAD = 100

UNASSIGNED = Q(handled_by__in=[HandledBy.QUEUE, HandledBy.NOBODY])


@dataclass(frozen=True, slots=True)
class Page:
    """One stretch of a list; ``next`` is the cursor of what follows, or None."""

    results: list[Conversation]
    next: str | None


@dataclass(frozen=True, slots=True)
class Thread:
    """Durable events of one conversation in order, and whether earlier ones exist."""

    records: list[Record]
    has_earlier: bool
    head: int


def in_view(view: str, operator: Operator | None) -> Q:
    """The condition of one of ``VIEWS``; raises ``invalid_field`` for any other name."""
    mine = Q(handled_by=HandledBy.OPERATOR, operator_id=operator.pk if operator else None)
    conditions = {
        "mine": Q(status=Status.OPEN) & (mine if operator else Q(pk__in=[])),
        "unassigned": Q(status=Status.OPEN) & UNASSIGNED,
        "all": Q(status=Status.OPEN),
        "bot": Q(status=Status.OPEN, handled_by=HandledBy.BOT),
        "snoozed": Q(status=Status.SNOOZED),
        "closed": Q(status=Status.CLOSED),
    }
    try:
        return conditions[view]
    except KeyError:
        raise RefusedError("invalid_field", field="view") from None


def conversation_page(
    user: Any,
    *,
    view: str = "",
    search: str = "",
    cursor: str = "",
    limit: int = PAGE_ROWS,
) -> Page:
    """Conversations a user may see, the latest activity first, by keyset.

    Args:
        view: one of ``VIEWS``, or empty for every conversation whatever its state.
        search: words of a message, a visitor's name or address, or a conversation's id.
        cursor: ``next`` of the page before.
    """
    rows = visible(user)
    if view and not (view == "all" and search.strip()):
        rows = rows.filter(in_view(view, operator_of(user)))
    if search.strip():
        rows = rows.filter(matching(search))
    if cursor:
        moment, conversation_id = _decode_cursor(cursor)
        rows = rows.filter(
            Q(updated_at__lt=moment) | Q(updated_at=moment, id__lt=conversation_id)
        ).filter(updated_at__lte=moment)
    # Places first: what a row is dressed with is computed for one page, not for every match.
    ordered = rows.order_by("-updated_at", "-id").values_list("updated_at", "pk")
    places = list(ordered[: limit + 1])
    shown = [pk for _, pk in places[:limit]]
    dressed = with_unread(Conversation.objects.filter(pk__in=shown), operator_of(user))
    by_id = {row.pk: row for row in dressed}
    found = [by_id[pk] for pk in shown if pk in by_id]
    return Page(found, _encode_cursor(*places[limit - 1]) if len(places) > limit else None)


def visible(user: Any) -> QuerySet[Conversation]:
    """Every conversation that the user may see."""
    return Conversation.objects.visible_to(user)


def with_unread(rows: QuerySet[Conversation], operator: Operator | None) -> QuerySet[Conversation]:
    """Rows ready for a list: neighbours loaded, ``unread`` = the visitor's words not yet read."""
    marker = ReadMarker.objects.filter(conversation=OuterRef("pk"), operator=operator)
    read_up_to = Coalesce(Subquery(marker.values("seq")[:1]), 0)
    said = Event.objects.filter(
        conversation=OuterRef("pk"),
        kind=EventKind.MESSAGE,
        message__role=Role.USER,
        seq__gt=OuterRef("read_up_to"),
    )
    count = said.order_by().values("conversation").annotate(n=Count("pk")).values("n")
    return (
        rows.select_related("visitor", "operator__user", "team")
        .prefetch_related("tags")
        .annotate(read_up_to=read_up_to if operator else F("head"))
        .annotate(unread=Coalesce(Subquery(count), 0))
    )


def counters(user: Any) -> dict[str, int]:
    """How many conversations stand in each view; closed ones are not counted, they only grow."""
    operator = operator_of(user)
    views = [view for view in VIEWS if view != "closed"]
    counts: dict[str, int] = (
        Conversation.objects.visible_to(user)
        .exclude(status=Status.CLOSED)
        .aggregate(**{view: Count("pk", filter=in_view(view, operator)) for view in views})
    )
    return counts


def get_conversation(user: Any, conversation_id: uuid.UUID) -> Conversation:
    """One conversation that the user may see, ready for a list; raises ``not_found``."""
    rows = with_unread(Conversation.objects.visible_to(user), operator_of(user))
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
        .prefetch_related("teams")
        .order_by("display_name", "user__username")
    )


def _encode_cursor(moment: dt.datetime, conversation_id: uuid.UUID) -> str:
    text = f"{moment.astimezone(dt.UTC).isoformat()}|{conversation_id.hex}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[dt.datetime, uuid.UUID]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, _, identifier = base64.urlsafe_b64decode(padded).decode().partition("|")
        when = dt.datetime.fromisoformat(moment)
        return (when if when.tzinfo else timezone.make_aware(when)), uuid.UUID(identifier)
    except (ValueError, binascii.Error) as error:
        raise RefusedError("invalid_field", field="cursor") from error
