"""The lists of the inbox and the numbers beside them, at a cost that does not grow with them.

A view is a few pairs of status and who answers. Each pair is one stretch of the index
``frontdesk_conv_stretch`` in the list's own order, so a page is read off the ends of a few
stretches, however long they are, and a counter stops where the number no longer matters.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.utils import timezone

from inbox.errors import RefusedError
from inbox.models import Conversation, HandledBy, Operator, Status
from inbox.queries import operator_of, visible, with_unread
from inbox.search import matching

PAGE_ROWS = 50
COUNTED = 100
"""A counter goes no further: 100 means "100 or more"."""

Pair = tuple[str, str]

_EVERYBODY = tuple(HandledBy.values)
_PAIRS: dict[str, tuple[Pair, ...]] = {
    "mine": ((Status.OPEN, HandledBy.OPERATOR),),
    "unassigned": ((Status.OPEN, HandledBy.QUEUE), (Status.OPEN, HandledBy.NOBODY)),
    "all": tuple((Status.OPEN, who) for who in _EVERYBODY),
    "bot": ((Status.OPEN, HandledBy.BOT),),
    "snoozed": tuple((Status.SNOOZED, who) for who in _EVERYBODY),
    "closed": tuple((Status.CLOSED, who) for who in _EVERYBODY),
}
VIEWS = tuple(_PAIRS)
"""The lists of the inbox. ``all`` is everything open; a search in it finds closed ones too."""
COUNTED_VIEWS = tuple(view for view in VIEWS if view != "closed")


@dataclass(frozen=True, slots=True)
class Page:
    """One part of a list; ``next`` is the cursor of what follows, or None."""

    results: list[Conversation]
    next: str | None


class CountOf(Subquery):
    """How many rows a subquery has; with a slice, where the counting stops."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


def conversation_page(
    user: Any, *, view: str = "", search: str = "", cursor: str = "", limit: int = PAGE_ROWS
) -> Page:
    """Conversations a user may see, the latest activity first, by keyset.

    Args:
        view: one of ``VIEWS``, or empty for every conversation whatever its state.
        search: words of a message, a visitor's name or address, or a conversation's id.
        cursor: ``next`` of the page before.
    """
    words, operator = search.strip(), operator_of(user)
    rows = visible(user)
    if cursor:
        moment, conversation_id = _decode_cursor(cursor)
        rows = rows.filter(
            Q(updated_at__lt=moment) | Q(updated_at=moment, id__lt=conversation_id)
        ).filter(updated_at__lte=moment)
    if words:
        kept = [_found(rows.filter(matching(words)), "" if view == "all" else view, operator)]
    else:
        kept = _stretches(rows, view, operator)
    places = _merged(kept, limit + 1)
    shown = [pk for _, pk in places[:limit]]
    dressed = with_unread(Conversation.objects.filter(pk__in=shown), operator)
    by_id = {row.pk: row for row in dressed}
    found = [by_id[pk] for pk in shown if pk in by_id]
    return Page(found, _encode_cursor(*places[limit - 1]) if len(places) > limit else None)


def counters(user: Any) -> dict[str, int]:
    """How many conversations stand in each view, ``COUNTED`` at most; closed ones only grow."""
    operator, seen = operator_of(user), visible(user)
    counts = [
        CountOf(_within(seen, view, operator).order_by().values("pk")[:COUNTED])
        for view in COUNTED_VIEWS
    ]
    # The account's own row carries them: five counts in one statement.
    account = get_user_model()._default_manager.filter(pk=user.pk)
    return dict(zip(COUNTED_VIEWS, account.values_list(*counts).get(), strict=True))


def shown(count: int | None) -> str:
    """A counter as the page shows it; nothing for a view that is not counted."""
    if count is None:
        return ""
    return str(count) if count < COUNTED else f"{COUNTED - 1}+"


def _within(
    rows: QuerySet[Conversation], view: str, operator: Operator | None
) -> QuerySet[Conversation]:
    status = _pairs(view)[0][0]
    answered = rows.filter(status=status, handled_by__in=[who for _, who in _pairs(view)])
    return _own(answered, view, operator)


def _stretches(
    rows: QuerySet[Conversation], view: str, operator: Operator | None
) -> list[QuerySet[Conversation]]:
    """A view's rows, each part in one piece of an index."""
    if not view:
        return [rows]
    parts = [rows.filter(status=status, handled_by=who) for status, who in _pairs(view)]
    return [_own(part, view, operator) for part in parts]


def _found(
    rows: QuerySet[Conversation], view: str, operator: Operator | None
) -> QuerySet[Conversation]:
    """What a search found, within a view.

    It is looked up by its keys. Bare columns would tempt SQLite, which has no statistics, to walk
    the whole view instead.
    """
    if not view:
        return rows
    state = Concat("status", Value("/"), "handled_by")
    within = [f"{status}/{who}" for status, who in _pairs(view)]
    return _own(rows.alias(state=state).filter(state__in=within), view, operator)


def _pairs(view: str) -> tuple[Pair, ...]:
    try:
        return _PAIRS[view]
    except KeyError:
        raise RefusedError("invalid_field", field="view") from None


def _own(
    rows: QuerySet[Conversation], view: str, operator: Operator | None
) -> QuerySet[Conversation]:
    if view != "mine":
        return rows
    return rows.filter(operator_id=operator.pk) if operator else rows.none()


def _merged(
    parts: Iterable[QuerySet[Conversation]], most: int
) -> list[tuple[dt.datetime, uuid.UUID]]:
    """The newest places of all parts; what a row is dressed with is loaded for these alone."""
    first, *others = [part.order_by().values_list("updated_at", "id") for part in parts]
    merged = first.union(*others, all=True) if others else first
    return list(merged.order_by("-updated_at", "-id")[:most])


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
