"""Socket addresses, for one ``URLRouter``: the widget's, the inbox's, and a clean no."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from chatwidget.consumers import UnknownPath, WidgetConsumer
from inbox.routing import websocket_urlpatterns as inbox_urlpatterns

# Django's types know only views behind a path; Channels' router puts ASGI applications there.
_widget: Any = WidgetConsumer.as_asgi()
_unknown: Any = UnknownPath.as_asgi()

websocket_urlpatterns = [
    path("ws/chat/<uuid:session_id>/", _widget),
    *inbox_urlpatterns,
    re_path(r"^", _unknown),
]
