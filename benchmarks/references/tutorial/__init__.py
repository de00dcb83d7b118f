"""A chat as the tutorials of Django Channels build it, the product's yardstick.

One `AsyncJsonWebsocketConsumer`, one `Message.objects.create` per message through
`database_sync_to_async`, one `group_send` per event. It checks nobody and limits nothing.

The environment says what it runs on:

* ``TUTORIAL_DATABASE``: a PostgreSQL URL or the path of a SQLite file.
* ``TUTORIAL_TUNED=1``: what somebody who reads the manuals would set (see `settings`).
* ``TUTORIAL_LAYER``: ``memory``, ``redis`` (the layer that the tutorial names) or ``pubsub``.
* ``REDIS_URL``: for the latter two.

``python -m django migrate --run-syncdb`` makes its tables.
"""

from __future__ import annotations
