"""The operator's socket: events come over it, commands go over HTTP.

A door: it checks login and page, follows conversations that the account may see, and forwards
what the hub and the lookout tell. It decides nothing about conversations.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.utils import timezone, translation

from inbox import fragments, queries
from inbox.actions import presence
from inbox.actions.operators import take_seat
from inbox.conf import inbox_settings
from inbox.database import in_thread
from inbox.errors import CloseCode, InboxError, RefusedError, not_found
from inbox.frames import CLIENT_FRAMES, Ping, Presence, Subscribe, Typing, Unsubscribe
from inbox.handshake import is_own_page, request_of
from inbox.lookout import Lookout, get_lookout
from inbox.models import Conversation, Installation, Operator
from inbox.realtime.batches import Change
from inbox.realtime.hub import get_hub
from inbox.realtime.publish import publish_ephemeral
from inbox.realtime.reader import Reader, Sink
from inbox.realtime.records import timestamp
from inbox.realtime.socket import LeanConsumer
from inbox.realtime.wire import decode
from inbox.sight import BLIND, Login, Sight, load_sights, login_of

MAX_SUBSCRIPTIONS = 500
DURABLE = ('{"type":"message"', '{"type":"message_updated"', '{"type":"conversation"')


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subscription begins with."""

    head: int
    ownership: int
    reads: dict[str, int]


class FragmentSink:
    """Adds to each durable frame the rendered piece that the page puts on screen."""

    def __init__(self, consumer: OperatorConsumer) -> None:
        self._consumer = consumer

    @property
    def congested(self) -> bool:
        """Whether stream deltas should be left out for now."""
        return self._consumer.congested

    def send(self, text: str) -> None:
        """Forward a frame, then its piece."""
        self._consumer.send(text)
        if text.startswith(DURABLE):
            for piece in fragments.thread_fragments(json.loads(text), self._consumer.language):
                self._consumer.send_frame(piece)


