"""The tutorial's consumer: everybody of a conversation is in one group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import SyncToAsync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from benchmarks.references.tutorial.models import Conversation, Message

in_database: Callable[..., SyncToAsync[Any, Any]] = partial(
    database_sync_to_async, thread_sensitive=settings.THREAD_SENSITIVE
)


class ChatConsumer(AsyncJsonWebsocketConsumer):
    """`/ws/chat/NAME/`; `?since=N` asks for the messages after the one with that id."""

    async def connect(self) -> None:
        self.name = self.scope["url_route"]["kwargs"]["name"]
        self.group = f"chat_{self.name}"
        self.tasks: set[asyncio.Task[None]] = set()
        self.conversation = await in_database(find_conversation)(self.name)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send_json({"type": "connected", "session_id": self.name})
        since = parse_qs(self.scope["query_string"].decode()).get("since")
        if since:
            for event in await in_database(history)(self.conversation, int(since[0])):
                await self.send_json(event)

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        match content.get("type"):
            case "message":
                await self.on_message(content)
            case "ping":
                await self.send_json({"type": "pong"})
            case "typing":
                await self.tell({"type": "typing", "is_typing": content["is_typing"]})
            case "stream":
                task = asyncio.create_task(self.stream(content["tokens"], content["rate"]))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    async def on_message(self, content: dict[str, Any]) -> None:
        role, text = content.get("role", "user"), content["content"]
        message = await in_database(save)(self.conversation, role, text)
        await self.tell({**event_of(message), "client_id": content.get("client_id")})

    async def stream(self, tokens: int, rate: float) -> None:
        """An answer, each token sent to the group when it comes; a token is the tenth of a
        millisecond of the monotonic clock at which it was due, six digits of it."""
        await self.tell({"type": "response_start"})
        due = time.monotonic()
        parts = []
        for _ in range(tokens):
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            parts.append(f" {int(due * 1e4) % 10**6}")
            await self.tell({"type": "text_delta", "content": parts[-1]})
        message = await in_database(save)(self.conversation, "assistant", "".join(parts))
        await self.tell({"type": "response_end", "id": message.pk, "content": message.content})

    async def tell(self, event: dict[str, Any]) -> None:
        await self.channel_layer.group_send(self.group, {"type": "chat.event", "event": event})

    async def chat_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])


class InboxConsumer(AsyncJsonWebsocketConsumer):
    """`/ws/inbox/`: an operator's page, in the group of every conversation it watches."""

    async def connect(self) -> None:
        self.watched: set[str] = set()
        await self.accept()

    async def disconnect(self, code: int) -> None:
        for name in self.watched:
            await self.channel_layer.group_discard(f"chat_{name}", self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        match content.get("type"):
            case "subscribe":
                name = content["conversation_id"]
                self.watched.add(name)
                await self.channel_layer.group_add(f"chat_{name}", self.channel_name)
            case "ping":
                await self.send_json({"type": "pong"})

    async def chat_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])


def find_conversation(name: str) -> Conversation:
    return Conversation.objects.get_or_create(name=name)[0]


def save(conversation: Conversation, role: str, content: str) -> Message:
    return Message.objects.create(conversation=conversation, role=role, content=content)


def history(conversation: Conversation, since: int) -> list[dict[str, Any]]:
    rows = Message.objects.filter(conversation=conversation, id__gt=since).order_by("id")
    return [event_of(row) for row in rows]


def event_of(message: Message) -> dict[str, Any]:
    return {
        "type": "message",
        "id": message.pk,
        "role": message.role,
        "content": message.content,
        "timestamp": message.created_at.isoformat(),
    }
