"""Seats: the operator's row of an account that works in the inbox."""

from __future__ import annotations

from typing import Any

from inbox.actions.presence import touch
from inbox.models import Operator


def take_seat(user: Any) -> Operator:
    """The operator's row of an account, made the first time it acts in the inbox.

    An administrator who answers once needs a name for it, but not a place in the queue: the
    new row is away. Acting is a sign of life, also for who works without the page. The caller
    has checked the permission.
    """
    operator, _created = Operator.objects.select_related("user").get_or_create(user=user)
    touch(operator_id=operator.pk)
    user._frontdesk_operator = operator
    return operator


def set_sound(*, operator: Operator, sound: bool) -> Operator:
    """Whether this operator's page rings."""
    operator.sound = sound
    operator.save(update_fields=["sound"])
    return operator