class OperatorConsumer(LeanConsumer):
    """One page of one operator."""

    side: ClassVar[str] = "operator"
    frames_per_window: ClassVar[int] = 1000

    login: Login
    sight: Sight = BLIND
    operator_id: int = 0
    author: dict[str, Any]
    language: str = ""
    wants_rows: bool = False
    lookout: Lookout | None = None

    async def enter(self) -> None:
        """Check page and login, join the lookout, say ``connected``."""
        self.readers: dict[str, Reader] = {}
        self.epoch = ""
        if not is_own_page(request_of(self.scope)):
            await self.refuse(CloseCode.ORIGIN)
            return
        if not self.scope["user"].is_authenticated:
            await self.refuse(CloseCode.UNAUTHORIZED)
            return
        self.login = login_of(self.scope)
        try:
            self.sight = (await in_thread(load_sights, [self.login]))[self.login]
            if self.sight.works:
                await self._begin()
            else:
                await self.refuse(CloseCode.UNAUTHORIZED)
        except DatabaseError:
            await self.refuse(CloseCode.OVERLOADED)

    async def _begin(self) -> None:
        self._read_wishes()
        operator, self.epoch = await in_thread(_take_place, self.scope["user"])
        self.operator_id = operator.pk
        self.author = {"id": operator.pk, "name": operator.name}
        await self.accept()
        self.available = operator.available
        self.gain()
        self.lookout = get_lookout(get_hub())
        await self.lookout.join(self)

    def _read_wishes(self) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        wanted = (query.get("language") or [""])[0]
        known = dict(settings.LANGUAGES)
        self.language = wanted if wanted in known else settings.LANGUAGE_CODE
        self.wants_rows = query.get("html") == ["1"]
        # For as long as this socket's task lives: refusals speak the operator's language.
        translation.activate(self.language)

    async def on_frame(self, text: str) -> None:
        """One frame; what it asks for is done before the next one is read."""
        frame = decode(text, CLIENT_FRAMES)
        if self.lookout is None:
            return
        match frame:
            case Ping():
                self.send_frame({"type": "pong"})
            case Subscribe():
                await self._subscribe(frame)
            case Unsubscribe():
                self._unsubscribe(str(frame.conversation_id))
            case Typing():
                await self._tell_typing(frame)
            case Presence():
                await in_thread(_set_available, self.operator_id, frame.available)
                self.available = frame.available

    async def _subscribe(self, frame: Subscribe) -> None:
        key = str(frame.conversation_id)
        if key not in self.readers and len(self.readers) >= MAX_SUBSCRIPTIONS:
            raise RefusedError("too_large", field="conversation_id", status=413)
        standing = await in_thread(self._standing, frame.conversation_id)
        since = frame.since
        if since > standing.head:
            self.send_frame({"type": "reset", "reason": "ahead", "conversation_id": key})
            since = standing.head
        sink: Sink = FragmentSink(self) if frame.html else self
        old = self.readers.get(key)
        reader = Reader(conversation_id=key, audience="operator", sink=sink, since=since)
        self.readers[key] = reader
        # The new reader comes before the old one goes: the hub keeps whose turn it is as long
        # as somebody reads.
        get_hub().subscribe(reader, ownership=standing.ownership)
        if old is not None:
            get_hub().unsubscribe(old)
        for role, seq in standing.reads.items():
            reader.send({"type": "read", "role": role, "upto": seq})

    def _standing(self, conversation_id: uuid.UUID) -> Standing:
        # The rights may have changed since the handshake: ask for them anew.
        user = get_user_model()._default_manager.filter(pk=self.login.user_id).first()
        rows = Conversation.objects.visible_to(user or AnonymousUser())
        found = rows.filter(pk=conversation_id).first()
        if found is None:
            raise not_found()
        return Standing(found.head, found.ownership, queries.reads(found))

    def _unsubscribe(self, key: str) -> None:
        reader = self.readers.pop(key, None)
        if reader is not None:
            get_hub().unsubscribe(reader)

    async def _tell_typing(self, frame: Typing) -> None:
        key = str(frame.conversation_id)
        if key not in self.readers:
            await in_thread(self._standing, frame.conversation_id)
        body = {"type": "typing", "role": "operator", "is_typing": frame.is_typing}
        publish_ephemeral(key, {**body, "author": self.author})

    # What the lookout calls

    def tell(self, change: Change) -> None:
        """A conversation in sight changed."""
        self.send_frame(change.summary)
        if self.wants_rows:
            self.send_frame(fragments.row_fragment(change.summary, self.language))

    def lose(self, conversation_id: str) -> None:
        """A conversation went out of sight: not one more frame of it."""
        self._unsubscribe(conversation_id)
        self.send_frame({"type": "gone", "conversation_id": conversation_id})

    def gain(self) -> None:
        """Say where we are; after it the page asks for its lists."""
        self.send_frame(
            {
                "type": "connected",
                "epoch": self.epoch,
                "operator": {**self.author, "available": self.available},
                "heartbeat_seconds": inbox_settings.HEARTBEAT_SECONDS,
                "limits": {
                    "max_frame_bytes": inbox_settings.MAX_FRAME_BYTES,
                    "max_message_chars": inbox_settings.MAX_MESSAGE_CHARS,
                    "max_subscriptions": MAX_SUBSCRIPTIONS,
                },
                "timestamp": timestamp(timezone.now()),
            }
        )

    def expel(self) -> None:
        """The account may no longer be here."""
        self.close_soon(CloseCode.UNAUTHORIZED)

    # What the base asks

    async def leave(self) -> None:
        """Unregister."""
        if self.lookout is not None:
            self.lookout.leave(self)
        for key in list(getattr(self, "readers", {})):
            self._unsubscribe(key)

    def heartbeat(self) -> dict[str, Any]:
        """The epoch, and how far each followed conversation has come."""
        topics = get_hub().topics
        heads = {
            key: max(reader.cursor, topics[key].head if key in topics else 0)
            for key, reader in self.readers.items()
        }
        return {"type": "heartbeat", "epoch": self.epoch, "heads": heads}

    def error_context(self, event: dict[str, Any]) -> dict[str, Any]:
        """Nothing of a broken frame is repeated."""
        return {}


def _take_place(user: Any) -> tuple[Operator, str]:
    return take_seat(user), Installation.objects.current_epoch()


def _set_available(operator_id: int, available: bool) -> None:  # noqa: FBT001 -- called by position in a thread
    operator = Operator.objects.filter(pk=operator_id).first()
    if operator is None:
        raise InboxError("not_found", status=404)
    presence.set_available(operator=operator, available=available)
