"""Builders for tests, ours and a host project's: plain functions with keyword overrides."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from inbox.actions.journal import Journal
from inbox.models import (
    Conversation,
    Event,
    HandledBy,
    Message,
    MessageKind,
    OpeningHours,
    Operator,
    Role,
    Status,
    Tag,
    Team,
    Visitor,
)
from inbox.ports import AnswerRequest, Interrupted

_numbers = itertools.count(1)


def make_user(username: str = "", *, permissions: Iterable[str] = (), **fields: Any) -> Any:
    """A site account; ``permissions`` are codenames of the inbox such as ``view_all``.

    Without ``password`` it has none (hashing one is slow); log in by ``force_login``.
    """
    user = get_user_model().objects.create_user(
        username=username or f"user{next(_numbers)}", **fields
    )
    user.user_permissions.add(
        *Permission.objects.filter(
            content_type__app_label="frontdesk_inbox", codename__in=list(permissions)
        )
    )
    return user


def make_team(name: str = "", **fields: Any) -> Team:
    """A team that is always open."""
    name = name or f"Team {next(_numbers)}"
    return Team.objects.create(name=name, slug=name.lower().replace(" ", "-"), **fields)


def make_opening_hours(
    team: Team, *, weekdays: Iterable[int] = range(5), opens: str = "09:00", closes: str = "17:00"
) -> list[OpeningHours]:
    """The same stretch on several weekdays; Monday is 0."""
    return [
        OpeningHours.objects.create(
            team=team,
            weekday=weekday,
            opens=dt.time.fromisoformat(opens),
            closes=dt.time.fromisoformat(closes),
        )
        for weekday in weekdays
    ]


def make_operator(
    name: str = "Olga",
    *,
    teams: Iterable[Team] = (),
    available: bool = False,
    view_all: bool = False,
    permissions: Iterable[str] = ("view_inbox",),
    user: Any = None,
    **fields: Any,
) -> Operator:
    """An operator with a seat; ``available=True`` also gives a sign of life now.

    Pass ``permissions=()`` for an account without access to the inbox.
    """
    wanted = {*permissions, *(["view_all"] if view_all else [])}
    account = user or make_user(f"{name.lower()}{next(_numbers)}", permissions=wanted)
    fields.setdefault("last_seen_at", timezone.now() if available else None)
    operator = Operator.objects.create(
        user=account, display_name=name, available=available, **fields
    )
    operator.teams.set(teams)
    return operator


def make_visitor(name: str = "", **fields: Any) -> Visitor:
    """A guest of the widget ``demo``; give ``external_id`` for a verified person."""
    return Visitor.objects.create(name=name, **{"widget_key": "demo", **fields})


def make_conversation(
    visitor: Visitor | None = None,
    *,
    operator: Operator | None = None,
    age: dt.timedelta = dt.timedelta(),
    **fields: Any,
) -> Conversation:
    """A conversation without messages, made ``age`` ago.

    An open or snoozed one is what its visitor sees (``session_id``). With an ``operator`` it is
    theirs; queued ones wait since their beginning unless ``queued_at`` says otherwise.
    """
    visitor = visitor or make_visitor()
    began = timezone.now() - age
    if operator is not None:
        fields.setdefault("handled_by", HandledBy.OPERATOR)
        fields.setdefault("last_operator", operator)
    if fields.get("handled_by") == HandledBy.QUEUE:
        fields.setdefault("queued_at", began)
        fields.setdefault("waiting_since", began)
    if fields.get("status") == Status.CLOSED:
        fields.setdefault("closed_at", began)
    conversation = Conversation.objects.create(
        **{"widget_key": visitor.widget_key, "updated_at": began, "ownership": 1, **fields},
        visitor=visitor,
        operator=operator,
    )
    Conversation.objects.filter(pk=conversation.pk).update(created_at=began)
    conversation.created_at = began
    if conversation.status != Status.CLOSED:
        visitor.session_id = conversation.id
        visitor.save(update_fields=["session_id"])
    return conversation


def make_message(
    conversation: Conversation,
    content: str = "Hello",
    *,
    role: str = Role.USER,
    **fields: Any,
) -> Message:
    """A message with its event, through the journal; nothing routes or answers it."""
    if role == Role.USER:
        client_id = fields.setdefault("client_id", uuid.uuid4().hex)
        fields.setdefault("dedupe_key", f"v{conversation.visitor_id}:{client_id}")
    with transaction.atomic():
        journal = Journal.lock([conversation.id])
        message = journal.add_message(
            journal[conversation.id], role=role, content=content, **fields
        )
        journal.write()
    conversation.refresh_from_db()
    return message


def make_note(conversation: Conversation, content: str, operator: Operator) -> Message:
    """A private note."""
    return make_message(
        conversation, content, role=Role.OPERATOR, kind=MessageKind.NOTE, operator=operator
    )


def make_tag(name: str = "") -> Tag:
    """A label."""
    return Tag.objects.create(name=name or f"tag{next(_numbers)}")


class RecordingResponder:
    """A responder that answers nothing and remembers what it was asked.

    Name it in ``INBOX_RESPONDERS`` as ``inbox.testing.robbie`` and give conversations
    ``bot_key="robbie"``.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: switched on, nothing asked, nothing running."""
        self.keys = {"robbie"}
        self.asked: list[AnswerRequest] = []
        self.running: dict[uuid.UUID, Interrupted] = {}
        self.outcomes: list[str] = []
        self.woken = 0

    def is_available(self, bot_key: str) -> bool:
        """Whether a bot of this key is switched on."""
        return bot_key in self.keys

    def respond(self, requests: Sequence[AnswerRequest]) -> None:
        """Remember the work."""
        self.asked += requests

    def interrupt(
        self, conversation_ids: Iterable[uuid.UUID], outcome: str
    ) -> dict[uuid.UUID, Interrupted]:
        """End what ``begin_answer`` began."""
        ended = {key: self.running.pop(key) for key in conversation_ids if key in self.running}
        self.outcomes += [outcome] * len(ended)
        return ended

    def wake(self) -> None:
        """Count the calls after commit."""
        self.woken += 1

    def begin_answer(self, conversation: Conversation, shown: str) -> Interrupted:
        """Pretend that an answer is streaming of which readers have seen ``shown``."""
        answer = Interrupted(
            conversation_id=conversation.id,
            turn_key=uuid.uuid4().hex,
            revision=1,
            message_id=uuid.uuid4(),
            content=shown,
            sources=[],
            author_name="Robbie",
        )
        self.running[conversation.id] = answer
        return answer


robbie = RecordingResponder()


def visitor_events(conversation: Conversation) -> list[Event]:
    """What the visitor is sent, in order."""
    return list(
        Event.objects.filter(conversation=conversation, visitor_seq__isnull=False)
        .select_related("message")
        .order_by("visitor_seq")
    )


def transcript(conversation: Conversation) -> list[tuple[str, str]]:
    """Role and content of every message in order, notes included."""
    events = Event.objects.filter(conversation=conversation, message__isnull=False)
    rows = events.order_by("seq").values_list("message__role", "message__content")
    return [(role, content) for role, content in rows]
