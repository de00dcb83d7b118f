"""Posting messages: one synchronous function that takes a batch, correct for one and for 500."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import prefetch_related_objects

from inbox.actions.beginning import begin, new_conversation
from inbox.actions.drafts import Busy, Draft, OperatorSender, Posted, VisitorSender
from inbox.actions.handoff import ask_bot
from inbox.actions.journal import Journal, wanted_locked, wanted_operators, with_accounts
from inbox.actions.loading import Wanted, load, load_together
from inbox.actions.ownership import set_owner
from inbox.assignment.routing import PostedMessage, route
from inbox.database import retrying
from inbox.errors import InboxError, RefusedError, TryAgainError, not_found
from inbox.models import (
    Attachment,
    Conversation,
    EventKind,
    HandledBy,
    Message,
    MessageKind,
    Operator,
    Role,
    Status,
    Visitor,
)
from inbox.texts import check_content

__all__ = ["Busy", "Draft", "OperatorSender", "Posted", "VisitorSender", "post", "post_batch"]

ROUNDS = 3
"""A message to a conversation that closes meanwhile moves to the next one; at most this often."""


def post(draft: Draft) -> Posted:
    """Store one message.

    Raises:
        InboxError: ``empty_message``, ``too_long``, ``invalid_text``, ``client_id_conflict``,
            ``not_found``, ``stale``, ``blocked``, ``conversation_closed``, ``try_again``.
    """
    result = post_batch([draft])[0]
    if isinstance(result, InboxError):
        raise result
    return result


def post_batch(drafts: Sequence[Draft], *, skip_locked: bool = False) -> list[Posted | InboxError]:
    """Store many messages in one transaction, in the given order.

    Args:
        drafts: any senders and conversations, in the order they arrived.
        skip_locked: leave out conversations that another transaction holds; their drafts
            come back as ``Busy``.

    Returns:
        For each draft where it stands, or why it was refused. Refused means not stored.
    """
    results: dict[int, Posted | InboxError] = {}
    pending: dict[int, Draft] = {}
    for index, draft in enumerate(drafts):
        try:
            check_content(draft.content, may_be_empty=bool(draft.attachments))
            pending[index] = draft
        except InboxError as error:
            results[index] = error
    for _ in range(ROUNDS):
        if not pending:
            break
        round_results = _store_retrying(pending, skip_locked=skip_locked)
        results.update(round_results)
        pending = {i: draft for i, draft in pending.items() if i not in round_results}
    for index in pending:
        results[index] = TryAgainError()
    return [results[index] for index in range(len(drafts))]


def _store(drafts: dict[int, Draft], *, skip_locked: bool) -> dict[int, Posted | InboxError]:
    with transaction.atomic():
        return _Posting(drafts, skip_locked=skip_locked).run()


_store_retrying = retrying(_store)


class _Posting:
    """One transaction's work; drafts it leaves without result go into the next round."""

    def __init__(self, drafts: dict[int, Draft], *, skip_locked: bool) -> None:
        self.drafts = drafts
        self.results: dict[int, Posted | InboxError] = {}
        self.skip_locked = skip_locked
        senders = [draft.sender for draft in drafts.values()]
        visitors, operators, accounts = load_together(
            Wanted(Visitor, {s.visitor_id for s in senders if isinstance(s, VisitorSender)}),
            *wanted_operators({s.operator_id for s in senders if isinstance(s, OperatorSender)}),
        )
        self.visitors: dict[int, Visitor] = {visitor.pk: visitor for visitor in visitors}
        self.operators = with_accounts(operators, accounts)
        self.posted: list[tuple[int, Draft, Message]] = []
        self.for_routing: list[PostedMessage] = []

    def run(self) -> dict[int, Posted | InboxError]:
        targets = {index: self._target(draft) for index, draft in self.drafts.items()}
        # Resends are looked for behind the lock: whoever held it may just have stored one.
        conversations, earlier = load_together(
            wanted_locked(targets.values(), skip_locked=self.skip_locked),
            Wanted(Message, {draft.dedupe_key for draft in self.drafts.values()}, "dedupe_key"),
        )
        self.journal = Journal.of(conversations, self.visitors)
        self.stored = _by_key(earlier)
        if self._begin_conversations(targets):
            keys = {draft.dedupe_key for draft in self.drafts.values()}
            self.stored = _by_key(load(Message, keys, by="dedupe_key"))
        for index, draft in self.drafts.items():
            try:
                self._post_one(index, draft, targets[index])
            except InboxError as error:
                self.results[index] = error
        requests = route(self.journal, self.for_routing)
        self.journal.write()
        ask_bot(requests)
        return self.results

    def _target(self, draft: Draft) -> uuid.UUID:
        if isinstance(draft.sender, VisitorSender):
            visitor = self.visitors.get(draft.sender.visitor_id)
            if visitor is not None and draft.conversation_id not in self._open_ids():
                return visitor.session_id
        return draft.conversation_id

    def _open_ids(self) -> set[uuid.UUID]:
        """Conversations that these visitors name, own and may still write to."""
        if not hasattr(self, "_open"):
            named = {
                draft.conversation_id
                for draft in self.drafts.values()
                if isinstance(draft.sender, VisitorSender)
                and (visitor := self.visitors.get(draft.sender.visitor_id)) is not None
                and visitor.session_id != draft.conversation_id
            }
            self._open = (
                set(
                    Conversation.objects.filter(id__in=named, visitor__in=self.visitors)
                    .exclude(status=Status.CLOSED)
                    .values_list("id", flat=True)
                )
                if named
                else set()
            )
        return self._open

    def _begin_conversations(self, targets: dict[int, uuid.UUID]) -> bool:
        """Begin what is promised and not there; whether rows were locked for that."""
        absent = {i: d for i, d in self.drafts.items() if targets[i] not in self.journal}
        missing: dict[uuid.UUID, Conversation] = {}
        for index, draft in absent.items():
            target, sender = targets[index], draft.sender
            # A resend of what stands in an earlier conversation must not begin a new one.
            if draft.dedupe_key in self.stored or not isinstance(sender, VisitorSender):
                continue
            visitor = self.visitors.get(sender.visitor_id)
            if visitor is None or visitor.session_id != target or visitor.blocked_at:
                continue
            missing[target] = new_conversation(
                visitor, bot_key=sender.bot_key, team_id=sender.team_id
            )
        if missing:
            self.journal.extend(begin(missing.values()), self.visitors)
        return bool(missing)

    def _post_one(self, index: int, draft: Draft, target: uuid.UUID) -> None:
        key = draft.dedupe_key
        earlier = self.stored.get(key)
        if earlier is not None:
            self.results[index] = self._resend(draft, earlier)
            return
        self._refuse_blocked(draft)
        if target not in self.journal:
            if self.skip_locked and Conversation.objects.filter(id=target).exists():
                raise Busy
            if isinstance(draft.sender, VisitorSender) and target == self._pointer(draft.sender):
                return  # the pointer moved while we began the conversation: once more
            raise not_found()
        conversation = self.journal[target]
        if isinstance(draft.sender, VisitorSender):
            message = self._from_visitor(draft, draft.sender, conversation, key)
        else:
            message = self._from_operator(draft, draft.sender, conversation, key)
        if message is None:
            return
        self.stored[key] = message
        self.results[index] = self._posted(draft, message, duplicate=False)

    def _refuse_blocked(self, draft: Draft) -> None:
        if isinstance(draft.sender, VisitorSender):
            visitor = self.visitors.get(draft.sender.visitor_id)
            if visitor is not None and visitor.blocked_at is not None:
                raise RefusedError("blocked", status=403)
            if visitor is not None and visitor.merged_into_id is not None:
                # Their socket is about to close; they come back as who they are and resend.
                raise TryAgainError

    def _pointer(self, sender: VisitorSender) -> uuid.UUID | None:
        visitor = self.visitors.get(sender.visitor_id)
        return visitor.session_id if visitor else None

    def _from_visitor(
        self, draft: Draft, sender: VisitorSender, conversation: Conversation, key: str
    ) -> Message | None:
        visitor = self.visitors.get(sender.visitor_id)
        if visitor is None:
            raise not_found()
        if conversation.visitor_id != visitor.pk:
            if Visitor.objects.filter(pk=visitor.pk, merged_into__isnull=False).exists():
                raise TryAgainError
            raise not_found()
        if conversation.is_closed:
            # It was closed between our look and our lock: the next round sees where the
            # visitor's pointer stands now.
            return None
        is_first = conversation.visitor_head == 0
        message = self.journal.add_message(
            conversation,
            role=Role.USER,
            content=draft.content,
            author_name=visitor.name_in(self.journal.language),
            client_id=draft.client_id,
            dedupe_key=key,
            attachments=self._attachments(draft, visitor=visitor),
            actor=f"visitor:{visitor.pk}",
        )
        conversation.waiting_since = conversation.waiting_since or self.journal.now
        self.for_routing.append(
            PostedMessage(
                conversation=conversation,
                message=message,
                seq=conversation.head,
                is_first=is_first,
            )
        )
        return message

    def _from_operator(
        self, draft: Draft, sender: OperatorSender, conversation: Conversation, key: str
    ) -> Message:
        operator = self.operators.get(sender.operator_id)
        if operator is None:
            raise not_found()
        if draft.expected_seq is not None and draft.expected_seq < conversation.head:
            raise RefusedError("stale", status=409)
        is_note = draft.kind == MessageKind.NOTE
        if not is_note:
            self._take_for_reply(conversation, operator)
        message = self.journal.add_message(
            conversation,
            role=Role.OPERATOR,
            kind=draft.kind,
            content=draft.content,
            author_name=operator.name,
            author_avatar=operator.avatar_url,
            operator=operator,
            client_id=draft.client_id,
            dedupe_key=key,
            attachments=self._attachments(draft, operator=operator),
            actor=f"operator:{operator.pk}",
        )
        if not is_note:
            conversation.waiting_since = None
        return message

    def _take_for_reply(self, conversation: Conversation, operator: Operator) -> None:
        """A person who replies answers from now on; a colleague's conversation stays theirs."""
        if conversation.is_closed:
            raise RefusedError("conversation_closed", status=409)
        if conversation.handled_by != HandledBy.OPERATOR:
            set_owner(
                self.journal,
                conversation,
                handled_by=HandledBy.OPERATOR,
                operator=operator,
                actor=f"operator:{operator.pk}",
            )

    def _attachments(
        self, draft: Draft, *, visitor: Visitor | None = None, operator: Operator | None = None
    ) -> list[Attachment]:
        if not draft.attachments:
            return []
        owned = Attachment.objects.filter(visitor=visitor, operator=operator, message=None)
        found = owned.in_bulk(draft.attachments)
        if len(found) != len(set(draft.attachments)):
            raise RefusedError("not_found", status=404, field="attachments")
        return [found[key] for key in dict.fromkeys(draft.attachments)]

    def _resend(self, draft: Draft, earlier: Message) -> Posted:
        same_files = set(draft.attachments) == {file.id for file in earlier.attachments.all()}
        same_words = earlier.content == draft.content or earlier.redacted_at is not None
        if not (same_words and same_files and earlier.kind == draft.kind):
            raise RefusedError("client_id_conflict", status=409, field="client_id")
        return self._posted(draft, earlier, duplicate=True)

    def _posted(self, draft: Draft, message: Message, *, duplicate: bool) -> Posted:
        seq, visitor_seq = self._numbers(message)
        from_visitor = isinstance(draft.sender, VisitorSender)
        return Posted(
            client_id=draft.client_id,
            id=message.id,
            seq=visitor_seq or 0 if from_visitor else seq,
            timestamp=message.created_at,
            conversation_id=message.conversation_id,
            duplicate=duplicate,
        )

    def _numbers(self, message: Message) -> tuple[int, int | None]:
        if message._state.adding:
            return self.journal.numbers_of(message)
        event = next(e for e in message.events.all() if e.kind == EventKind.MESSAGE)
        return event.seq, event.visitor_seq


def _by_key(messages: list[Message]) -> dict[str, Message]:
    prefetch_related_objects(messages, "events", "attachments")
    return {message.dedupe_key: message for message in messages if message.dedupe_key}
