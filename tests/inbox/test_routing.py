"""The router's table, and routing of posted messages on the database."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from inbox.actions.posting import Draft, VisitorSender, post, post_batch
from inbox.assignment.router import Route, RoutingFacts, TeamFacts, decide
from inbox.models import Conversation, Team, Visitor
from inbox.testing import (
    make_conversation,
    make_opening_hours,
    make_operator,
    make_team,
    make_visitor,
    transcript,
    visitor_events,
)

SUPPORT = TeamFacts(id=1, keywords=("broken", "return"), people=1)
SALES = TeamFacts(id=2, keywords=("price", "offer"), people=1)


def facts(text: str = "Where is my order?", **fields: Any) -> RoutingFacts:
    defaults: dict[str, Any] = {
        "texts": (text,),
        "bot_available": True,
        "teams": (SUPPORT, SALES),
        "people": 2,
    }
    return RoutingFacts(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("given", "handled_by", "team_id", "reason"),
    [
        (facts(), "bot", None, "bot"),
        (facts(team_id=1), "bot", 1, "bot"),
        (facts("What is the price?", team_id=1), "bot", 1, "bot"),
        # no bot: people, by keyword or by the widget's team
        (facts(bot_available=False), "queue", None, "no_bot"),
        (facts(bot_available=False, team_id=1), "queue", 1, "no_bot"),
        (facts("an OFFER please", bot_available=False, team_id=1), "queue", 2, "no_bot"),
        (facts("offers", bot_available=False, team_id=1), "queue", 1, "no_bot"),
        # asked: by button, by words, by configured words
        (facts(wants_person=True), "queue", None, "button"),
        (facts("I want to talk to a human"), "queue", None, "rule"),
        (facts("Ich möchte mit einem Menschen sprechen"), "queue", None, "rule"),
        (facts("un conseiller", human_keywords=("conseiller",)), "queue", None, "rule"),
        (facts("I want to talk to a human about the price"), "queue", 2, "rule"),
        # the newest words that name a subject pick the team
        (facts(wants_person=True, texts=("hello?", "broken", "price")), "queue", 1, "button"),
        # only the newest words ask for a person
        (facts(texts=("And when?", "I want to talk to a human")), "bot", None, "bot"),
        # the bot cannot go on
        (facts(cause="failure"), "queue", None, "failure"),
        (facts(cause="limit", team_id=2), "queue", 2, "limit"),
        (facts(cause="tool", wants_person=True), "queue", None, "tool"),
        # visitor kind
        (facts(people_first="verified"), "bot", None, "bot"),
        (facts(people_first="verified", verified=True), "queue", None, "people_first"),
        (facts(people_first="everyone"), "queue", None, "people_first"),
        (facts(people_first="everyone", is_new=False), "bot", None, "bot"),
        (facts(people_first="everyone", people=0), "bot", None, "bot"),
        # opening hours and presence of the team
        (
            facts(people_first="everyone", team_id=1, teams=(TeamFacts(id=1, people=0),)),
            "bot",
            1,
            "bot",
        ),
        (
            facts(
                people_first="everyone", team_id=1, teams=(TeamFacts(id=1, open=False, people=3),)
            ),
            "bot",
            1,
            "bot",
        ),
        (facts(people_first="everyone", team_id=9), "queue", 9, "people_first"),
        (RoutingFacts(), "queue", None, "no_bot"),
        (RoutingFacts(bot_available=True), "bot", None, "bot"),
    ],
)
def test_decision_table(
    given: RoutingFacts, handled_by: str, team_id: int | None, reason: str
) -> None:
    route = decide(given)
    assert (route.handled_by, route.team_id, route.reason) == (handled_by, team_id, reason)
    assert route.to_person == (handled_by == "queue")


@pytest.mark.parametrize(
    ("teams", "own", "expected"),
    [
        ((SUPPORT, TeamFacts(id=3, keywords=("return",), people=2)), None, 1),
        ((TeamFacts(id=3, keywords=("return",)), SUPPORT), None, 1),
        (
            (
                TeamFacts(id=3, keywords=("return",), open=False),
                TeamFacts(id=4, keywords=("return",)),
            ),
            None,
            4,
        ),
        ((SUPPORT, TeamFacts(id=3, keywords=("return",), people=2)), 3, 3),
    ],
)
def test_of_two_matching_teams_the_one_that_can_answer_wins(
    teams: tuple[TeamFacts, ...], own: int | None, expected: int
) -> None:
    route = decide(facts("a return", wants_person=True, teams=teams, team_id=own))
    assert route.team_id == expected


# --- posted messages, on the database -----------------------------------------------------------


def say(visitor: Visitor, content: str, *, bot_key: str = "robbie", **sender: Any) -> Conversation:
    posted = post(
        Draft(
            sender=VisitorSender(visitor_id=visitor.pk, bot_key=bot_key, **sender),
            conversation_id=visitor.session_id,
            client_id=uuid.uuid4().hex,
            content=content,
        )
    )
    return Conversation.objects.get(pk=posted.conversation_id)


def lines_told(conversation: Conversation) -> list[str]:
    return [content for role, content in transcript(conversation) if role == "system"]


@pytest.fixture
def vera() -> Visitor:
    return make_visitor("Vera", language="en")


@pytest.mark.django_db(transaction=True)
class TestPostedMessages:
    def test_first_words_go_to_the_bot(self, vera, robbie):
        conversation = say(vera, "Where is my order?")
        assert (conversation.handled_by, conversation.ownership) == ("bot", 1)
        (asked,) = robbie.asked
        assert asked.message.content == "Where is my order?"
        assert asked.seq == 1
        assert asked.conversation.ownership == conversation.ownership
        assert robbie.woken == 1
        assert [event.kind for event in visitor_events(conversation)] == ["message", "conversation"]

    def test_later_words_go_to_the_bot_without_a_new_owner(self, vera, robbie):
        say(vera, "Where is my order?")
        conversation = say(vera, "It is number 7")
        assert conversation.ownership == 1
        assert [request.seq for request in robbie.asked] == [1, 3]

    def test_a_wish_for_a_person_queues_with_a_packet(self, vera, robbie):
        say(vera, "Where is my order?")
        conversation = say(vera, "I want to talk to a human")
        assert conversation.handled_by == "queue"
        assert len(robbie.asked) == 1
        packet = conversation.handoffs.get()
        assert packet.reason == "rule"
        assert packet.question == "Where is my order?"
        assert packet.language == "en"
        assert "Where is my order?" in packet.suggested_reply
        assert "Vera: I want to talk to a human" in packet.summary
        event = conversation.events.get(seq=packet.seq)
        assert (event.kind, event.payload["handled_by"]) == ("conversation", "queue")

    def test_without_a_bot_people_answer(self, vera, robbie):
        robbie.keys.clear()
        conversation = say(vera, "Hello")
        assert conversation.handled_by == "queue"
        assert conversation.handoffs.count() == 0
        assert lines_told(conversation) == [
            "Nobody is available right now. Your message is kept; "
            "we answer you here as soon as somebody is back."
        ]

    def test_a_widget_without_a_bot_goes_to_people(self, vera, robbie):
        assert say(vera, "Hello", bot_key="").handled_by == "queue"

    def test_keywords_choose_the_team_of_the_queue(self, vera, robbie):
        sales = make_team("Sales", keywords="price, offer")
        support = make_team("Support")
        conversation = say(vera, "talk to a human about the price", team_id=support.pk)
        assert conversation.team == sales

    def test_visitor_is_told_when_the_team_opens(self, robbie, settings):
        hans = make_visitor("Hans", language="de")
        team = make_team("Support", time_zone="Europe/Berlin")
        make_opening_hours(team, weekdays=[0], opens="09:00", closes="09:01")
        with time_machine.travel("2026-06-03T12:00:00Z", tick=True):
            conversation = say(hans, "Ich möchte mit einem Menschen sprechen", team_id=team.pk)
        (line,) = lines_told(conversation)
        assert "Montag" in line
        assert "09:00" in line

    def test_two_messages_of_one_batch_follow_each_other(self, vera, robbie):
        sender = VisitorSender(visitor_id=vera.pk, bot_key="robbie")
        drafts = [
            Draft(
                sender=sender,
                conversation_id=vera.session_id,
                client_id=uuid.uuid4().hex,
                content=content,
            )
            for content in ("Where is my order?", "human please", "hello?")
        ]
        post_batch(drafts)
        conversation = Conversation.objects.get(pk=vera.session_id)
        assert conversation.handled_by == "queue"
        assert robbie.asked == []
        assert len(lines_told(conversation)) == 1

    def test_an_operator_who_is_here_keeps_the_conversation(self, vera, robbie):
        olga = make_operator(available=True)
        make_conversation(vera, operator=olga, bot_key="robbie")
        conversation = say(vera, "I want to talk to a human")
        assert conversation.operator == olga
        assert robbie.asked == []

    def test_an_operator_who_is_away_but_here_keeps_the_conversation(self, vera):
        olga = make_operator(available=False, last_seen_at=timezone.now())
        make_conversation(vera, operator=olga)
        assert say(vera, "And now?").operator == olga

    def test_words_to_an_operator_who_is_gone_queue_again(self, vera, robbie):
        olga = make_operator(last_seen_at=timezone.now() - dt.timedelta(seconds=61))
        make_conversation(vera, operator=olga, bot_key="robbie")
        conversation = say(vera, "Are you there?")
        assert (conversation.handled_by, conversation.operator) == ("queue", None)
        assert conversation.last_operator == olga
        assert lines_told(conversation)[0].startswith("Nobody is available")

    def test_words_to_a_deleted_operator_queue_again(self, vera):
        olga = make_operator(available=True)
        make_conversation(vera, operator=olga)
        olga.delete()
        assert say(vera, "Hello?").handled_by == "queue"

    def test_words_wake_what_was_snoozed(self, vera):
        olga = make_operator(available=True)
        later = timezone.now() + dt.timedelta(days=1)
        make_conversation(vera, operator=olga, status="snoozed", snoozed_until=later)
        conversation = say(vera, "One more thing")
        assert (conversation.status, conversation.snoozed_until) == ("open", None)
        assert conversation.operator == olga
        assert [event.kind for event in visitor_events(conversation)] == ["message"]

    def test_words_in_the_queue_stay_in_the_queue(self, vera, robbie):
        before = make_conversation(vera, handled_by="queue", bot_key="robbie")
        conversation = say(vera, "Hello?")
        assert conversation.handled_by == "queue"
        assert conversation.queued_at == before.queued_at
        assert robbie.asked == []

    def test_people_first_needs_somebody_present(self, vera, robbie, settings):
        settings.INBOX_PEOPLE_FIRST = "everyone"
        assert say(vera, "Hello").handled_by == "bot"
        make_operator(available=True)
        assert say(make_visitor(), "Hello").handled_by == "operator"

    def test_a_host_s_own_router_decides(self, vera, robbie, settings):
        team = make_team("Vips")
        settings.INBOX_ROUTER = f"{__name__}.to_vips"
        conversation = say(vera, "Hello")
        assert (conversation.handled_by, conversation.team) == ("bot", team)

    @pytest.mark.parametrize("router", ["broken", "senseless"])
    def test_a_router_that_fails_costs_no_message(self, vera, robbie, settings, router):
        settings.INBOX_ROUTER = f"{__name__}.{router}"
        assert say(vera, "Hello").handled_by == "bot"

    def test_a_bot_that_was_switched_off_hands_over(self, vera, robbie):
        say(vera, "Hello")
        robbie.keys.clear()
        conversation = say(vera, "Hello?")
        assert conversation.handled_by == "queue"
        assert conversation.ownership == 2


def to_vips(facts: RoutingFacts) -> Route:
    return Route(handled_by="bot", team_id=Team.objects.get().pk, reason="vip")


def broken(facts: RoutingFacts) -> Route:
    raise ValueError("no idea")


def senseless(facts: RoutingFacts) -> Any:
    return Route(handled_by="operator", team_id=None, reason="")
