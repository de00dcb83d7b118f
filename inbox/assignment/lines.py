"""System lines: what a visitor is told about a transition, in the visitor's language.

Every line is the truth at the moment of its transaction; none promises what nobody will do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _

from inbox.assignment.people import People
from inbox.models import Conversation, Operator

P = ParamSpec("P")


def language_of(conversation: Conversation) -> str:
    """A language that Django knows, nearest to the conversation's."""
    try:
        return translation.get_supported_language_variant(conversation.language or "")
    except LookupError:
        return settings.LANGUAGE_CODE


def _localised(
    write: Callable[Concatenate[Conversation, P], str],
) -> Callable[Concatenate[Conversation, P], str]:
    @wraps(write)
    def wrapper(conversation: Conversation, /, *args: P.args, **kwargs: P.kwargs) -> str:
        with translation.override(language_of(conversation)):
            return write(conversation, *args, **kwargs)

    return wrapper


@_localised
def waiting(conversation: Conversation, people: People) -> str:
    """For a conversation that has just gone into the queue."""
    if people.count(conversation.team_id):
        return _("You are in the queue. A person will answer you here.")
    opens_at = people.opens_at(conversation.team_id)
    if opens_at is not None:
        return _(
            "Nobody is available right now. Your message is kept; "
            "we are back %(when)s and answer you here."
        ) % {"when": _moment(opens_at)}
    return _(
        "Nobody is available right now. Your message is kept; "
        "we answer you here as soon as somebody is back."
    )


@_localised
def joined(conversation: Conversation, operator: Operator) -> str:
    """For a conversation that a person answers from now on."""
    return _("%(name)s has joined.") % {"name": operator.name}


@_localised
def will_answer(conversation: Conversation, operator: Operator) -> str:
    """For a conversation that was given to a person who is not at their page now."""
    return _("%(name)s will answer you here.") % {"name": operator.name}


@_localised
def bot_again(conversation: Conversation) -> str:
    """For a conversation that goes back to the bot."""
    return _("The assistant answers again. You can ask for a person at any time.")


@_localised
def suggested_reply(conversation: Conversation, question: str) -> str:
    """A first reply that an operator may send or change; no question gives a shorter one."""
    if not question:
        return _("Hello, I have taken over from the assistant. How can I help?")
    return _("Hello, I have read your question: “%(question)s”. I am looking into it now.") % {
        "question": question
    }


def _moment(moment: dt.datetime) -> str:
    return _("on %(day)s at %(time)s (%(zone)s)") % {
        "day": formats.date_format(moment, "l"),
        "time": formats.time_format(moment, "H:i"),
        "zone": str(moment.tzinfo),
    }
