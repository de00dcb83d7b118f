"""What forms of the operators' page do, with and without its script."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from inbox import queries
from inbox.actions import presence, reading, tags, transitions, visitors
from inbox.actions.operators import take_seat
from inbox.actions.posting import Draft, OperatorSender, post
from inbox.errors import RefusedError, not_found
from inbox.models import Conversation, Operator, Team
from inbox.views.access import for_operators

Command = Callable[[Conversation, Operator, QueryDict, str], Any]


def run_command(request: HttpRequest, conversation: Conversation) -> None:
    """Do what the form asks for; raises ``InboxError`` with a text for people."""
    name, _, value = request.POST.get("action", "").partition(":")
    command = COMMANDS.get(name)
    if command is None:
        raise RefusedError("invalid_field", field="action")
    command(conversation, take_seat(request.user), request.POST, value)


@require_POST
@for_operators
def set_presence(request: HttpRequest) -> HttpResponse:
    """The switch of the page's corner."""
    presence.set_available(
        operator=take_seat(request.user), available=request.POST.get("available") == "1"
    )
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("inbox:index")
    return redirect(target)


def _write(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    client_id = form.get("client_id", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", client_id):
        raise RefusedError("invalid_field", field="client_id")
    expected = form.get("expected_seq", "")
    post(
        Draft(
            sender=OperatorSender(operator_id=operator.pk),
            conversation_id=conversation.pk,
            client_id=client_id,
            # Browsers send line breaks of a textarea as CR LF.
            content=form.get("content", "").replace("\r\n", "\n"),
            kind="note" if form.get("kind") == "note" else "reply",
            expected_seq=int(expected) if expected.isascii() and expected.isdigit() else None,
        )
    )
    head = Conversation.objects.values_list("head", flat=True).get(pk=conversation.pk)
    reading.mark_read(conversation_id=conversation.pk, operator=operator, seq=head)


def _take(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    transitions.take(conversation_id=conversation.pk, operator=operator, force=value == "force")


def _close(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    transitions.close(conversation_id=conversation.pk, operator=operator)


def _reopen(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    transitions.reopen(conversation_id=conversation.pk, operator=operator)


def _hand_back(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    transitions.hand_back(conversation_id=conversation.pk, operator=operator)


def _snooze(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    until = _moment(value or form.get("until", ""))
    transitions.snooze(conversation_id=conversation.pk, operator=operator, until=until)


def _transfer(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    kind, _, key = form.get("to", "").partition(":")
    if not key.isascii() or not key.isdigit():
        raise RefusedError("invalid_field", field="to")
    team = Team.objects.filter(pk=key).first() if kind == "team" else None
    colleague = queries.colleagues().filter(pk=key).first() if kind == "operator" else None
    if team is None and colleague is None:
        raise not_found()
    transitions.transfer(
        conversation_id=conversation.pk,
        operator=operator,
        to_team=team,
        to_operator=colleague,
        comment=form.get("comment", ""),
    )


def _tag(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    tags.add_tag(conversation_id=conversation.pk, name=form.get("tag", ""))


def _untag(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    tags.remove_tag(conversation_id=conversation.pk, tag_id=int(value) if value.isdigit() else 0)


def _block(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    visitors.block(visitor_id=conversation.visitor_id)


def _unblock(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    visitors.unblock(visitor_id=conversation.visitor_id)


def _revoke(conversation: Conversation, operator: Operator, form: QueryDict, value: str) -> None:
    visitors.revoke(visitor_id=conversation.visitor_id)


COMMANDS: dict[str, Command] = {
    "write": _write,
    "take": _take,
    "close": _close,
    "reopen": _reopen,
    "handback": _hand_back,
    "snooze": _snooze,
    "transfer": _transfer,
    "tag": _tag,
    "untag": _untag,
    "block": _block,
    "unblock": _unblock,
    "revoke": _revoke,
}
"""The ``action`` of a form, up to its colon → what it does."""


def _moment(text: str) -> dt.datetime:
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise RefusedError("invalid_field", field="until")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
