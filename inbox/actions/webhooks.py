"""The outbox of webhooks: written with the event, claimed with a lease, ended under a fence."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from inbox.actions.loading import load
from inbox.models import Conversation, Event, EventKind
from inbox.models.webhook import (
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEventType,
    new_secret,
)
from inbox.realtime.records import Record, encode_json, timestamp
from inbox.webhooks.schedule import DISABLE_AFTER, Outcome, next_delay

logger = logging.getLogger("frontdesk.webhooks")

TYPE_OF_KIND = {
    EventKind.MESSAGE.value: WebhookEventType.MESSAGE_CREATED.value,
    EventKind.MESSAGE_UPDATED.value: WebhookEventType.MESSAGE_UPDATED.value,
    EventKind.CONVERSATION.value: WebhookEventType.CONVERSATION_CHANGED.value,
}
LEASE_SECONDS = 60
IN_FLIGHT_PER_ENDPOINT = 4
"""A receiver that stalls holds this many of our requests at most, and nobody else's."""


def write_outbox(events: Iterable[tuple[Conversation, Event, Record]], now: dt.datetime) -> bool:
    """Add one row for each event and interested endpoint, in the event's own transaction."""
    endpoints = load(WebhookEndpoint, [True], by="enabled")
    if not endpoints:
        return False
    rows = [
        WebhookDelivery(
            endpoint=endpoint,
            webhook_id=f"msg_{conversation.id.hex}_{event.seq}",
            event_type=TYPE_OF_KIND[record.kind],
            conversation_id=conversation.id,
            body=body,
            next_at=now,
            created_at=now,
        )
        for conversation, event, record in events
        for body in [_body(conversation, record, now)]
        for endpoint in endpoints
        if endpoint.wants(TYPE_OF_KIND[record.kind], is_note=record.visitor_seq is None)
    ]
    WebhookDelivery.objects.bulk_create(rows)
    return bool(rows)


def _body(conversation: Conversation, record: Record, now: dt.datetime) -> str:
    visitor = conversation.visitor
    data = {
        **record.frame("operator"),
        "visitor": {
            "id": str(visitor.public_id),
            "name": visitor.name,
            "verified": visitor.verified,
            "external_id": visitor.external_id,
        },
    }
    data.pop("type")
    body = {"type": TYPE_OF_KIND[record.kind], "timestamp": timestamp(now), "data": data}
    return encode_json(body).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that this process may try now."""

    id: int
    fence: int
    attempt: int
    webhook_id: str
    body: str
    url: str
    secrets: list[str]


def claim_deliveries(limit: int) -> list[Claim]:
    """Lease due deliveries, a few of each endpoint, so that a dead one delays nobody."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claims: list[Claim] = []
    for endpoint in WebhookEndpoint.objects.filter(enabled=True).order_by("id"):
        pending = WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.PENDING)
        # Told apart by an index: what waits for a dead receiver may be much.
        in_flight = pending.filter(lease_until__gte=now).count()
        room = min(_room(endpoint, in_flight), limit - len(claims))
        if room <= 0:
            continue
        due = pending.filter(free, next_at__lte=now).order_by("next_at", "id")[:room]
        claims += [claim for row in due if (claim := _claim_one(row, endpoint, now, free))]
    return claims


def _room(endpoint: WebhookEndpoint, in_flight: int) -> int:
    most = 1 if endpoint.failing_since else IN_FLIGHT_PER_ENDPOINT
    return most - in_flight


def _claim_one(
    row: WebhookDelivery, endpoint: WebhookEndpoint, now: dt.datetime, free: Q
) -> Claim | None:
    taken = WebhookDelivery.objects.filter(
        free, id=row.pk, fence=row.fence, state=DeliveryState.PENDING
    ).update(
        fence=F("fence") + 1,
        attempt=F("attempt") + 1,
        lease_until=now + dt.timedelta(seconds=LEASE_SECONDS),
    )
    if not taken:
        return None
    return Claim(
        id=row.pk,
        fence=row.fence + 1,
        attempt=row.attempt + 1,
        webhook_id=row.webhook_id,
        body=row.body,
        url=endpoint.url,
        secrets=[endpoint.secret, endpoint.previous_secret],
    )


def finish_attempt(claim: Claim, outcome: Outcome) -> bool:
    """Write down what an attempt came to; False when another claimant was faster."""
    now = timezone.now()
    delay = next_delay(claim.attempt, outcome, jitter=random.random())  # noqa: S311 -- jitter
    state = DeliveryState.PENDING
    if outcome.delivered:
        state = DeliveryState.DELIVERED
    elif delay is None:
        state = DeliveryState.FAILED
    with transaction.atomic():
        written = WebhookDelivery.objects.filter(id=claim.id, fence=claim.fence).update(
            state=state,
            lease_until=None,
            last_status=outcome.status,
            last_error=outcome.error[:200],
            delivered_at=now if outcome.delivered else None,
            next_at=now + dt.timedelta(seconds=delay or 0),
        )
        if written:
            _note_health(claim, outcome, now)
    return bool(written)


def _note_health(claim: Claim, outcome: Outcome, now: dt.datetime) -> None:
    endpoints = WebhookEndpoint.objects.filter(deliveries__id=claim.id)
    if outcome.delivered:
        # Mostly there is nothing to note, and nobody waits for the receiver's row.
        endpoints.filter(failing_since__isnull=False).update(failing_since=None)
        return
    # Not against those who only refer to the row: each event that is written does.
    endpoint = endpoints.select_for_update(of=("self",), no_key=True).get()
    endpoint.failing_since = endpoint.failing_since or now
    if outcome.gone:
        endpoint.enabled, endpoint.disabled_reason = False, "The receiver answered 410 Gone."
    elif now - endpoint.failing_since > DISABLE_AFTER:
        endpoint.enabled = False
        endpoint.disabled_reason = f"Failing since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC."
    if not endpoint.enabled:
        logger.error("webhook endpoint %s was switched off", endpoint.pk)
    endpoint.save(update_fields=["failing_since", "enabled", "disabled_reason"])


def replay(delivery_ids: Iterable[int]) -> int:
    """Send again, as new attempts under the same ``webhook-id``; returns how many."""
    return WebhookDelivery.objects.filter(id__in=list(delivery_ids)).update(
        state=DeliveryState.PENDING,
        attempt=0,
        next_at=timezone.now(),
        lease_until=None,
        fence=F("fence") + 1,
        delivered_at=None,
    )


def rotate_secret(endpoint_id: int) -> None:
    """Give an endpoint a new secret; the old one signs beside it until it is emptied."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_id)
        endpoint.previous_secret = endpoint.secret
        endpoint.secret = new_secret()
        endpoint.save(update_fields=["secret", "previous_secret"])
