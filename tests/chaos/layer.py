"""Channel layers that lose a part of what is sent; everything else is the real Redis."""

from __future__ import annotations

import os
import random
from typing import Any

from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

LOSS = float(os.environ.get("LAYER_LOSS", "0"))
"""Which part of all sends gets lost, 0 to 1."""

dice = random.Random(os.environ.get("LAYER_SEED"))


def is_lost() -> bool:
    return dice.random() < LOSS


class LossyCoreLayer(RedisChannelLayer):
    """Loses sends to groups, silently, as the layer's interface allows."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if not is_lost():
            await super().group_send(group, message)


class LossyPubSubLayer(RedisPubSubChannelLayer):
    """The same on Redis's publish and subscribe."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if not is_lost():
            await self._get_layer().group_send(group, message)
