"""One reader of one conversation: its place in the journal and in a streaming answer."""

from __future__ import annotations

from typing import Any, Protocol

from inbox.realtime.batches import Ending, Tick
from inbox.realtime.live import LiveAnswer
from inbox.realtime.records import Audience, Record, encode_json


class Sink(Protocol):
    """Where a reader's frames go: a socket, a long poll, an event stream."""

    @property
    def congested(self) -> bool:
        """Whether so much waits for it that stream deltas should be left out for now."""

    def send(self, text: str) -> None:
        """Hand over one encoded frame; never blocks."""


class EncodedRecord:
    """A record whose frame is encoded once per audience, however many receive it."""

    __slots__ = ("_operator", "_visitor", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self._visitor: str | None = None
        self._operator: str | None = None

    def text(self, audience: Audience) -> str:
        """The JSON frame for that audience."""
        if audience == "visitor":
            if self._visitor is None:
                self._visitor = encode_json(self.record.frame("visitor")).decode()
            return self._visitor
        if self._operator is None:
            self._operator = encode_json(self.record.frame("operator")).decode()
        return self._operator


class Reader:
    """Follows one conversation for one sink.

    ``cursor`` is the last durable number sent. A record that is not the next one is not sent;
    the hub then fetches what is missing from the database.
    """

    __slots__ = (
        "audience",
        "closed",
        "conversation_id",
        "cursor",
        "pumping",
        "sink",
        "sources_sent",
        "stream_key",
        "stream_length",
        "stream_message_id",
        "stream_ownership",
    )

    def __init__(self, *, conversation_id: str, audience: Audience, sink: Sink, since: int) -> None:
        self.conversation_id = conversation_id
        self.audience = audience
        self.sink = sink
        self.cursor = since
        self.pumping = False
        self.closed = False
        self.stream_key: tuple[str, int] | None = None
        self.stream_message_id = ""
        self.stream_ownership = 0
        self.stream_length = 0
        self.sources_sent: list[dict[str, Any]] | None = None

    def offer(self, encoded: EncodedRecord) -> bool:
        """Send a record if it is the next one; False when something before it is missing."""
        number = encoded.record.number(self.audience)
        if number is None or number <= self.cursor:
            return True
        if number != self.cursor + 1:
            return False
        self.cursor = number
        self.sink.send(encoded.text(self.audience))
        return True

    def end_with(self, page: list[Record], ownership: int) -> None:
        """End a stream whose ending was lost, before the events that tell of it are offered.

        Its worker died between commit and publishing, or the layer dropped the hint; ``page``
        was read from the database instead.

        Args:
            ownership: the conversation's number now.
        """
        if self.stream_key is None:
            return
        for record in page:
            if record.body.get("id") == self.stream_message_id:
                outcome = record.operator_body.get("outcome", "done")
                self._end(outcome, record.body["content"])
                return
        owners = [r.body["handled_by"] for r in page if r.kind == "conversation"]
        if ownership > self.stream_ownership and set(owners) - {"bot"}:
            # Nothing of the answer was stored, or its message would stand before the event.
            self._end("handed_over" if "queue" in owners else "cancelled", "")

    def _end(self, outcome: str, full_content: str) -> None:
        if self.stream_key is not None:
            turn, revision = self.stream_key
            self.end_stream(Ending(turn, revision, outcome, full_content, self.stream_message_id))

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame without number."""
        if self.audience == "operator":
            frame = {**frame, "conversation_id": self.conversation_id}
        self.sink.send(encode_json(frame).decode())

    def follow(self, answer: LiveAnswer, tick: Tick) -> None:
        """Send what this reader lacks of a streaming answer: a delta, or the text so far."""
        self.start_stream(answer)
        self._send_sources(answer)
        if self.sink.congested:
            return
        if not tick.snapshot and tick.offset == self.stream_length:
            if tick.text:
                self._send_delta(answer, tick.offset, tick.text)
        elif answer.complete and self.stream_length != answer.length:
            self._send_delta(answer, 0, answer.text)

    def join(self, answer: LiveAnswer) -> None:
        """Bring a reader that came mid-answer up to date."""
        if answer.finished or answer.is_frozen():
            return
        self.start_stream(answer)
        self._send_sources(answer)
        if answer.complete and answer.length != self.stream_length:
            self._send_delta(answer, 0, answer.text)

    def start_stream(self, answer: LiveAnswer) -> None:
        """Announce an attempt of an answer once."""
        key = (answer.turn, answer.revision)
        if self.stream_key == key:
            return
        if self.stream_key is None:
            self._send_typing(is_typing=True)
        self.stream_key, self.stream_length, self.sources_sent = key, 0, None
        self.stream_message_id, self.stream_ownership = answer.message_id, answer.ownership
        self.send(_stream_frame("response_start", answer, message_id=answer.message_id))

    def end_stream(self, ending: Ending) -> None:
        """Tell the end of an answer once, if its beginning was told; ``full_content`` is what
        is stored."""
        if self.stream_key is None or self.stream_key[0] != ending.turn:
            return
        self.stream_key, self.stream_length = None, 0
        self.send(
            {
                "type": "response_end",
                "turn": ending.turn,
                "revision": ending.revision,
                "message_id": ending.message_id,
                "outcome": ending.outcome,
                "full_content": ending.full_content,
            }
        )
        self._send_typing(is_typing=False)

    def _send_typing(self, *, is_typing: bool) -> None:
        self.send({"type": "typing", "role": "assistant", "is_typing": is_typing})

    def _send_sources(self, answer: LiveAnswer) -> None:
        # Not only once: a tool may find more, and the text that follows cites it.
        if answer.sources is not None and answer.sources is not self.sources_sent:
            self.sources_sent = answer.sources
            self.send(_stream_frame("sources", answer, sources=answer.sources))

    def _send_delta(self, answer: LiveAnswer, offset: int, text: str) -> None:
        self.stream_length = offset + len(text)
        self.send(_stream_frame("text_delta", answer, offset=offset, content=text))


def _stream_frame(kind: str, answer: LiveAnswer, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "turn": answer.turn, "revision": answer.revision, **fields}
