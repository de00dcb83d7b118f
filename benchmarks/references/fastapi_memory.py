"""The chat server of a FastAPI tutorial, with a person at the other end. It keeps lists in memory.

A `ConnectionManager` knows the sockets by session and every event is one `send_json`: the visitor's
typing sign goes on, the message goes to the operator, the sign goes off. A streamed answer is one
event per token, shown to the visitor and to the operators who watch. Nothing is checked, stored or
repeated.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

Event = dict[str, Any]
Store = Callable[[str, Event], Awaitable[None]]


class ConnectionManager:
    """Who is connected, and which conversations the operators watch."""

    def __init__(self) -> None:
        self.visitors: dict[str, WebSocket] = {}
        self.watchers: defaultdict[str, set[WebSocket]] = defaultdict(set)

    async def to_visitor(self, session_id: str, event: Event) -> None:
        socket = self.visitors.get(session_id)
        if socket is not None:
            await socket.send_json(event)

    async def to_operators(self, session_id: str, event: Event) -> None:
        for socket in tuple(self.watchers[session_id]):
            await socket.send_json({**event, "conversation_id": session_id})


class Chat:
    """The endpoints around one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.manager = ConnectionManager()

    async def visitor(self, socket: WebSocket, session_id: str) -> None:
        await socket.accept()
        self.manager.visitors[session_id] = socket
        await socket.send_json({"type": "connected", "session_id": session_id})
        answers: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self.on_frame(session_id, await socket.receive_json(), answers)
        except WebSocketDisconnect:
            self.manager.visitors.pop(session_id, None)
            for answer in answers:
                answer.cancel()

    async def on_frame(
        self, session_id: str, frame: Event, answers: set[asyncio.Task[None]]
    ) -> None:
        match frame.get("type"):
            case "message":
                await self.on_message(session_id, frame)
            case "ping":
                await self.manager.to_visitor(session_id, {"type": "pong"})
            case "stream":
                answer = self.stream(session_id, frame["tokens"], frame["rate"])
                task = asyncio.create_task(answer)
                answers.add(task)
                task.add_done_callback(answers.discard)

    async def on_message(self, session_id: str, frame: Event) -> None:
        content = frame.get("content", "").strip()
        if not content:
            return
        # Three events for each message, as the tutorial's endpoint sends them around its answer.
        await self.manager.to_visitor(session_id, {"type": "typing", "status": True})
        message = new_message("user", content)
        await self.store(session_id, message)
        event = {"type": "message", "client_id": frame.get("client_id"), **message}
        await self.manager.to_operators(session_id, event)
        await self.manager.to_visitor(session_id, {"type": "typing", "status": False})

    async def stream(self, session_id: str, tokens: int, rate: float) -> None:
        """An answer at a known rate; a token is the tenth of a millisecond of the monotonic clock
        at which it was due, six digits of it."""
        await self.tell(session_id, {"type": "response_start"})
        due, parts = time.monotonic(), []
        for _ in range(tokens):
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            parts.append(f" {int(due * 1e4) % 10**6}")
            await self.tell(session_id, {"type": "text_delta", "content": parts[-1]})
        message = new_message("assistant", "".join(parts))
        await self.store(session_id, message)
        end = {"type": "response_end", "full_content": message["content"]}
        await self.tell(session_id, end)

    async def tell(self, session_id: str, event: Event) -> None:
        await self.manager.to_visitor(session_id, event)
        await self.manager.to_operators(session_id, event)

    async def operator(self, socket: WebSocket) -> None:
        await socket.accept()
        watched: set[str] = set()
        await socket.send_json({"type": "connected"})
        try:
            while True:
                frame = await socket.receive_json()
                if frame.get("type") == "subscribe":
                    watched.add(frame["conversation_id"])
                    self.manager.watchers[frame["conversation_id"]].add(socket)
                elif frame.get("type") == "ping":
                    await socket.send_json({"type": "pong"})
        except WebSocketDisconnect:
            for session_id in watched:
                self.manager.watchers[session_id].discard(socket)


def new_message(role: str, content: str) -> Event:
    moment = datetime.now(UTC).isoformat()
    return {"id": str(uuid.uuid4()), "role": role, "content": content, "timestamp": moment}


def make_app(store: Store, **options: Any) -> FastAPI:
    """`/ws/chat/NAME` is a visitor, `/ws/inbox` an operator."""
    app, chat = FastAPI(**options), Chat(store)

    @app.websocket("/ws/chat/{session_id}")
    async def visitor(socket: WebSocket, session_id: str) -> None:
        await chat.visitor(socket, session_id)

    @app.websocket("/ws/inbox")
    async def operator(socket: WebSocket) -> None:
        await chat.operator(socket)

    return app


conversations: defaultdict[str, list[Event]] = defaultdict(list)


async def remember(session_id: str, message: Event) -> None:
    conversations[session_id].append(message)


app = make_app(remember)
