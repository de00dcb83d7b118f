"""Hand-off to a person and back: one transition, one packet, one true line."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from inbox.actions.handoff import hand_off, request_bot, request_human
from inbox.assignment.packet import Packet
from inbox.errors import InboxError
from inbox.models import Conversation
from inbox.testing import (
    make_conversation,
    make_message,
    make_note,
    make_operator,
    make_team,
    make_visitor,
    transcript,
    visitor_events,
)

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def refusal(action, **arguments) -> InboxError:
    with pytest.raises(InboxError) as refused:
        action(**arguments)
    return refused.value


@pytest.fixture
def with_robbie(robbie):
    """Vera's conversation, in which the bot has answered once."""
    conversation = make_conversation(
        make_visitor("Vera"), handled_by="bot", bot_key="robbie", language="en"
    )
    make_message(conversation, "Where is order 7?", author_name="Vera")
    make_message(conversation, "It left on Monday.", role="assistant", author_name="Robbie")
    return conversation


# --- the button ---------------------------------------------------------------------------------


def test_the_button_queues_with_a_packet_and_one_line(with_robbie):
    waiting = request_human(conversation_id=with_robbie.id)
    assert waiting.handled_by == "queue"
    assert waiting.ownership == with_robbie.ownership + 1
    assert waiting.waiting_since is not None
    packet = waiting.handoffs.get()
    assert packet.reason == "button"
    assert packet.question == "Where is order 7?"
    assert packet.tried == "- It left on Monday."
    assert packet.summary == "Vera: Where is order 7?\nRobbie: It left on Monday."
    assert packet.language == "en"
    assert packet.suggested_reply == (
        "Hello, I have read your question: “Where is order 7?”. I am looking into it now."
    )
    assert [role for role, _ in transcript(waiting)] == ["user", "assistant", "system"]


def test_the_button_pressed_twice_is_one_wish(with_robbie):
    request_human(conversation_id=with_robbie.id)
    request_human(conversation_id=with_robbie.id)
    assert fresh(with_robbie).handoffs.count() == 1
    assert len(transcript(with_robbie)) == 3


def test_the_button_reaches_a_present_operator_at_once(with_robbie):
    olga = make_operator("Olga", available=True)
    request_human(conversation_id=with_robbie.id)
    assert fresh(with_robbie).operator == olga
    assert [content for role, content in transcript(with_robbie) if role == "system"] == [
        "You are in the queue. A person will answer you here.",
        "Olga has joined.",
    ]


def test_the_button_cuts_the_answer_and_the_packet_knows_what_was_shown(with_robbie, robbie):
    robbie.begin_answer(with_robbie, "Let me also tell you")
    request_human(conversation_id=with_robbie.id)
    assert robbie.outcomes == ["handed_over"]
    assert "Let me also tell you" in fresh(with_robbie).handoffs.get().tried
    assert [event.kind for event in visitor_events(with_robbie)][-3:] == [
        "message",
        "conversation",
        "message",
    ]
    assert transcript(with_robbie)[-2] == ("assistant", "Let me also tell you")


def test_the_button_before_the_first_word_begins_the_conversation(robbie):
    team = make_team("Support")
    vera = make_visitor("Vera", language="de")
    waiting = request_human(
        conversation_id=vera.session_id, visitor_id=vera.pk, bot_key="robbie", team_id=team.pk
    )
    assert waiting.id == vera.session_id
    assert (waiting.handled_by, waiting.team, waiting.bot_key) == ("queue", team, "robbie")
    packet = waiting.handoffs.get()
    assert (packet.question, packet.language) == ("", "de")


def test_the_button_on_an_ended_conversation_begins_the_next_one(robbie):
    vera = make_visitor()
    ended = make_conversation(vera, status="closed")
    waiting = request_human(conversation_id=ended.id, visitor_id=vera.pk)
    assert waiting.id == vera.session_id != ended.id
    assert fresh(ended).head == 0


def test_the_button_on_an_older_open_conversation_works_there(robbie):
    vera = make_visitor()
    older = make_conversation(vera, handled_by="bot")
    make_conversation(vera, handled_by="bot")
    assert request_human(conversation_id=older.id, visitor_id=vera.pk).id == older.id


def test_the_button_does_not_reach_other_people_s_conversations(robbie):
    vera, other = make_visitor(), make_conversation(handled_by="bot")
    waiting = request_human(conversation_id=other.id, visitor_id=vera.pk)
    assert waiting.id == vera.session_id
    assert fresh(other).handled_by == "bot"


def test_a_blocked_visitor_may_not_ask(robbie):
    vera = make_visitor(blocked_at=timezone.now())
    error = refusal(request_human, conversation_id=vera.session_id, visitor_id=vera.pk)
    assert (error.code, error.status) == ("blocked", 403)
    assert Conversation.objects.count() == 0


@pytest.mark.parametrize("known", [True, False])
def test_asking_in_nobody_s_name_is_not_found(known):
    visitor_id = 999 if known else None
    error = refusal(request_human, conversation_id=uuid.uuid4(), visitor_id=visitor_id)
    assert error.code == "not_found"


def test_asking_in_a_closed_conversation_without_a_visitor_is_refused():
    conversation = make_conversation(status="closed")
    assert refusal(request_human, conversation_id=conversation.id).code == "conversation_closed"


def test_asking_while_a_person_answers_changes_nothing():
    olga = make_operator("Olga", available=True)
    conversation = make_conversation(operator=olga)
    assert request_human(conversation_id=conversation.id).head == 0


