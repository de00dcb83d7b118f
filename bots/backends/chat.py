"""Chat Completions: the wire that most compatible servers speak.

Source: OpenAI API reference, "Chat completion chunk object".
"""

from __future__ import annotations

from typing import Any

import msgspec

from bots import prompt
from bots.backends.answer import Answer, clean, decode
from bots.backends.base import Ask, BackendEvent, FinishReason, Usage
from bots.backends.provider import ProviderBackend
from bots.backends.refusals import refusal, without_secrets
from bots.conf import bots_settings
from bots.errors import BackendError


class Function(msgspec.Struct, gc=False):
    """A piece of a function call."""

    name: str | None = None
    arguments: str | None = None


class CallPiece(msgspec.Struct, gc=False):
    """A piece of a tool call; pieces of one call share ``index``."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class DeltaPiece(msgspec.Struct, gc=False):
    """What a chunk adds to the message."""

    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[CallPiece] | None = None


class Choice(msgspec.Struct, gc=False):
    """One of the parallel answers; only the first is ours."""

    index: int | None = None
    delta: DeltaPiece | None = None
    finish_reason: str | None = None


class Tokens(msgspec.Struct, gc=False):
    """Usage in Chat Completions' words."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Problem(msgspec.Struct, gc=False):
    """An error in the middle of a stream."""

    code: str | int | None = None
    message: str | None = None
    type: str | None = None
    param: str | None = None


class Chunk(msgspec.Struct, gc=False):
    """One event."""

    id: str | None = None
    choices: list[Choice] | None = None
    usage: Tokens | None = None
    error: Problem | str | None = None


CHUNK = msgspec.json.Decoder(Chunk)
FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
}


class ChatReader:
    """Reads the chunks of one completion."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.complete = False
        self.done = False
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None
        self._id: str | None = None
        self._last_call = ""

    def feed(self, payload: bytes) -> list[BackendEvent]:
        """What one chunk means."""
        if payload.startswith(b"[DONE]"):
            self.done = True
            return []
        chunk = decode(payload, CHUNK)
        if chunk.error is not None and not self.complete:
            raise _problem(chunk.error)
        self._id = chunk.id or self._id
        if chunk.usage is not None:
            self._usage = Usage(
                input_tokens=chunk.usage.prompt_tokens or 0,
                output_tokens=chunk.usage.completion_tokens or 0,
            )
        events: list[BackendEvent] = []
        for choice in chunk.choices or ():
            if not choice.index and not self.complete:
                events += self._choice(choice)
        return events

    def end(self) -> list[BackendEvent]:
        """The last events; only a known ``finish_reason`` is an end."""
        if self._finish is None:
            raise BackendError("answer_cut", "no finish_reason", retryable=True)
        return self.answer.finish(self._finish, self._usage, self._id)

    def _choice(self, choice: Choice) -> list[BackendEvent]:
        delta = choice.delta
        events = self._delta(delta) if delta is not None else []
        if choice.finish_reason:
            reason = FINISHES.get(choice.finish_reason)
            if reason is None:
                details = f"finish_reason {clean(choice.finish_reason)[:60]!r}"
                raise BackendError("answer_cut", details, retryable=True)
            self._finish = reason
            self.complete = True
            # Even an answer without a word has begun to end: usage may follow.
            self.answer.started = True
        return events

    def _delta(self, delta: DeltaPiece) -> list[BackendEvent]:
        if delta.reasoning_content or delta.reasoning:
            self.answer.started = True
        if delta.refusal:
            self.answer.started = self.answer.refused = True
        for piece in delta.tool_calls or ():
            self._call(piece)
        return self.answer.add_text(delta.content) if delta.content else []

    def _call(self, piece: CallPiece) -> None:
        key = self._key(piece)
        draft = self.answer.add_call(key)
        draft.call_id = piece.id or draft.call_id
        if piece.function is not None:
            draft.name = piece.function.name or draft.name
            self.answer.add_arguments(key, piece.function.arguments or "")
        self._last_call = key

    def _key(self, piece: CallPiece) -> str:
        if piece.index is not None:
            return str(piece.index)
        # Servers without an index send whole calls, or continue the last one without an id.
        return f"id:{piece.id}" if piece.id else self._last_call


class ChatBackend(ProviderBackend):
    """Answers through ``POST /chat/completions``.

    Options:
        max_tokens_field: how the server calls its limit, when the guess from the address is wrong.
    """

    name = "chat"
    wire = "chat"

    def __init__(self, *, max_tokens_field: str = "", **options: Any) -> None:
        super().__init__(**options)
        self._max_tokens_field = max_tokens_field

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's JSON body."""
        fence = prompt.Fence()
        body = {
            **self.common_body(ask),
            "messages": prompt.chat_messages(ask, fence),
            self._limit_field(): ask.max_output_tokens,
            "stream_options": {"include_usage": True},
        }
        if ask.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                }
                for tool in ask.tools
            ]
        return body

    def _limit_field(self) -> str:
        # OpenAI's own newer models refuse the old name; most other servers know only that.
        return self._max_tokens_field or (
            "max_tokens" if self.base_url else "max_completion_tokens"
        )

    def reader(self, ask: Ask) -> ChatReader:
        """A fresh reader for one answer."""
        known = frozenset(call.call_id for call, _ in ask.tool_results)
        return ChatReader(Answer(bots_settings.MAX_ANSWER_BYTES, known))


def _problem(problem: Problem | str) -> BackendError:
    if isinstance(problem, str):
        problem = Problem(message=problem)
    code = str(problem.code or "")
    details = f"error event {code or problem.type}: {problem.message or ''}"
    return refusal(
        code=code,
        kind=problem.type or "",
        param=problem.param or "",
        details=without_secrets(details, bots_settings.API_KEY),
    )
