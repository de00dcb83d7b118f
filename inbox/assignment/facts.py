"""Gathers what the router needs from the database, for a whole batch at once."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.utils.module_loading import import_string

from inbox.assignment.people import People
from inbox.assignment.router import Route, RoutingFacts, decide
from inbox.assignment.wishes import asks_for_person
from inbox.conf import inbox_settings
from inbox.models import Conversation, HandledBy
from inbox.ports import responders

logger = logging.getLogger("frontdesk.routing")


def gather(
    conversations: Iterable[Conversation],
    texts: Mapping[uuid.UUID, Sequence[str]],
    *,
    wants_person: Collection[uuid.UUID] = (),
    cause: str = "",
    load_people: Callable[[], People] = People.load,
) -> dict[uuid.UUID, RoutingFacts]:
    """Facts by conversation. Teams and presence are read only when a person may answer.

    Args:
        conversations: rows with their visitor loaded.
        texts: per conversation the visitor's unanswered words, the newest first.
        wants_person: conversations in which the visitor pressed the button.
        cause: why the bot cannot go on with all of these, or empty.
        load_people: reads who is there; called at most once, and only when it matters.
    """
    conversations = list(conversations)
    keywords = tuple(inbox_settings.HUMAN_KEYWORDS)
    people_first = inbox_settings.PEOPLE_FIRST
    bots = {key: bot_is_available(key) for key in {c.bot_key for c in conversations}}

    def person_may_answer(conversation: Conversation) -> bool:
        said = texts.get(conversation.id, ())
        return (
            bool(cause)
            or people_first != "nobody"
            or conversation.id in wants_person
            or not bots[conversation.bot_key]
            or any(asks_for_person(text, keywords) for text in said)
        )

    people = load_people() if any(map(person_may_answer, conversations)) else None
    return {
        conversation.id: RoutingFacts(
            texts=tuple(texts.get(conversation.id, ())),
            wants_person=conversation.id in wants_person,
            cause=cause,
            bot_available=bots[conversation.bot_key],
            verified=conversation.visitor.verified,
            is_new=conversation.handled_by == HandledBy.NOBODY,
            team_id=conversation.team_id,
            teams=people.team_facts() if people else (),
            people=people.count(None) if people else 0,
            people_first=people_first,
            human_keywords=keywords,
        )
        for conversation in conversations
    }


def bot_is_available(bot_key: str) -> bool:
    """Whether somebody who is not a person would answer under this key."""
    return bool(bot_key) and any(responder.is_available(bot_key) for responder in responders())


def choose(facts: RoutingFacts) -> Route:
    """Ask the router that the settings name; one that fails must not cost a message."""
    try:
        route = import_string(inbox_settings.ROUTER)(facts)
        if isinstance(route, Route) and route.handled_by in (HandledBy.BOT, HandledBy.QUEUE):
            return route
        logger.error("INBOX_ROUTER answered with something that is no route to bot or queue")
    except Exception:
        logger.exception("INBOX_ROUTER failed; the built-in router decides")
    return decide(facts)
