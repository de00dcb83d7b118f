"""Claims on turns: who works on one, for how long, and proof that it is still theirs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, PositiveIntegerField, When
from django.db.models.functions import Now

from bots.conf import bots_settings
from bots.models import Turn, TurnStatus
from bots.models.turn import TurnQuerySet
from inbox.database import retrying


@dataclass(frozen=True, slots=True)
class Claim:
    """Proof of a claim: every write of a worker carries it."""

    turn_id: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A sign of life of one running turn; ``text`` None means that nothing was added."""

    claim: Claim
    text: str | None = None
    sources: list[dict[str, Any]] | None = None


def claim(
    limit: int,
    *,
    grace: dt.timedelta = dt.timedelta(),
    turn_id: int | None = None,
    conversation_id: uuid.UUID | None = None,
) -> list[Turn]:
    """Lease due turns, the longest due first; orphans begin a new attempt.

    Args:
        limit: how many at most.
        grace: how long waiting turns are left to somebody else.
        turn_id, conversation_id: only this turn, only of this conversation.
    """
    due = Turn.objects.due(grace=grace).order_by("next_at", "id")
    if turn_id is not None:
        due = due.filter(pk=turn_id)
    if conversation_id is not None:
        due = due.filter(conversation_id=conversation_id)
    if not connection.features.has_select_for_update_skip_locked and not due.exists():
        # Mostly there is nothing: on SQLite a look must not begin a write transaction.
        return []
    return _claim(due, limit)


@retrying
def _claim(due: TurnQuerySet, limit: int) -> list[Turn]:
    with transaction.atomic():
        # What another process claims in this moment is theirs.
        rows = due.select_related("bot").select_for_update(of=("self",), skip_locked=True)
        turns = list(rows[:limit])
        if turns:
            Turn.objects.filter(pk__in=[turn.pk for turn in turns]).update(
                status=TurnStatus.RUNNING,
                revision=Case(
                    When(status=TurnStatus.RUNNING, then=F("revision") + 1),
                    default=F("revision"),
                    output_field=PositiveIntegerField(),
                ),
                fence=F("fence") + 1,
                attempt=F("attempt") + 1,
                lease_until=lease_end(),
            )
    for turn in turns:
        turn.revision += turn.status == TurnStatus.RUNNING
        turn.status = TurnStatus.RUNNING
        turn.fence += 1
        turn.attempt += 1
    return turns


def claim_of(turn: Turn) -> Claim:
    """The proof that belongs to a row which ``claim`` returned."""
    return Claim(turn.pk, turn.fence)


def held(claim: Claim) -> TurnQuerySet:
    """The turn while this claim is good and its conversation has the same owner; else nothing."""
    rows: TurnQuerySet = Turn.objects.held(claim.turn_id, claim.fence).owned()
    return rows


def lease_end() -> Any:
    """When a lease that begins now ends, by the database's clock."""
    return Now() + dt.timedelta(seconds=bots_settings.LEASE_SECONDS)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What came of a renewal. Claims in neither set are held by somebody's transaction now."""

    kept: frozenset[Claim]
    lost: frozenset[Claim]


@retrying
def renew(beats: Iterable[Beat]) -> Renewed:
    """Extend leases and store checkpoints, all of a process in one transaction.

    A row that somebody holds right now is left out: most likely a take-over is ending it, and
    nobody else's lease may wait for that.

    Returns:
        Which claims are good for another lease, and which are lost: their work stops at once.
    """
    by_id = {beat.claim.turn_id: beat for beat in beats}
    with transaction.atomic():
        rows = Turn.objects.filter(pk__in=by_id, status=TurnStatus.RUNNING).owned()
        alive = _locked_fences(rows)
        ours = {pk for pk, fence in alive.items() if by_id[pk].claim.fence == fence}
        silent = {pk for pk in ours if not _news(by_id[pk])}
        Turn.objects.filter(pk__in=silent).update(lease_until=lease_end())
        # One write for a row: for a second one PostgreSQL checks all its foreign keys again.
        for pk in sorted(ours - silent):
            Turn.objects.filter(pk=pk).update(lease_until=lease_end(), **_news(by_id[pk]))
        missing = by_id.keys() - ours
        fences = dict(rows.filter(pk__in=missing).values_list("pk", "fence")) if missing else {}
    lost = {pk for pk in missing if fences.get(pk) != by_id[pk].claim.fence}
    return Renewed(
        kept=frozenset(by_id[pk].claim for pk in ours),
        lost=frozenset(by_id[pk].claim for pk in lost),
    )


def _locked_fences(rows: TurnQuerySet) -> dict[int, int]:
    locked = rows.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    return dict(locked.values_list("pk", "fence"))


def _news(beat: Beat) -> dict[str, Any]:
    """What a sign of life brings beside the lease."""
    news: dict[str, Any] = {}
    if beat.text is not None:
        news["checkpoint"] = beat.text
    if beat.sources is not None:
        news["sources"] = beat.sources
    return news


@retrying
def begin_again(claim: Claim, *, shown: str, trace: dict[str, Any]) -> int | None:
    """Begin a further attempt in the same process.

    Args:
        shown: what readers see of the attempt that failed; it stays true until the next one
            shows something.

    Returns:
        The new revision, or None when the claim is lost.
    """
    updated = held(claim).update(
        revision=F("revision") + 1,
        attempt=F("attempt") + 1,
        checkpoint=shown,
        trace=trace,
        lease_until=lease_end(),
    )
    if not updated:
        return None
    revision: int = Turn.objects.values_list("revision", flat=True).get(pk=claim.turn_id)
    return revision


def release(claim: Claim) -> None:
    """Give the turn to whoever looks next: this process is stopping."""
    held(claim).update(lease_until=Now())
