"""The core's socket addresses."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.db import Error
from django.urls import path

from inbox.consumers import OperatorConsumer
from inbox.errors import CloseCode


class SignedIn:
    """Finds the session and its user before the application runs.

    Both are rows: while the database is away the socket is closed with 4013, so that the page
    comes back; Channels alone would end it with 1011.
    """

    def __init__(self, application: Any) -> None:
        # Typed for both generations of ASGI applications; this one is of the third.
        self._application: Any = AuthMiddlewareStack(application)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket."""
        answered = False

        async def noting(event: Any) -> None:
            nonlocal answered
            answered = True
            await send(event)

        try:
            await self._application(scope, receive, noting)
        except Error:
            if answered:
                raise
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": int(CloseCode.OVERLOADED)})


# Channels routes sockets with Django's path(), whose types know views only.
_operators: Any = SignedIn(OperatorConsumer.as_asgi())

websocket_urlpatterns = [path("ws/inbox/", _operators)]
