"""The one ASGI application of the reference project: pages by HTTP, conversations by socket."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

# Loads the apps, so it comes before the routes, which import models.
django_application = get_asgi_application()

from chatwidget.routing import websocket_urlpatterns
from config.proxies import ForwardedScheme
from inbox.serving.collector import settle

application = ForwardedScheme(
    ProtocolTypeRouter({"http": django_application, "websocket": URLRouter(websocket_urlpatterns)}),
    trusted=settings.INBOX_TRUSTED_PROXIES,
)

# `frontdesk serve` does it too; this is for uvicorn.
settle()
