"""A take-over in one process of an answer that streams from another.

What visitors were shown until then must be what is stored. So the worker is asked to be quiet
before the text is read: its confirmation travels behind its last words, and whoever has heard
it has heard them all.
"""

from __future__ import annotations

import threading

from bots.running.speaking import speaks_here
from inbox.realtime.batches import Batch, Control
from inbox.realtime.bus import shared_layer
from inbox.realtime.publish import attached_hub, publish

HUSH_SECONDS = 1.0
"""Longest wait. A worker that is dead or cut off must not hold up a person."""

_waiting: dict[str, threading.Event] = {}


def hush(turn_key: str) -> bool:
    """Wait until the worker of this turn has said its last word; from a database thread.

    Returns:
        Whether it said so. An answer of this very process needs no question.
    """
    hub = attached_hub()
    if hub is None or speaks_here(turn_key) or shared_layer() is None:
        return False
    heard = _waiting[turn_key] = threading.Event()
    hub.listeners.add(_on_control)
    publish(Batch(controls=[Control(kind="hush", key=turn_key)]))
    try:
        return heard.wait(HUSH_SECONDS)
    finally:
        _waiting.pop(turn_key, None)


def _on_control(control: Control) -> None:
    heard = _waiting.get(control.key) if control.kind == "hushed" else None
    if heard is not None:
        heard.set()
