"""The reference project's settings with a channel layer that loses sends (`LAYER_LOSS`)."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import CHANNEL_LAYERS

LOSSY = {
    "channels_redis.core.RedisChannelLayer": "tests.chaos.layer.LossyCoreLayer",
    "channels_redis.pubsub.RedisPubSubChannelLayer": "tests.chaos.layer.LossyPubSubLayer",
}
_default = CHANNEL_LAYERS["default"]
CHANNEL_LAYERS = {"default": {**_default, "BACKEND": LOSSY[_default["BACKEND"]]}}
