"""Counters of delivery for ``/metrics``; Prometheus names, one place."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

sockets = Gauge("frontdesk_sockets", "Open sockets", ["side"])
frames_in = Counter("frontdesk_frames_received", "Client frames", ["side"])
frames_out = Counter("frontdesk_frames_sent", "Server frames", ["side"])
refusals = Counter("frontdesk_refusals", "Refused frames and requests", ["code"])
commit_size = Histogram(
    "frontdesk_commit_batch_size",
    "Messages in one commit",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
commit_seconds = Histogram("frontdesk_commit_seconds", "Time of one commit")
delivery_seconds = Histogram("frontdesk_delivery_seconds", "From commit to readers' sockets")
layer_errors = Counter("frontdesk_layer_errors", "Channel layer failures")
slow_readers = Counter("frontdesk_slow_readers", "Sockets closed for reading too slowly")
poll_catches = Counter("frontdesk_head_poll_catches", "Events found by the head poll")
turns = Counter("frontdesk_turns", "Turns that ended", ["outcome"])
first_token_seconds = Histogram("frontdesk_first_token_seconds", "Until a bot's first token")
