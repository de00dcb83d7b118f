"""Routes posted messages inside their transaction: decides, applies, and names the bot's work."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from inbox.actions.journal import Journal
from inbox.actions.ownership import set_owner
from inbox.actions.queueing import back_in_line, is_abandoned, put_in_queue, wake_up
from inbox.assignment.facts import choose, gather
from inbox.assignment.packet import Packet
from inbox.assignment.people import People
from inbox.assignment.router import RoutingFacts
from inbox.models import Conversation, HandledBy, HandoffReason, Message, Status
from inbox.ports import AnswerRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedMessage:
    """A visitor's message that the journal is about to store."""

    conversation: Conversation
    """Locked row."""
    message: Message
    seq: int
    """The message's operators' number."""
    is_first: bool = False
    wants_person: bool = False
    """The message itself is the wish, such as a quick reply that says so."""


def route(journal: Journal, posted: Sequence[PostedMessage]) -> list[AnswerRequest]:
    """Decide who answers each message and apply it; the caller writes the journal.

    What a person handles or the queue holds stays there, unless that person is gone.

    Returns:
        Messages for the bots, in order; hand them to the responders after ``write()``.
    """
    return _Routing(journal, posted).run()


class _Routing:
    """One batch. Facts are read once; a conversation's own state moves with its messages."""

    def __init__(self, journal: Journal, posted: Sequence[PostedMessage]) -> None:
        self.journal = journal
        self.posted = posted

    @cached_property
    def people(self) -> People:
        """Who is there; read when the first message of the batch needs to know."""
        return People.load(self.journal.now)

    def run(self) -> list[AnswerRequest]:
        for conversation in {id(i.conversation): i.conversation for i in self.posted}.values():
            self._come_back(conversation)
        undecided = [item for item in self.posted if _for_router(item.conversation)]
        facts = self._gather(undecided)
        requests = []
        for item in undecided:
            # An earlier message of this batch may have put the conversation in the queue.
            if _for_router(item.conversation) and self._goes_to_bot(item, facts):
                requests.append(_request(item))
        # And a later one what an earlier one had given to the bot.
        return [r for r in requests if r.conversation.handled_by == HandledBy.BOT]

    def _come_back(self, conversation: Conversation) -> None:
        """The visitor writes again: wake what was snoozed, queue what was abandoned."""
        if conversation.status == Status.SNOOZED:
            wake_up(self.journal, conversation, actor="visitor")
        if is_abandoned(conversation, self.journal):
            back_in_line(self.journal, conversation, people=self.people)

    def _gather(self, undecided: Sequence[PostedMessage]) -> dict[uuid.UUID, RoutingFacts]:
        texts: dict[uuid.UUID, list[str]] = defaultdict(list)
        for item in reversed(undecided):
            texts[item.conversation.id].append(item.message.content)
        return gather(
            {item.conversation.id: item.conversation for item in undecided}.values(),
            texts,
            wants_person={item.conversation.id for item in undecided if item.wants_person},
            load_people=lambda: self.people,
        )

    def _goes_to_bot(self, item: PostedMessage, facts: dict[uuid.UUID, RoutingFacts]) -> bool:
        conversation = item.conversation
        decision = choose(
            replace(
                facts[conversation.id],
                texts=(item.message.content,),
                wants_person=item.wants_person,
                is_new=conversation.handled_by == HandledBy.NOBODY,
            )
        )
        actor = f"visitor:{conversation.visitor_id}"
        if decision.to_person:
            is_handoff = decision.reason in HandoffReason.values
            put_in_queue(
                self.journal,
                conversation,
                people=self.people,
                team_id=decision.team_id,
                packet=Packet(reason=decision.reason) if is_handoff else None,
                actor=actor,
            )
            return False
        if conversation.handled_by != HandledBy.BOT:
            team_id = decision.team_id
            moves = team_id is not None and team_id != conversation.team_id
            set_owner(
                self.journal,
                conversation,
                handled_by=HandledBy.BOT,
                team=self.people.teams.get(team_id or 0) if moves else None,
                actor=actor,
            )
        return True


def _for_router(conversation: Conversation) -> bool:
    return conversation.handled_by in (HandledBy.BOT, HandledBy.NOBODY)


def _request(item: PostedMessage) -> AnswerRequest:
    return AnswerRequest(conversation=item.conversation, message=item.message, seq=item.seq)