def test_asking_when_that_person_is_gone_queues_again():
    olga = make_operator("Olga", last_seen_at=timezone.now() - dt.timedelta(minutes=5))
    conversation = make_conversation(operator=olga)
    assert request_human(conversation_id=conversation.id).handled_by == "queue"


# --- back to the bot ----------------------------------------------------------------------------


def test_who_waits_may_go_back_to_the_bot(with_robbie, robbie):
    request_human(conversation_id=with_robbie.id)
    back = request_bot(conversation_id=with_robbie.id)
    assert (back.handled_by, back.waiting_since, back.queued_at) == ("bot", None, None)
    assert transcript(back)[-1] == (
        "system",
        "The assistant answers again. You can ask for a person at any time.",
    )
    assert robbie.asked == []


def test_what_was_asked_while_waiting_is_asked_of_the_bot(with_robbie, robbie):
    request_human(conversation_id=with_robbie.id)
    make_message(with_robbie, "Or can I return it?")
    request_bot(conversation_id=with_robbie.id)
    (asked,) = robbie.asked
    assert asked.message.content == "Or can I return it?"
    assert asked.conversation.ownership == fresh(with_robbie).ownership
    assert robbie.woken == 1


def test_going_back_needs_a_bot(with_robbie, robbie):
    request_human(conversation_id=with_robbie.id)
    robbie.keys.clear()
    assert refusal(request_bot, conversation_id=with_robbie.id).code == "no_bot"
    assert fresh(with_robbie).handled_by == "queue"


def test_nobody_is_sent_away_from_a_person(robbie):
    olga = make_operator("Olga", available=True)
    conversation = make_conversation(operator=olga, bot_key="robbie")
    error = refusal(request_bot, conversation_id=conversation.id)
    assert (error.code, error.status) == ("taken", 409)


def test_going_back_in_a_closed_conversation_is_refused(robbie):
    conversation = make_conversation(status="closed", bot_key="robbie")
    assert refusal(request_bot, conversation_id=conversation.id).code == "conversation_closed"


# --- by the bot ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["tool", "rule", "failure", "limit"])
def test_the_bot_hands_off_with_its_own_words(with_robbie, robbie, reason):
    robbie.begin_answer(with_robbie, "I will ask a colleague.")
    packet = Packet(reason=reason, summary="Order 7 is late", question="Where is it?")
    assert hand_off(conversation_id=with_robbie.id, ownership=with_robbie.ownership, packet=packet)
    waiting = fresh(with_robbie)
    assert waiting.handled_by == "queue"
    stored = waiting.handoffs.get()
    assert (stored.reason, stored.summary, stored.question) == (
        reason,
        "Order 7 is late",
        "Where is it?",
    )
    assert "It left on Monday." in stored.tried
    assert robbie.outcomes == ["handed_over"]
    answer = waiting.messages.get(content="I will ask a colleague.")
    assert answer.outcome == "handed_over"


def test_a_late_hand_off_writes_nothing(with_robbie):
    packet = Packet(reason="tool")
    late = {"conversation_id": with_robbie.id, "ownership": with_robbie.ownership - 1}
    assert not hand_off(**late, packet=packet)
    assert not hand_off(conversation_id=uuid.uuid4(), ownership=1, packet=packet)
    assert fresh(with_robbie).handoffs.count() == 0


def test_a_hand_off_after_a_person_took_over_writes_nothing(with_robbie):
    olga = make_operator("Olga")
    Conversation.objects.filter(pk=with_robbie.pk).update(handled_by="operator", operator=olga)
    assert not hand_off(
        conversation_id=with_robbie.id,
        ownership=with_robbie.ownership,
        packet=Packet(reason="tool"),
    )


def test_a_hand_off_goes_to_the_team_of_the_question(with_robbie):
    shipping = make_team("Shipping", keywords="order")
    hand_off(
        conversation_id=with_robbie.id,
        ownership=with_robbie.ownership,
        packet=Packet(reason="failure"),
    )
    assert fresh(with_robbie).team == shipping


def test_a_hand_off_ends_a_snooze(with_robbie):
    later = timezone.now() + dt.timedelta(hours=1)
    Conversation.objects.filter(pk=with_robbie.pk).update(status="snoozed", snoozed_until=later)
    hand_off(
        conversation_id=with_robbie.id,
        ownership=with_robbie.ownership,
        packet=Packet(reason="tool"),
    )
    assert fresh(with_robbie).status == "open"


def test_a_packet_quotes_no_private_note(with_robbie):
    make_note(with_robbie, "He is difficult", make_operator("Olga"))
    request_human(conversation_id=with_robbie.id)
    packet = fresh(with_robbie).handoffs.get()
    assert "difficult" not in packet.summary + packet.tried + packet.question


def test_lines_are_in_the_visitor_s_language(robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie", language="de-AT")
    make_message(conversation, "Wo ist meine Bestellung?")
    request_human(conversation_id=conversation.id)
    (line,) = [content for role, content in transcript(conversation) if role == "system"]
    assert line.startswith("Im Moment ist niemand da.")
    packet = fresh(conversation).handoffs.get()
    assert packet.suggested_reply.startswith("Hallo, ich habe Ihre Frage gelesen")


def test_an_unknown_language_gets_the_site_s_own(robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie", language="xx-!!")
    request_human(conversation_id=conversation.id)
    (line,) = [content for role, content in transcript(conversation) if role == "system"]
    assert line.startswith("Nobody is available")
