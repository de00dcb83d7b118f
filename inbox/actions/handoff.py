"""From the bot to a person and back: state changes with a packet, never words of the bot."""

from __future__ import annotations

import uuid

from django.db import transaction

from inbox.actions.answering import bot_may_write
from inbox.actions.beginning import begin, new_conversation
from inbox.actions.guards import refuse_closed
from inbox.actions.journal import Journal
from inbox.actions.ownership import set_owner
from inbox.actions.queueing import back_in_line, is_abandoned, put_in_queue, wake_up
from inbox.assignment import lines
from inbox.assignment.facts import bot_is_available, choose, gather
from inbox.assignment.packet import Packet, said_so_far, unanswered_words
from inbox.assignment.people import People
from inbox.assignment.queue import drain_soon
from inbox.assignment.wishes import asks_for_person
from inbox.conf import inbox_settings
from inbox.database import retrying
from inbox.errors import RefusedError, TryAgainError, not_found
from inbox.models import (
    Conversation,
    Event,
    EventKind,
    HandledBy,
    HandoffReason,
    Role,
    Status,
    Visitor,
)
from inbox.ports import AnswerRequest, responders


def _request_human(
    *,
    conversation_id: uuid.UUID,
    visitor_id: int | None = None,
    bot_key: str = "",
    team_id: int | None = None,
) -> Conversation:
    """A visitor asks for a person with the button.

    Args:
        conversation_id: the conversation on the visitor's screen.
        visitor_id: whose it must be; with it, a conversation that does not exist yet or has
            ended gives way to the visitor's next one, which begins with this wish.
        bot_key, team_id: what the widget gives a conversation that begins here.

    Returns:
        The conversation that waits now; its id differs from the one asked for when that
        had ended. Unchanged when a person is at it already.

    Raises:
        InboxError: ``not_found``, ``blocked``.
    """
    with transaction.atomic():
        if visitor_id is not None:
            conversation_id = _current(conversation_id, visitor_id, bot_key, team_id)
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        refuse_closed(conversation)
        actor = f"visitor:{conversation.visitor_id}"
        if conversation.handled_by in (HandledBy.BOT, HandledBy.NOBODY):
            hand_to_person(journal, conversation, Packet(reason=HandoffReason.BUTTON), actor=actor)
        elif is_abandoned(conversation, journal):
            back_in_line(journal, conversation, actor=actor)
        journal.write()
    return conversation


request_human = retrying(_request_human)


