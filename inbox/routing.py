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
        self._application = application
        # The layers of the stack would look at the session again with every frame that is sent,
        # so they run only until they have found it.
        self._sign_in: Any = AuthMiddlewareStack(_scope_of)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket."""
        try:
            signed_in = await self._sign_in(scope, receive, send)
        except Error:
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": int(CloseCode.OVERLOADED)})
            return
        await self._application(signed_in, receive, send)


async def _scope_of(scope: Any, _receive: Any, _send: Any) -> Any:
    return scope


# Channels routes sockets with Django's path(), whose types know views only.
_operators: Any = SignedIn(OperatorConsumer.as_asgi())

websocket_urlpatterns = [path("ws/inbox/", _operators)]
