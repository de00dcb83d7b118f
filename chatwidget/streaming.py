"""Server-sent events read by ``fetch``: a socket's frames over plain HTTP, one way.

Durable frames carry ``id:`` = their number, so that a client knows where to go on; comments keep
proxies from cutting an idle line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.http import StreamingHttpResponse

from chatwidget.conf import chatwidget_settings
from chatwidget.holding import count_held, hold, release
from chatwidget.paging import Asked, Place, find_place
from chatwidget.reading import Mailbox, VisitorReader
from chatwidget.standing import connected_frame
from inbox.database import in_thread
from inbox.errors import rate_limited
from inbox.models import Visitor
from inbox.realtime.hub import get_hub

COMMENT_SECONDS = 15.0
BUSY_SECONDS = 5.0


class EventStream(Mailbox):
    """A mailbox of server-sent events, which an operator can end by blocking the visitor."""

    def __init__(self, found: Place) -> None:
        super().__init__()
        self.reader = VisitorReader(found.standing, sink=self, since=found.since)
        self.last_id = found.since
        self.ended = False

    def send(self, text: str) -> None:
        """Take a frame in. A durable one has just moved the reader's cursor to its number."""
        number = self.reader.cursor
        prefix = f"id: {number}\n" if number != self.last_id else ""
        self.last_id = number
        super().send(f"{prefix}data: {text}\n\n")

    def close_soon(self, code: int) -> None:
        """The visitor was blocked or their tokens were revoked."""
        self.ended = True
        super().send(": the end\n\n")


async def open_event_stream(visitor: Visitor, asked: Asked) -> StreamingHttpResponse:
    """A response that never ends by itself; it counts as one of the visitor's sockets."""
    if count_held(visitor.pk) >= chatwidget_settings.MAX_SOCKETS:
        raise rate_limited(BUSY_SECONDS)
    found = await in_thread(find_place, visitor.pk, asked)
    response = StreamingHttpResponse(
        _frames(visitor, found), content_type="text/event-stream; charset=utf-8"
    )
    response["X-Accel-Buffering"] = "no"
    return response


async def _frames(visitor: Visitor, found: Place) -> AsyncIterator[str]:
    hub, stream = get_hub(), EventStream(found)
    hold(visitor, stream, hub)
    stream.reader.send(connected_frame(found.standing))
    if found.reset is not None:
        stream.reader.send(found.reset_frame())
    hub.subscribe(stream.reader, ownership=found.standing.ownership)
    try:
        while not stream.ended and not stream.overfull:
            events = await stream.wait(COMMENT_SECONDS)
            yield "".join(events) or ": heartbeat\n\n"
    finally:
        hub.unsubscribe(stream.reader)
        release(visitor.pk, stream)
