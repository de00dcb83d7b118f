"""The one write path: events get their numbers here and nowhere else."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import get_language
from msgspec.structs import replace

from inbox.actions.loading import Wanted, load_together, make, relate
from inbox.actions.rows import insertion, saving, stored
from inbox.actions.statements import run
from inbox.actions.webhooks import write_outbox
from inbox.errors import not_found
from inbox.models import (
    Attachment,
    Conversation,
    Event,
    EventKind,
    HandledBy,
    Message,
    MessageKind,
    Operator,
    Role,
    Team,
    Visitor,
)
from inbox.realtime.batches import Batch, Change, Ending, Ephemeral
from inbox.realtime.publish import publish
from inbox.realtime.records import Record, message_body, message_operator_body
from inbox.realtime.summaries import summary_body
from inbox.runner import wake
from inbox.texts import clip, without_marks

SAVED_FIELDS = (
    "status",
    "handled_by",
    "ownership",
    "operator",
    "last_operator",
    "team",
    "head",
    "visitor_head",
    "language",
    "preview",
    "preview_role",
    "waiting_since",
    "queued_at",
    "snoozed_until",
    "rating",
    "rating_comment",
    "updated_at",
    "closed_at",
)


class Journal:
    """Locked conversations and what one transaction adds to them.

    Use it inside ``transaction.atomic()``: lock, change the rows' fields, add events, and
    ``write()`` once at the end. Frames go out after commit.
    """

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        self.now: dt.datetime = timezone.now()
        self.language = get_language()
        self.conversations = {conversation.id: conversation for conversation in conversations}
        self._teams_before = {c.id: c.team_id for c in self.conversations.values()}
        self._messages: list[Message] = []
        self._events: list[Event] = []
        self._event_of: dict[uuid.UUID, Event] = {}
        self._attachments: list[Attachment] = []
        self._records: dict[uuid.UUID, list[Record]] = {}
        self._endings: dict[uuid.UUID, list[Ending]] = {}
        self._ephemerals: list[Ephemeral] = []

    @classmethod
    def lock(
        cls,
        ids: Iterable[uuid.UUID],
        *,
        skip_locked: bool = False,
        visitors: Mapping[int, Visitor] | None = None,
    ) -> Self:
        """Lock rows in id order, so that two batches can never wait for each other.

        Raises ``not_found`` nowhere: ask ``journal[id]``.

        Args:
            skip_locked: leave out what somebody else holds (PostgreSQL; SQLite's lock is the
                whole transaction).
            visitors: those that the caller has read in this transaction.
        """
        [conversations] = load_together(wanted_locked(ids, skip_locked=skip_locked))
        return cls.of(conversations, visitors or {})

    @classmethod
    def of(cls, conversations: list[Conversation], visitors: Mapping[int, Visitor]) -> Self:
        """A journal of rows that were locked in this transaction, as ``wanted_locked`` says."""
        # Apart from the neighbours: PostgreSQL reads a row that it had to wait for anew, but joins
        # it with the neighbours of before, so that a conversation which somebody has just taken
        # would come back without its operator.
        _add_neighbours(conversations, visitors)
        return cls(conversations)

    def extend(
        self, ids: Iterable[uuid.UUID], visitors: Mapping[int, Visitor] | None = None
    ) -> None:
        """Lock further rows: only ones that did not exist when the first were locked."""
        more = type(self).lock(ids, visitors=visitors)
        self.conversations.update(more.conversations)
        self._teams_before.update(more._teams_before)

    def __getitem__(self, conversation_id: uuid.UUID) -> Conversation:
        try:
            return self.conversations[conversation_id]
        except KeyError:
            raise not_found() from None

    def __contains__(self, conversation_id: uuid.UUID) -> bool:
        return conversation_id in self.conversations

    def add_message(
        self,
        conversation: Conversation,
        *,
        role: str,
        content: str,
        kind: str = MessageKind.REPLY,
        author_name: str = "",
        author_avatar: str = "",
        operator: Operator | None = None,
        client_id: str = "",
        dedupe_key: str | None = None,
        sources: Sequence[dict[str, Any]] = (),
        quick_replies: Sequence[str] = (),
        outcome: str = "",
        message_id: uuid.UUID | None = None,
        attachments: Sequence[Attachment] = (),
        actor: str = "",
    ) -> Message:
        """Append a message; a note takes no number in the visitor's numbering."""
        message = make(
            Message,
            id=message_id or uuid.uuid4(),
            conversation_id=conversation.id,
            role=role,
            kind=kind,
            author_name=author_name[:120],
            author_avatar=author_avatar,
            operator_id=operator.pk if operator else None,
            client_id=client_id,
            dedupe_key=dedupe_key,
            content=content,
            sources=list(sources),
            quick_replies=list(quick_replies),
            outcome=outcome,
            created_at=self.now,
            edited_at=None,
            redacted_at=None,
        )
        relate(message, conversation=conversation, operator=operator)
        self._messages.append(message)
        for position, attachment in enumerate(attachments):
            attachment.message, attachment.position = message, position
            self._attachments.append(attachment)
        if not message.is_note and role != Role.SYSTEM:
            words = without_marks(content) or ", ".join(file.name for file in attachments)
            conversation.preview = clip(words, 160)
            conversation.preview_role = role
        self._append(
            conversation,
            EventKind.MESSAGE,
            body=message_body(message, attachments),
            operator_body=message_operator_body(message),
            visible=not message.is_note,
            message=message,
            actor=actor,
        )
        return message

    def add_system_line(self, conversation: Conversation, text: str) -> Message:
        """A line that tells the visitor the truth about a transition."""
        return self.add_message(conversation, role=Role.SYSTEM, content=text)

    def add_update(
        self, conversation: Conversation, message: Message, *, reason: str, actor: str = ""
    ) -> None:
        """Tell readers that a message was edited (``content``) or redacted (null)."""
        content = None if reason == "redacted" else message.content
        self._append(
            conversation,
            EventKind.MESSAGE_UPDATED,
            body={"id": str(message.id), "content": content, "reason": reason},
            visible=not message.is_note,
            actor=actor,
        )

    def add_change(
        self, conversation: Conversation, *, actor: str = "", visible: bool = True
    ) -> None:
        """Append a ``conversation`` event with the row's present state."""
        body: dict[str, Any] = {
            "status": conversation.status,
            "handled_by": conversation.handled_by,
        }
        operator = conversation.operator
        if operator is not None and conversation.handled_by == HandledBy.OPERATOR:
            body["operator"] = {"id": operator.pk, "name": operator.name}
            if operator.avatar_url:
                body["operator"]["avatar"] = operator.avatar_url
        self._append(conversation, EventKind.CONVERSATION, body=body, visible=visible, actor=actor)

    def end_stream(self, conversation: Conversation, ending: Ending) -> None:
        """Tell readers of a streaming answer that it ended with this transaction."""
        self._endings.setdefault(conversation.id, []).append(ending)

    def add_ephemeral(self, ephemeral: Ephemeral) -> None:
        """Publish a frame without number after commit."""
        self._ephemerals.append(ephemeral)

    def pending_messages(self, conversation: Conversation) -> list[Message]:
        """Messages of one conversation that this transaction adds, in order."""
        return [m for m in self._messages if m.conversation_id == conversation.id]

    def numbers_of(self, message: Message) -> tuple[int, int | None]:
        """Both numbers of a message added here: operators' and visitor's."""
        event = self._event_of[message.id]
        return event.seq, event.visitor_seq

    def write(self) -> None:
        """Insert with multi-row statements, save the rows, publish on commit."""
        # A stream may end without an event: nothing was shown yet, and readers wait all the same.
        told = self._records.keys() | self._endings.keys()
        touched = [c for c in self.conversations.values() if c.id in told]
        run(
            [
                *insertion(self._messages),
                *insertion(self._events),
                *saving(touched, SAVED_FIELDS),
            ]
        )
        stored([*self._messages, *self._events])
        if self._attachments:
            Attachment.objects.bulk_update(self._attachments, ["message", "position"])
        if write_outbox(self._outbox(), self.now):
            transaction.on_commit(lambda: wake("webhooks"))
        batch = Batch(
            changes=[self._change(conversation) for conversation in touched],
            ephemerals=self._ephemerals,
        )
        if batch.changes or batch.ephemerals:
            transaction.on_commit(lambda: publish(replace(batch, committed_at=time.time())))

    def _outbox(self) -> Iterator[tuple[Conversation, Event, Record]]:
        # Events and records of one conversation were appended together, in the same order.
        records = {key: iter(of_one) for key, of_one in self._records.items()}
        for event in self._events:
            yield event.conversation, event, next(records[event.conversation_id])

    def _append(
        self,
        conversation: Conversation,
        kind: EventKind,
        *,
        body: dict[str, Any],
        visible: bool,
        operator_body: dict[str, Any] | None = None,
        message: Message | None = None,
        actor: str = "",
    ) -> None:
        conversation.head += 1
        if visible:
            conversation.visitor_head += 1
        conversation.updated_at = self.now
        event = make(
            Event,
            id=None,
            conversation_id=conversation.id,
            seq=conversation.head,
            visitor_seq=conversation.visitor_head if visible else None,
            kind=kind,
            message_id=message.id if message else None,
            payload={} if message else body,
            actor=actor,
            created_at=self.now,
        )
        relate(event, conversation=conversation, message=message)
        self._events.append(event)
        if message is not None:
            self._event_of[message.id] = event
        record = Record(
            conversation_id=str(conversation.id),
            seq=event.seq,
            visitor_seq=event.visitor_seq,
            kind=kind.value,
            body=body,
            operator_body=operator_body or {},
        )
        self._records.setdefault(conversation.id, []).append(record)

    def _change(self, conversation: Conversation) -> Change:
        return Change(
            conversation_id=str(conversation.id),
            visitor_id=conversation.visitor_id,
            head=conversation.head,
            visitor_head=conversation.visitor_head,
            ownership=conversation.ownership,
            team_id=conversation.team_id,
            previous_team_id=self._teams_before[conversation.id],
            operator_id=conversation.operator_id,
            summary=summary_body(conversation, self.language),
            records=self._records.get(conversation.id, []),
            endings=self._endings.get(conversation.id, []),
        )


