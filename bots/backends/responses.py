"""The Responses API: how a question is sent and what the events of its answer mean.

Source: OpenAI API reference, "Streaming events"; see ``docs/explanation/backends.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots import prompt
from bots.backends.answer import Answer, clean, decode
from bots.backends.base import Ask, BackendEvent, Usage
from bots.backends.provider import ProviderBackend
from bots.backends.refusals import refusal, without_secrets
from bots.backends.responses_events import (
    ARGUMENTS,
    ERROR,
    HEAD,
    ITEM,
    RESPONSE,
    TEXT,
    Incomplete,
    Item,
    Problem,
    Response,
    Tokens,
)
from bots.conf import bots_settings
from bots.errors import BackendError

if TYPE_CHECKING:
    from bots.backends.client import Client, Reply


TEXT_DELTA = "response.output_text.delta"
SIGNS_OF_LIFE = {
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_part.added",
}


class ResponsesReader:
    """Reads the events of one response."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.complete = False
        self.done = False
        self._last: list[BackendEvent] = []
        self._handlers: dict[str, Callable[[bytes], None]] = {
            "response.output_item.added": self._item,
            "response.output_item.done": self._item,
            "response.function_call_arguments.delta": self._arguments,
            "response.function_call_arguments.done": self._arguments,
            "response.refusal.delta": self._refusal,
            "response.completed": self._completed,
            "response.incomplete": self._incomplete,
            "response.failed": self._failed,
            "error": self._error,
        }

    def feed(self, payload: bytes) -> list[BackendEvent]:
        """What one event means."""
        if payload == b"[DONE]":  # Not of this API, but some gateways add it.
            return []
        kind = decode(payload, HEAD).type
        if kind == TEXT_DELTA:
            delta = decode(payload, TEXT).delta
            return self.answer.add_text(delta) if delta else []
        if kind in SIGNS_OF_LIFE:
            self.answer.started = True
        elif handler := self._handlers.get(kind):
            handler(payload)
        return []

    def end(self) -> list[BackendEvent]:
        """The last events; only a ``response.completed`` or ``.incomplete`` is an end."""
        if not self.done:
            raise BackendError("answer_cut", "no response.completed", retryable=True)
        return self._last

    def _item(self, payload: bytes) -> None:
        event = decode(payload, ITEM)
        self.answer.started = True
        if event.item.type == "function_call":
            self._call(event.output_index, event.item)

    def _call(self, index: int, item: Item) -> None:
        draft = self.answer.add_call(str(index))
        draft.call_id = item.call_id or draft.call_id
        draft.name = item.name or draft.name
        self._whole_arguments(index, item.arguments)

    def _arguments(self, payload: bytes) -> None:
        event = decode(payload, ARGUMENTS)
        if event.delta:
            self.answer.add_arguments(str(event.output_index), event.delta)
        self._whole_arguments(event.output_index, event.arguments)

    def _whole_arguments(self, index: int, arguments: str | None) -> None:
        # The final text counts; it only adds to what the deltas brought when there were none.
        draft = self.answer.add_call(str(index))
        if arguments and not draft.arguments:
            self.answer.add_arguments(str(index), arguments)
        elif arguments:
            draft.arguments = arguments

    def _refusal(self, payload: bytes) -> None:
        self.answer.started = True
        self.answer.refused = True

    def _completed(self, payload: bytes) -> None:
        response = decode(payload, RESPONSE).response
        # Some servers tell every end with this event and what it was with the status.
        match response.status:
            case "incomplete":
                details = response.incomplete_details or Incomplete()
                self._finish(response, details.reason or "max_output_tokens")
                return
            case "failed" | "cancelled":
                raise _problem(response.error or Problem(code=response.status))
        for index, item in enumerate(response.output or ()):
            if item.type == "function_call":
                self._call(index, item)
        self._finish(response, "completed")

    def _incomplete(self, payload: bytes) -> None:
        response = decode(payload, RESPONSE).response
        self._finish(response, (response.incomplete_details or Incomplete()).reason or "")

    def _finish(self, response: Response, reason: str) -> None:
        tokens = response.usage or Tokens()
        usage = Usage(
            input_tokens=tokens.input_tokens or 0, output_tokens=tokens.output_tokens or 0
        )
        if not self.answer.has_text:
            self._last += self._unstreamed_text(response)
        match reason:
            case "completed":
                self._last += self.answer.finish("stop", usage, response.id)
            case "max_output_tokens" | "max_tokens" | "length":
                self._last += self.answer.finish("length", usage, response.id)
            case "content_filter":
                self._last += self.answer.finish("content_filter", usage, response.id)
            case _:
                raise BackendError(
                    "answer_cut", f"incomplete: {clean(reason)[:60]}", retryable=True
                )
        self.complete = self.done = True

    def _unstreamed_text(self, response: Response) -> list[BackendEvent]:
        parts = [
            part
            for item in response.output or ()
            if item.type == "message"
            for part in item.content or ()
        ]
        if any(part.type == "refusal" for part in parts):
            self.answer.refused = True
        text = "".join(part.text or "" for part in parts if part.type == "output_text")
        return self.answer.add_text(text) if text else []

    def _failed(self, payload: bytes) -> None:
        raise _problem(decode(payload, RESPONSE).response.error or Problem())

    def _error(self, payload: bytes) -> None:
        event = decode(payload, ERROR)
        raise _problem(event.error or event)


class ResponsesBackend(ProviderBackend):
    """Answers through ``POST /responses``."""

    name = "responses"
    wire = "responses"

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's JSON body."""
        fence = prompt.Fence()
        body = {
            **self.common_body(ask),
            "instructions": prompt.instructions(ask, fence),
            "input": prompt.responses_input(ask, fence),
            "max_output_tokens": ask.max_output_tokens,
            "store": ask.store,
        }
        if ask.previous_response_id:
            body["previous_response_id"] = ask.previous_response_id
        if ask.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                    "strict": False,
                }
                for tool in ask.tools
            ]
        return body

    def reader(self, ask: Ask) -> ResponsesReader:
        """A fresh reader for one answer."""
        known = frozenset(call.call_id for call, _ in ask.tool_results)
        return ResponsesReader(Answer(bots_settings.MAX_ANSWER_BYTES, known))

    async def open(self, client: Client, ask: Ask, *, deadline: float) -> Reply:
        """Send the question; with our own history when the provider forgot the last response."""
        try:
            return await super().open(client, ask, deadline=deadline)
        except BackendError as exc:
            if exc.code != "previous_response_unknown" or not ask.previous_response_id:
                raise
        return await super().open(
            client, replace(ask, previous_response_id=None), deadline=deadline
        )


def _problem(problem: Problem) -> BackendError:
    code = str(problem.code or "")
    details = f"error event {code or problem.type}: {problem.message or ''}"
    return refusal(
        code=code,
        kind=problem.type or "",
        param=problem.param or "",
        details=without_secrets(details, bots_settings.API_KEY),
    )
