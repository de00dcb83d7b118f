"""One answer while it comes in: its text, its tool calls, its limits and its real end.

Both wire modes feed it; it decides what counts as an answer. Pure, no network.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from bots.backends.base import (
    BackendEvent,
    Delta,
    Finished,
    FinishReason,
    ToolCall,
    ToolCallRequested,
    Usage,
)
from bots.errors import BackendError

Decoded = TypeVar("Decoded")

MAX_CALLS = 64
"""Tool calls in one response; a model that wants more is not answering."""
MAX_CALL_ID_CHARS = 128


@dataclass(slots=True)
class CallDraft:
    """A tool call whose arguments are still coming in."""

    call_id: str = ""
    name: str = ""
    arguments: str = ""


class Answer:
    """Collects one attempt.

    Args:
        limit_bytes: longest text, and longest arguments of all calls together.
        known_call_ids: ids of earlier calls of this turn, which a new call must not reuse:
            results are stored under the id.
    """

    def __init__(self, limit_bytes: int, known_call_ids: frozenset[str] = frozenset()) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._known_call_ids = set(known_call_ids)
        self._held = ""
        self.started = False
        """Whether the model showed a sign of life: text, reasoning or a call."""
        self.has_text = False
        self.refused = False
        self.calls: dict[str, CallDraft] = {}

    def add_text(self, text: str) -> list[BackendEvent]:
        """The delta to show for this piece; none while half a character is missing."""
        self.started = True
        text = self._whole_characters(text)
        if not text:
            return []
        self._grow(text)
        self.has_text = self.has_text or not text.isspace()
        return [Delta(text)]

    def add_call(self, key: str) -> CallDraft:
        """The draft under this key, made when new."""
        self.started = True
        if key not in self.calls and len(self.calls) >= MAX_CALLS:
            raise BackendError("answer_unreadable", f"more than {MAX_CALLS} tool calls")
        return self.calls.setdefault(key, CallDraft())

    def add_arguments(self, key: str, piece: str) -> None:
        """Append raw JSON text to a call; it may be cut anywhere, inside an escape too."""
        self._grow(piece)
        self.add_call(key).arguments += piece

    def finish(
        self, reason: FinishReason, usage: Usage | None, response_id: str | None
    ) -> list[BackendEvent]:
        """The last events, for a response that really ended.

        Raises:
            BackendError: there is nothing to show: empty, blank, refused or only reasoning.
        """
        events: list[BackendEvent] = []
        if self._held:
            self._held = ""
            events += self.add_text("\ufffd")
        if self.refused and not self.calls:
            raise BackendError("answer_refused", "the model refused")
        # A call that was cut off by the token limit has half its arguments: not a call.
        calls = self._finished_calls() if reason in {"stop", "tool_calls"} else []
        if calls:
            return [*events, *calls, Finished("tool_calls", usage, response_id)]
        if not self.has_text:
            raise _nothing_said(reason)
        kept: FinishReason = "stop" if reason == "tool_calls" else reason
        return [*events, Finished(kept, usage, response_id)]

    def _finished_calls(self) -> list[BackendEvent]:
        return [
            ToolCallRequested(
                ToolCall(
                    call_id=self._unique_id(draft.call_id),
                    name=clean(draft.name)[:128],
                    arguments=clean(draft.arguments),
                )
            )
            for draft in self.calls.values()
        ]

    def _unique_id(self, call_id: str) -> str:
        call_id = clean(call_id)
        if not call_id or len(call_id) > MAX_CALL_ID_CHARS or call_id in self._known_call_ids:
            call_id = f"call_{secrets.token_hex(8)}"
        self._known_call_ids.add(call_id)
        return call_id

    def _grow(self, text: str) -> None:
        self._size += len(text.encode(errors="replace"))
        if self._size > self._limit:
            raise BackendError("answer_too_long", f"more than {self._limit} bytes")

    def _whole_characters(self, text: str) -> str:
        if not self._held and text.isascii() and "\x00" not in text:
            return text
        text = self._held + text
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            # Some servers cut an emoji's two escapes over two deltas.
            text, self._held = text[:-1], text[-1]
        return clean(text)


def clean(text: str) -> str:
    """Text that every database can store: no NUL, surrogates joined or replaced."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def decode(payload: bytes, decoder: msgspec.json.Decoder[Decoded]) -> Decoded:
    """A typed event.

    Raises:
        BackendError: not JSON, or not of this shape.
    """
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as exc:
        raise BackendError("answer_unreadable", str(exc), retryable=True) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(payload, decoder)


def _decode_slowly(payload: bytes, decoder: msgspec.json.Decoder[Decoded]) -> Decoded:
    # msgspec is right to refuse a lone surrogate, but half an emoji is common enough.
    try:
        return msgspec.convert(json.loads(payload), decoder.type)
    except (ValueError, RecursionError, msgspec.ValidationError) as exc:
        raise BackendError("answer_unreadable", type(exc).__name__, retryable=True) from exc


def _nothing_said(reason: FinishReason) -> BackendError:
    if reason == "content_filter":
        return BackendError("answer_filtered", "filtered before the first word")
    # Out of tokens before the first word: the same question would end the same way.
    return BackendError("answer_empty", f"finished as {reason}", retryable=reason != "length")
