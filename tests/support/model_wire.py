"""How a model server puts words, tool calls and ends on the wire, for both APIs.

Written from the API reference, independently of ``bots.backends``: it must not import it.
"""

from __future__ import annotations

import json
import uuid
from typing import Any


def sse(payload: Any, event: str = "") -> bytes:
    """One server-sent event."""
    data = payload if isinstance(payload, str) else json.dumps(payload)
    return (f"event: {event}\n" if event else "").encode() + f"data: {data}\n\n".encode()


class ChatWire:
    """Chat Completions chunks."""

    name = "chat"

    def __init__(self, model: str) -> None:
        self.id = f"chatcmpl-{uuid.uuid4().hex[:12]}"
        self.model = model

    def chunk(self, delta: Any, finish: str | None = None, index: int = 0) -> bytes:
        """One chunk with one choice."""
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self.raw(choices=[choice])

    def raw(self, **fields: Any) -> bytes:
        """One chunk with these fields."""
        return sse(
            {
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": 1,
                "model": self.model,
                **fields,
            }
        )

    def start(self) -> bytes:
        """What comes before the first word."""
        return self.chunk({"role": "assistant", "content": ""})

    def delta(self, text: str) -> bytes:
        """A piece of the answer."""
        return self.chunk({"content": text})

    def reasoning(self, text: str) -> bytes:
        """A piece of thinking."""
        return self.chunk({"reasoning_content": text})

    def refusal(self, text: str) -> bytes:
        """A piece of a refusal."""
        return self.chunk({"refusal": text})

    def call_start(self, index: int, call_id: str, name: str) -> bytes:
        """A tool call begins."""
        function = {"name": name, "arguments": ""}
        call = {"index": index, "id": call_id, "type": "function", "function": function}
        return self.chunk({"tool_calls": [call]})

    def arguments(self, index: int, piece: str) -> bytes:
        """A piece of a tool call's arguments."""
        return self.chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})

    def finish(self, reason: str, calls: list[dict[str, str]], text: str) -> bytes:
        """The end, usage included."""
        if calls and reason == "stop":
            reason = "tool_calls"
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        return (
            self.chunk({}, finish=reason) + self.raw(choices=[], usage=usage) + b"data: [DONE]\n\n"
        )

    def error(self, code: str, message: str) -> bytes:
        """An error in the middle of the stream."""
        return sse({"error": {"code": code, "message": message, "type": "server_error"}})

    def whole(self, text: str) -> dict[str, Any]:
        """The answer to a request without ``stream``."""
        message = {"role": "assistant", "content": text}
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": 1,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }


class ResponsesWire:
    """Responses API events."""

    name = "responses"

    def __init__(self, model: str) -> None:
        self.id = f"resp_{uuid.uuid4().hex[:12]}"
        self.item = f"msg_{uuid.uuid4().hex[:12]}"
        self.model = model
        self.number = 0

    def event(self, kind: str, **fields: Any) -> bytes:
        """One event of this type."""
        self.number += 1
        return sse({"type": kind, "sequence_number": self.number, **fields}, kind)

    def response(self, status: str, **fields: Any) -> dict[str, Any]:
        """The response object."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": 1,
            "model": self.model,
            "status": status,
            "output": [],
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            **fields,
        }

    def start(self) -> bytes:
        """What comes before the first word."""
        in_progress = self.response("in_progress")
        return self.event("response.created", response=in_progress) + self.event(
            "response.in_progress", response=in_progress
        )

    def delta(self, text: str) -> bytes:
        """A piece of the answer."""
        return self.event(
            "response.output_text.delta",
            item_id=self.item,
            output_index=0,
            content_index=0,
            delta=text,
            logprobs=[],
        )

    def reasoning(self, text: str) -> bytes:
        """A piece of thinking."""
        return self.event(
            "response.reasoning_text.delta",
            item_id="rs_1",
            output_index=0,
            content_index=0,
            delta=text,
        )

    def refusal(self, text: str) -> bytes:
        """A piece of a refusal."""
        return self.event(
            "response.refusal.delta",
            item_id=self.item,
            output_index=0,
            content_index=0,
            delta=text,
        )

    def call_start(self, index: int, call_id: str, name: str) -> bytes:
        """A tool call begins."""
        item = {
            "id": f"fc_{index}",
            "type": "function_call",
            "call_id": call_id,
            "name": name,
            "arguments": "",
            "status": "in_progress",
        }
        return self.event("response.output_item.added", output_index=index + 1, item=item)

    def arguments(self, index: int, piece: str) -> bytes:
        """A piece of a tool call's arguments."""
        return self.event(
            "response.function_call_arguments.delta",
            item_id=f"fc_{index}",
            output_index=index + 1,
            delta=piece,
        )

    def finish(self, reason: str, calls: list[dict[str, str]], text: str) -> bytes:
        """The end, usage included; the output repeats the text and every call."""
        usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {
            "id": self.item,
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": content if text else [],
        }
        items = [
            {"id": f"fc_{index}", "type": "function_call", "status": "completed", **call}
            for index, call in enumerate(calls)
        ]
        output = [message, *items]
        done = b"".join(
            self.event("response.output_item.done", output_index=index, item=item)
            for index, item in enumerate(output)
        )
        if reason in {"stop", "tool_calls"}:
            response = self.response("completed", output=output, usage=usage)
            return done + self.event("response.completed", response=response)
        reason = {"length": "max_output_tokens"}.get(reason, reason)
        details = {"reason": reason}
        response = self.response(
            "incomplete", output=output, usage=usage, incomplete_details=details
        )
        return done + self.event("response.incomplete", response=response)

    def error(self, code: str, message: str) -> bytes:
        """An error in the middle of the stream."""
        return self.event("error", code=code, message=message, param=None)

    def whole(self, text: str) -> dict[str, Any]:
        """The answer to a request without ``stream``."""
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {"id": self.item, "type": "message", "role": "assistant", "content": content}
        return self.response("completed", output=[message])


Wire = ChatWire | ResponsesWire