def wanted_locked(ids: Iterable[uuid.UUID], *, skip_locked: bool) -> Wanted:
    """Conversations to be locked in id order; see ``Journal.lock``."""
    return Wanted(Conversation, set(ids), locking=_lock_clause(skip_locked=skip_locked))


def _lock_clause(*, skip_locked: bool) -> str:
    if not connection.features.has_select_for_update:
        return ""
    # Not against those who only refer to the row: a foreign key is checked at the end of a
    # transaction, which may by then hold a turn that the holder of this row waits for.
    no_key = connection.features.has_select_for_no_key_update
    return f" {connection.ops.for_update_sql(skip_locked=skip_locked, no_key=no_key)}"


def wanted_operators(ids: Collection[int]) -> tuple[Wanted, Wanted]:
    """Operators and their accounts; ``with_accounts`` joins what was found."""
    return Wanted(Operator, ids), Wanted(get_user_model(), ids, through=(Operator, "user_id"))


def with_accounts(operators: list[Operator], accounts: list[Any]) -> dict[int, Operator]:
    """Operators by id, each with its account."""
    by_id = {account.pk: account for account in accounts}
    for operator in operators:
        relate(operator, user=by_id[operator.user_id])
    return {operator.pk: operator for operator in operators}


def _add_neighbours(conversations: list[Conversation], known: Mapping[int, Visitor]) -> None:
    """Read each visitor, operator and team once, however many rows name it: with a join, every
    row of a batch would bring its own copy of its operator."""
    found, answering, accounts, in_charge = load_together(
        Wanted(Visitor, {c.visitor_id for c in conversations} - known.keys()),
        *wanted_operators({c.operator_id for c in conversations if c.operator_id is not None}),
        Wanted(Team, {c.team_id for c in conversations if c.team_id is not None}),
    )
    visitors = {**known, **{visitor.pk: visitor for visitor in found}}
    operators = with_accounts(answering, accounts)
    teams = {team.pk: team for team in in_charge}
    for conversation in conversations:
        relate(
            conversation,
            visitor=visitors[conversation.visitor_id],
            operator=operators[conversation.operator_id] if conversation.operator_id else None,
            team=teams[conversation.team_id] if conversation.team_id else None,
        )
