"""Redeeming tickets: many sockets at once, each ticket once, with what a socket has to know."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from chatwidget.models import UsedTicket, Widget
from chatwidget.standing import Standing, load_standings
from chatwidget.tokens import Ticket
from inbox.database import retrying
from inbox.errors import CloseCode
from inbox.models import Visitor

PRUNE_SECONDS = 60.0
_next_prune = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketUse:
    """A ticket whose signature and age were checked, and the socket's address."""

    ticket: Ticket
    session_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who comes in and where they stand."""

    visitor: Visitor
    widget: Widget
    standing: Standing


class NotAdmitted(Exception):
    """A socket that is closed with ``code`` as soon as it was accepted."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


def _redeem(uses: list[TicketUse]) -> list[Admission | NotAdmitted]:
    """Use up tickets and load what their sockets need, with a constant number of statements.

    The primary key decides between two processes that redeem one ticket at the same moment: the
    loser's transaction is repeated and then finds the winner's row.
    """
    with transaction.atomic():
        fresh = _use_up(uses)
    ids = {use.ticket.visitor for use in uses}
    visitors = {row.public_id: row for row in Visitor.objects.filter(public_id__in=ids)}
    keys = {use.ticket.widget for use in uses}
    widgets = {row.key: row for row in Widget.objects.filter(key__in=keys, enabled=True)}
    standings = load_standings(
        [
            (
                visitors[use.ticket.visitor].pk if use.ticket.visitor in visitors else 0,
                use.session_id,
            )
            for use in uses
        ]
    )
    return [
        _decide(use, visitors.get(use.ticket.visitor), widgets.get(use.ticket.widget), standing)
        if is_fresh
        else NotAdmitted(CloseCode.UNAUTHORIZED)
        for use, is_fresh, standing in zip(uses, fresh, standings, strict=True)
    ]


redeem = retrying(_redeem)


def _decide(
    use: TicketUse, visitor: Visitor | None, widget: Widget | None, standing: Standing
) -> Admission | NotAdmitted:
    if visitor is None or widget is None or visitor.widget_key != widget.key:
        return NotAdmitted(CloseCode.UNAUTHORIZED)
    if visitor.token_epoch != use.ticket.epoch:
        return NotAdmitted(CloseCode.UNAUTHORIZED)
    if visitor.blocked_at is not None:
        return NotAdmitted(CloseCode.BLOCKED)
    if standing.conversation is None and visitor.session_id != use.session_id:
        # Somebody else's conversation, or the pointer moved: /session tells the right one.
        return NotAdmitted(CloseCode.UNAUTHORIZED)
    return Admission(visitor=visitor, widget=widget, standing=standing)


def _use_up(uses: Sequence[TicketUse]) -> list[bool]:
    """Whether each ticket is used here for the first time."""
    _prune()
    used = set(
        UsedTicket.objects.filter(jti__in=[use.ticket.jti for use in uses]).values_list(
            "jti", flat=True
        )
    )
    fresh, rows = [], []
    for use in uses:
        is_fresh = use.ticket.jti not in used
        fresh.append(is_fresh)
        if is_fresh:
            used.add(use.ticket.jti)
            rows.append(UsedTicket(jti=use.ticket.jti, expires_at=use.ticket.expires_at))
    UsedTicket.objects.bulk_create(rows)
    return fresh


def _prune() -> None:
    """Forget tickets that age refuses anyway, once a minute and process."""
    global _next_prune
    if time.monotonic() >= _next_prune:
        _next_prune = time.monotonic() + PRUNE_SECONDS
        UsedTicket.objects.expired(timezone.now()).delete()
