"""The core's socket addresses."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import path

from inbox.consumers import OperatorConsumer

# Channels routes sockets with Django's path(), whose types know views only.
_operators: Any = AuthMiddlewareStack(OperatorConsumer.as_asgi())

websocket_urlpatterns = [path("ws/inbox/", _operators)]
