"""The visitor's socket: a door that checks ticket and origin, decodes frames and hands them on."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone, translation

from chatwidget.access import address_of, allows_origin, request_of
from chatwidget.actions.tickets import Admission, NotAdmitted, TicketUse
from chatwidget.admission import admit_socket
from chatwidget.arrivals import Arrivals
from chatwidget.commands import perform
from chatwidget.conf import chatwidget_settings
from chatwidget.frames import (
    CLIENT_FRAMES,
    MessageFrame,
    PingFrame,
    ResumeFrame,
    TypingFrame,
)
from chatwidget.holding import count_held, hold, release
from chatwidget.reading import VisitorReader
from chatwidget.standing import Standing, connected_frame, load_standings, place, reset_reason
from chatwidget.tokens import Ticket, read_ticket
from chatwidget.waiting import queue_frame_of
from chatwidget.writing import Visit, ack_body, post_message, tell_typing
from inbox.database import in_thread
from inbox.errors import CloseCode, InboxError, TryAgainError
from inbox.models import HandledBy
from inbox.realtime.hub import get_hub
from inbox.realtime.socket import LeanConsumer
from inbox.realtime.wire import decode

PROTOCOL = "chat.v1"
TICKET_PREFIX = "ticket."
PONG = '{"type":"pong"}'
TRY_AGAIN = TryAgainError().code
_CLIENT_ID = re.compile(r'"client_id"\s*:\s*"([A-Za-z0-9_-]{1,64})"')


class WidgetConsumer(LeanConsumer):
    """One socket of one visitor, following one conversation."""

    side: ClassVar[str] = "visitor"

    visit: Visit | None = None
    reader: VisitorReader | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket, in the order in which its visitor wrote."""
        self._arrivals = Arrivals(receive)
        await super().__call__(scope, self._arrivals, send)

    async def enter(self) -> None:
        """Redeem the ticket, check the page, register, replay from ``?epoch&since``."""
        offered = self.scope.get("subprotocols", [])
        await self.accept(PROTOCOL if PROTOCOL in offered else None)
        if PROTOCOL not in offered:
            # Who does not speak the protocol has brought no ticket either.
            await self.refuse(CloseCode.UNAUTHORIZED)
            return
        request = request_of(self.scope)
        try:
            admission = await self._admission(offered, request)
        except NotAdmitted as refused:
            await self.refuse(refused.code)
            return
        self._register(admission, request)
        self._begin(admission.standing, request)
        await self._tell_place(admission.standing)

    async def _admission(self, offered: list[str], request: HttpRequest) -> Admission:
        ticket = self._ticket(offered)
        session_id: uuid.UUID = self.scope["url_route"]["kwargs"]["session_id"]
        if ticket is None:
            raise NotAdmitted(CloseCode.UNAUTHORIZED)
        admission = await admit_socket(TicketUse(ticket=ticket, session_id=session_id))
        if not allows_origin(request, admission.widget):
            raise NotAdmitted(CloseCode.ORIGIN)
        if count_held(admission.visitor.pk) >= chatwidget_settings.MAX_SOCKETS:
            raise NotAdmitted(CloseCode.FLOODING)
        return admission

    @staticmethod
    def _ticket(offered: list[str]) -> Ticket | None:
        tickets = [word for word in offered if word.startswith(TICKET_PREFIX)]
        if len(tickets) != 1:
            return None
        return read_ticket(tickets[0].removeprefix(TICKET_PREFIX), timezone.now())

    def _register(self, admission: Admission, request: HttpRequest) -> None:
        visitor, widget = admission.visitor, admission.widget
        # For as long as this socket's task lives: refusals speak the visitor's language.
        translation.activate(visitor.language or translation.get_language() or "en")
        self.visit = Visit(
            visitor_id=visitor.pk,
            session_id=admission.standing.session_id,
            address=address_of(request),
            name=visitor.display_name,
            bot_key=widget.bot_key,
            team_id=widget.team_id,
        )
        hold(visitor, self, get_hub())

    def _begin(self, standing: Standing, request: HttpRequest) -> None:
        query = request.GET
        since, reason = place(query.get("since"), query.get("epoch"), standing)
        self.send_frame(connected_frame(standing))
        if reason is not None:
            self.send_frame({"type": "reset", "reason": reason})
        self._follow(standing, since)

    async def _tell_place(self, standing: Standing) -> None:
        conversation = standing.conversation
        if conversation is not None and conversation.handled_by == HandledBy.QUEUE:
            frame = await queue_frame_of(conversation.id)
            if frame is not None:
                self.send_frame(frame)

    def _follow(self, standing: Standing, since: int) -> None:
        """Read this conversation from here on; the old reader goes after the new one came, so
        that the hub never forgets whose turn it is in between."""
        hub = get_hub()
        old, self.reader = self.reader, VisitorReader(standing, sink=self, since=since)
        hub.subscribe(self.reader, ownership=standing.ownership)
        if old is not None:
            hub.unsubscribe(old)

    async def on_frame(self, text: str) -> None:
        """One frame; what it asks for is done before the next one is read."""
        frame = decode(text, CLIENT_FRAMES)
        visit = self.visit
        if visit is None:
            return
        match frame:
            case MessageFrame():
                await self._on_message(visit, frame)
            case ResumeFrame():
                await self._on_resume(visit, frame.since)
            case PingFrame():
                self.send(PONG)
            case TypingFrame():
                tell_typing(visit, is_typing=frame.is_typing)
            case _:
                session_id = await perform(visit, frame)
                if session_id != visit.session_id:
                    await self._move(visit, session_id)

    async def _on_message(self, visit: Visit, frame: MessageFrame) -> None:
        if self._arrivals.behind:
            raise TryAgainError
        try:
            posted = await post_message(visit, frame)
        except Exception as error:
            if not isinstance(error, InboxError) or error.code == TRY_AGAIN:
                await self._arrivals.hold_back()
            raise
        self.send_frame({"type": "ack", **ack_body(posted)})
        if posted.conversation_id != visit.session_id and not posted.duplicate:
            await self._move(visit, posted.conversation_id)

    async def _move(self, visit: Visit, session_id: uuid.UUID) -> None:
        """The conversation had ended, so this wish began the next one: go on there."""
        if self.reader is not None:
            # What still comes from the old one would pass for the new one's behind the reset.
            get_hub().unsubscribe(self.reader)
            self.reader = None
        self.send_frame({"type": "reset", "reason": "closed", "session_id": str(session_id)})
        visit.session_id = session_id
        self._follow(await self._standing(visit), 0)

    async def _on_resume(self, visit: Visit, since: int) -> None:
        standing = await self._standing(visit)
        reason = reset_reason(standing, None, since)
        if reason is not None:
            self.send_frame({"type": "reset", "reason": reason})
            return
        self._follow(standing, since)

    @staticmethod
    async def _standing(visit: Visit) -> Standing:
        return (await in_thread(load_standings, [(visit.visitor_id, visit.session_id)]))[0]

    async def leave(self) -> None:
        """Unregister."""
        if self.reader is not None:
            get_hub().unsubscribe(self.reader)
        if self.visit is not None:
            release(self.visit.visitor_id, self)

    def heartbeat(self) -> dict[str, Any]:
        """Head, epoch and read marks."""
        if self.reader is None:
            return {"type": "pong"}
        return self.reader.heartbeat(get_hub())

    def error_context(self, event: dict[str, Any]) -> dict[str, Any]:
        """The ``client_id`` of a refused message, also when the frame could not be decoded."""
        found = _CLIENT_ID.search((event.get("text") or "")[:65536])
        return {"client_id": found.group(1)} if found else {}


class UnknownPath(LeanConsumer):
    """Every other socket address: a close code instead of a traceback."""

    side: ClassVar[str] = "visitor"

    async def enter(self) -> None:
        """Close."""
        await self.refuse(CloseCode.PROTOCOL)

    async def on_frame(self, text: str) -> None:
        """Nothing is read here."""

    async def leave(self) -> None:
        """Nothing was registered."""

    def heartbeat(self) -> dict[str, Any]:
        """Never sent: the socket is closed at once."""
        return {"type": "pong"}
