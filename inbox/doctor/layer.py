"""Does the channel layer carry a frame from here to here, and will it still in ten seconds?"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings

from inbox.conf import inbox_settings
from inbox.ports import Finding

TITLE = "Channel layer"
ROUND_TRIP_SECONDS = 5.0


def check_layer() -> Iterator[Finding]:
    """A round trip through the layer, and the traps of its configuration."""
    alias = inbox_settings.CHANNEL_LAYER
    layer = get_channel_layer(alias)
    if layer is None:
        yield Finding(
            ok=False,
            title=TITLE,
            detail=f"CHANNEL_LAYERS has no {alias!r}.",
            fix="Add CHANNEL_LAYERS to the settings; see “Into an existing project”.",
        )
        return
    try:
        async_to_sync(_round_trip)(layer)
    except Exception as error:
        yield Finding(
            ok=False,
            title=TITLE,
            detail=f"No frame came back: {type(error).__name__} {error}".strip(),
            fix="Start Redis, or correct the address in CHANNEL_LAYERS.",
        )
        return
    if isinstance(layer, InMemoryChannelLayer):
        note = "in memory: right for one process, wrong for several."
        yield Finding(ok=True, title=TITLE, detail=note)
    else:
        yield Finding(ok=True, title=TITLE, detail=f"{type(layer).__name__} carries frames.")
    yield from check_idle_timeout(alias)


async def _round_trip(layer: Any) -> None:
    """Send one frame to a group that only we are in, and receive it."""
    group = f"frontdesk.doctor.{uuid.uuid4().hex}"
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    try:
        async with asyncio.timeout(ROUND_TRIP_SECONDS):
            await layer.group_send(group, {"type": "doctor"})
            await layer.receive(channel)
    finally:
        await layer.group_discard(group, channel)
        if hasattr(layer, "close_pools"):
            await layer.close_pools()


def check_idle_timeout(alias: str) -> Iterator[Finding]:
    """redis-py 8 stops reading after 5 s of silence, just as long as the core layer waits."""
    configured = settings.CHANNEL_LAYERS[alias]
    if not configured["BACKEND"].startswith("channels_redis.core"):
        return
    if int(version("redis").split(".")[0]) < 8:
        return
    hosts = configured.get("CONFIG", {}).get("hosts", [])
    bare = [host for host in hosts if not _waits_long_enough(host)] or not hosts
    yield Finding(
        ok=not bare,
        title="Redis read timeout",
        detail="Idle sockets die after 5 s." if bare else "Longer than the layer waits.",
        fix='Write each host as {"address": "redis://…", "socket_timeout": 15}.',
    )


def _waits_long_enough(host: Any) -> bool:
    if not isinstance(host, dict) or "socket_timeout" not in host:
        return False
    return host["socket_timeout"] is None or host["socket_timeout"] > 5
