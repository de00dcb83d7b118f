"""Answers for machines: alive, ready, and what there is to count."""

from __future__ import annotations

from collections.abc import Iterable

from channels.layers import get_channel_layer
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from inbox.conf import inbox_settings
from inbox.models import Conversation, Operator
from inbox.runner import current_runner


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether this process can do its work: 200, or 503 with what is missing."""
    findings = {"database": _database(), "layer": _layer(), "runner": _runner()}
    ready = all(state in ("ok", "off") for state in findings.values())
    return JsonResponse({"ready": ready, **findings}, status=200 if ready else 503)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text of this process, with the queue as the database has it."""
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


class QueueCollector(Collector):
    """The queue at the moment of the scrape, the same from every process."""

    def collect(self) -> Iterable[Metric]:
        try:
            waiting = Conversation.objects.queued()
            oldest = waiting.values_list("queued_at", flat=True).first()
            length = waiting.count()
            present = Operator.objects.present(
                timezone.now(), inbox_settings.PRESENCE_LEASE_SECONDS
            ).count()
        except DatabaseError:
            return []
        wait = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        return [
            GaugeMetricFamily("frontdesk_queue_length", "Waiting for a person", value=length),
            GaugeMetricFamily("frontdesk_queue_oldest_seconds", "Longest wait", value=wait),
            GaugeMetricFamily("frontdesk_operators_present", "Available operators", value=present),
        ]

    def describe(self) -> Iterable[Metric]:
        # Without it the registry would ask the database when this module is imported.
        return []


REGISTRY.register(QueueCollector())


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _runner() -> str:
    if not inbox_settings.RUNNER:
        return "off"
    runner = current_runner()
    # The first socket or request of a process starts it, unless ``frontdesk serve`` did.
    return "stuck" if runner is not None and runner.is_stuck() else "ok"


def _layer() -> str:
    return "ok" if get_channel_layer(inbox_settings.CHANNEL_LAYER) is not None else "not configured"
