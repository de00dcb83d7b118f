"""What the dashboard asks for is there, and what there is to see is on the dashboard."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.sites import ROOT

pytestmark = pytest.mark.django_db

DASHBOARD = json.loads((ROOT / "docs/monitoring/grafana.json").read_text(encoding="utf-8"))
ISSUED = {
    "frontdesk_sockets",
    "frontdesk_frames_received_total",
    "frontdesk_frames_sent_total",
    "frontdesk_commit_batch_size_bucket",
    "frontdesk_commit_seconds_bucket",
    "frontdesk_queue_length",
    "frontdesk_queue_oldest_seconds",
    "frontdesk_delivery_seconds_bucket",
    "frontdesk_turns_total",
    "frontdesk_first_token_seconds_bucket",
    "frontdesk_layer_errors_total",
    "frontdesk_slow_readers_total",
    "frontdesk_head_poll_catches_total",
}
"""What one must be able to see of a running site."""


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\bfrontdesk_\w+", text))


@pytest.fixture
def exported(client) -> set[str]:
    """Names with their endings, also of those that nothing was counted for yet."""
    lines = client.get("/metrics").content.decode().splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE frontdesk"))
    endings = {"histogram": ("_bucket", "_sum", "_count")}
    return {
        name + ending for name, kind in kinds.items() for ending in endings.get(kind, ("",))
    } - {name for name in kinds if name.endswith("_created")}


def test_every_metric_of_the_dashboard_is_exported(exported):
    asked = {
        name
        for p in DASHBOARD["panels"]
        for t in p.get("targets", ())
        for name in names_in(t["expr"])
    }
    assert asked <= exported
    assert asked >= ISSUED


def test_every_metric_is_on_the_dashboard(exported):
    shown = names_in(json.dumps(DASHBOARD))
    missing = {name for name in exported if not name.endswith(("_sum", "_count"))} - shown
    assert missing == set()


def test_the_guide_speaks_of_metrics_that_exist(exported):
    guides = ("docs/how-to/monitoring.md", "docs/reference/metrics.md")
    for page in guides:
        named = names_in((ROOT / page).read_text(encoding="utf-8"))
        # A page may speak of a histogram as a whole.
        assert {name for name in named if f"{name}_bucket" not in exported} <= exported


def test_panels_have_places_of_their_own():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert len(set(places)) == len(places)