def _request_bot(*, conversation_id: uuid.UUID) -> Conversation:
    """A visitor who waits goes back to the bot; what is still unanswered is asked again.

    Raises:
        InboxError: ``not_found``, ``conversation_closed``, ``no_bot``, and ``taken`` when a
            person answers already.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal[conversation_id]
        if conversation.handled_by == HandledBy.OPERATOR:
            raise RefusedError("taken", status=409)
        give_to_bot(journal, conversation, actor=f"visitor:{conversation.visitor_id}")
    return conversation


request_bot = retrying(_request_bot)


def _hand_off(*, conversation_id: uuid.UUID, ownership: int, packet: Packet) -> bool:
    """The bot gives the conversation to a person: by tool, rule, failure or limit.

    Its running answer ends as ``handed_over`` with the text that was shown.

    Args:
        ownership: the number under which the bot works; another one writes nothing.
        packet: its empty fields are filled from the conversation.

    Returns:
        Whether it was handed over; False when a person or the visitor was faster.
    """
    with transaction.atomic():
        journal = Journal.lock([conversation_id])
        conversation = journal.conversations.get(conversation_id)
        if conversation is None or not bot_may_write(conversation, ownership):
            return False
        hand_to_person(journal, conversation, packet, actor=f"bot:{conversation.bot_key}")
        journal.write()
    return True


hand_off = retrying(_hand_off)


def hand_to_person(
    journal: Journal, conversation: Conversation, packet: Packet, *, actor: str = ""
) -> None:
    """Queue a locked conversation with a packet, for the team that its words ask for.

    For callers that hold the journal; they call ``journal.write()`` themselves.
    """
    people = People.load(journal.now)
    words = unanswered_words(said_so_far(conversation, journal))
    texts = {conversation.id: words}
    facts = gather([conversation], texts, cause=packet.reason, load_people=lambda: people)
    put_in_queue(
        journal,
        conversation,
        people=people,
        team_id=choose(facts[conversation.id]).team_id,
        packet=packet,
        actor=actor,
    )


def give_to_bot(journal: Journal, conversation: Conversation, *, actor: str) -> None:
    """Give a locked conversation to its bot and write the journal; raises ``no_bot``.

    The visitor's last words are asked again if nobody answered them, unless they ask for a
    person: the bot would only hand them over once more.
    """
    refuse_closed(conversation)
    if conversation.status == Status.SNOOZED:
        wake_up(journal, conversation, actor=actor)
    if conversation.handled_by == HandledBy.BOT:
        journal.write()
        return
    if not bot_is_available(conversation.bot_key):
        raise RefusedError("no_bot", status=409)
    set_owner(journal, conversation, handled_by=HandledBy.BOT, actor=actor)
    journal.add_system_line(conversation, lines.bot_again(conversation))
    request = _open_request(conversation)
    if request is None:
        conversation.waiting_since = None
    journal.write()
    if request is not None:
        ask_bot([request])
    drain_soon()


def reroute(journal: Journal, conversation: Conversation, *, actor: str) -> None:
    """Let the router decide about a locked conversation that nobody answers; write it."""
    people = People.load(journal.now)
    facts = gather([conversation], {}, load_people=lambda: people)[conversation.id]
    decision = choose(facts)
    if decision.to_person:
        put_in_queue(journal, conversation, people=people, team_id=decision.team_id, actor=actor)
    else:
        set_owner(journal, conversation, handled_by=HandledBy.BOT, actor=actor)
    journal.write()


def ask_bot(requests: list[AnswerRequest]) -> None:
    """Record work for the bots inside this transaction; messages must be stored already.

    The caller has found that somebody answers these: with one responder that is the one.
    """
    everybody = responders()
    for responder in everybody:
        keys = {request.conversation.bot_key for request in requests}
        if len(everybody) == 1:
            own_keys = keys
        else:
            own_keys = {key for key in keys if responder.is_available(key)}
        own = [request for request in requests if request.conversation.bot_key in own_keys]
        if own:
            responder.respond(own)
            transaction.on_commit(responder.wake)
        requests = [r for r in requests if r.conversation.bot_key not in own_keys]


def _open_request(conversation: Conversation) -> AnswerRequest | None:
    if conversation.waiting_since is None:
        return None
    last = (
        Event.objects.filter(
            conversation=conversation, kind=EventKind.MESSAGE, visitor_seq__isnull=False
        )
        .exclude(message__role=Role.SYSTEM)
        .select_related("message")
        .order_by("-seq")
        .first()
    )
    if last is None or last.message is None or last.message.role != Role.USER:
        return None
    if asks_for_person(last.message.content, inbox_settings.HUMAN_KEYWORDS):
        return None
    return AnswerRequest(conversation=conversation, message=last.message, seq=last.seq)


def _current(
    conversation_id: uuid.UUID, visitor_id: int, bot_key: str, team_id: int | None
) -> uuid.UUID:
    """The conversation that this wish is for; begun if it does not exist yet."""
    visitor = Visitor.objects.filter(pk=visitor_id, merged_into=None).first()
    if visitor is None:
        raise not_found()
    if visitor.blocked_at is not None:
        raise RefusedError("blocked", status=403)
    if visitor.conversations.exclude(status=Status.CLOSED).filter(pk=conversation_id).exists():
        return conversation_id
    if not Conversation.objects.filter(pk=visitor.session_id).exists() and not begin(
        [new_conversation(visitor, bot_key=bot_key, team_id=team_id)]
    ):
        # The pointer moved meanwhile; the next attempt sees where to.
        raise TryAgainError
    return visitor.session_id
