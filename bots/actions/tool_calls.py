"""Tool calls as rows: written before they run, their results kept for later attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from bots.actions.leases import Claim, held
from bots.backends.base import ToolCall as Call
from bots.models import ToolCall, ToolCallStatus
from inbox.database import retrying


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that the model asks for."""

    call: Call
    side_effect: bool


@retrying
def record_round(
    claim: Claim, calls: Sequence[Wanted], *, number: int, said: str
) -> list[ToolCall] | None:
    """Store one round of calls and the text said before it, in one transaction.

    Returns:
        The rows in order, or None when the claim is lost.
    """
    with transaction.atomic():
        if not held(claim).update(said=said, checkpoint=said):
            return None
        rows = [
            ToolCall(
                turn_id=claim.turn_id,
                round=number,
                position=position,
                call_id=wanted.call.call_id,
                name=wanted.call.name,
                arguments=wanted.call.arguments,
                side_effect=wanted.side_effect,
            )
            for position, wanted in enumerate(calls)
        ]
        ToolCall.objects.bulk_create(rows)
    return rows


@retrying
def begin_call(claim: Claim, row: ToolCall) -> bool:
    """Mark a call as begun, right before its function is entered.

    Returns:
        False when the claim is lost, or when a call that changes something began before: its
        first run may have done its work.
    """
    startable = [ToolCallStatus.REQUESTED]
    if not row.side_effect:
        startable.append(ToolCallStatus.RUNNING)
    with transaction.atomic():
        # The turn's row is held until the call's is marked: a claim in between would run it too.
        if not held(claim).select_for_update(of=("self",)).exists():
            return False
        begun = ToolCall.objects.filter(pk=row.pk, status__in=startable).update(
            status=ToolCallStatus.RUNNING, began_at=Now()
        )
    return bool(begun)


@retrying
def end_call(claim: Claim, row: ToolCall, *, result: str, code: str) -> bool:
    """Store what a call brought. False when the claim is lost; the result is kept even so,
    for whoever continues."""
    status = ToolCallStatus.DONE if code == "ok" else ToolCallStatus.FAILED
    ToolCall.objects.filter(pk=row.pk, status=ToolCallStatus.RUNNING).update(
        status=status, result=result, code=code, finished_at=Now()
    )
    return held(claim).exists()
