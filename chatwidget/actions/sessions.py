"""Opening the chat: which visitor this is, and what is remembered of the page they came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from chatwidget.errors import blocked
from chatwidget.identity import Identity
from chatwidget.limits import GUESTS, SESSIONS, limiter
from chatwidget.tokens import VisitorToken
from inbox.actions.visitors import identify
from inbox.database import retrying
from inbox.errors import rate_limited
from inbox.models import Visitor
from inbox.texts import clip


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody who opened the chat. Page and browser are claims: shown, never trusted."""

    widget_key: str
    identity: Identity | None
    token: VisitorToken | None
    address: str
    language: str
    page_url: str = ""
    page_title: str = ""
    referrer: str = ""
    user_agent: str = ""


def begin_session(arrival: Arrival, count_unread: Callable[[Visitor], int]) -> tuple[Visitor, int]:
    """The visitor, made if nobody knows them, and what they had not read until now.

    Raises:
        InboxError: ``rate_limited``, ``blocked``, ``try_again``.
    """
    guest = _guest_of(arrival)
    _count(arrival, guest)
    visitor = _settle(arrival, guest)
    if visitor.blocked_at is not None:
        raise blocked()
    unread = count_unread(visitor)
    _note_arrival(visitor, arrival)
    return visitor, unread


def _guest_of(arrival: Arrival) -> Visitor | None:
    """The guest of the token, if it is good here.

    A known person's token alone opens nothing: on a shared browser it would show one person's
    history to the next. A token of another widget, a revoked or merged one is nobody's.
    """
    token = arrival.token
    if token is None or token.known or token.widget != arrival.widget_key:
        return None
    return Visitor.objects.filter(
        public_id=token.visitor,
        widget_key=token.widget,
        token_epoch=token.epoch,
        external_id="",
        merged_into=None,
    ).first()


def _count(arrival: Arrival, guest: Visitor | None) -> None:
    if arrival.identity is not None:
        check = (SESSIONS, f"{arrival.widget_key} {arrival.identity.external_id}")
    elif guest is not None:
        check = (SESSIONS, str(guest.pk))
    else:
        check = (GUESTS, arrival.address)
    wait = limiter.hit(check)
    if wait is not None:
        raise rate_limited(wait)


def _settle(arrival: Arrival, guest: Visitor | None) -> Visitor:
    identity = arrival.identity
    if identity is not None:
        return identify(
            widget_key=arrival.widget_key,
            external_id=identity.external_id,
            name=identity.name,
            email=identity.email,
            user_id=identity.user_id,
            guest_id=guest.pk if guest else None,
        )
    return guest or _new_guest(arrival.widget_key)


@retrying
def _new_guest(widget_key: str) -> Visitor:
    return Visitor.objects.create(widget_key=widget_key)


@retrying
def _note_arrival(visitor: Visitor, arrival: Arrival) -> None:
    visitor.language = arrival.language[:16]
    visitor.last_seen_at = timezone.now()
    visitor.user_agent = clip(arrival.user_agent, 300)
    fields = ["language", "last_seen_at", "user_agent"]
    if arrival.page_url:
        visitor.page_url = clip(arrival.page_url, 2000)
        visitor.page_title = clip(arrival.page_title, 300)
        visitor.referrer = clip(arrival.referrer, 2000)
        fields += ["page_url", "page_title", "referrer"]
    visitor.save(update_fields=fields)
