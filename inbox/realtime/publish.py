"""The only door from a committed change to its readers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal

from inbox.realtime.batches import Batch, Control, Ephemeral
from inbox.realtime.bus import send_from_outside

if TYPE_CHECKING:
    from inbox.realtime.hub import Hub

logger = logging.getLogger("frontdesk.publish")

_hub: Hub | None = None


def attach_hub(hub: Hub | None) -> None:
    """Make ``hub`` the one that serves this process's sockets."""
    global _hub
    _hub = hub


def attached_hub() -> Hub | None:
    """The hub of this process, if it serves sockets and its loop still runs."""
    if _hub is not None and _hub.loop.is_closed():
        return None
    return _hub


def publish(batch: Batch) -> None:
    """Send what was committed to readers here and in other processes; from any thread.

    It never raises: the truth is stored, and readers that miss this find it by themselves.
    """
    hub = attached_hub()
    try:
        if hub is None:
            _publish_without_sockets(batch)
        elif _on_loop(hub.loop):
            hub.publish(batch)
        else:
            hub.loop.call_soon_threadsafe(hub.publish, batch)
    except Exception:
        logger.exception("publishing failed; readers will find the events by polling")


def publish_ephemeral(
    conversation_id: Any,
    frame: dict[str, Any],
    *,
    audience: Literal["visitor", "operator", "both"] = "both",
    ownership: int | None = None,
    operator_frame: dict[str, Any] | None = None,
) -> None:
    """Send a frame without number to whoever reads the conversation now."""
    ephemeral = Ephemeral(
        conversation_id=str(conversation_id),
        frame=frame,
        audience=audience,
        ownership=ownership,
        operator_frame=operator_frame,
    )
    publish(Batch(ephemerals=[ephemeral]))


def publish_control(
    kind: Literal["visitor", "operator", "epoch"], *, id: int = 0, close_code: int = 0
) -> None:
    """Tell every process that sockets of a visitor or operator must be looked at again."""
    publish(Batch(controls=[Control(kind=kind, id=id, close_code=close_code)]))


def _on_loop(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _publish_without_sockets(batch: Batch) -> None:
    """From a process without sockets (a command, a WSGI view): over the bus alone."""
    send_from_outside(batch)
