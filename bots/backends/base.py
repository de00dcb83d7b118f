"""What a bot is asked and what a backend answers: plain values, no database, no Django models.

A backend is one way to get an answer (a model behind HTTP, the offline search, a script). It
must not know conversations, turns or ownership; whoever runs it decides what a delta means.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a part of the answer comes from, as visitors see it."""

    url: str
    title: str
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTurn:
    """One earlier message. Private notes are never among them."""

    role: Literal["user", "assistant", "operator"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A found piece of knowledge; the higher ``score`` the better the match."""

    source: Source
    text: str
    score: float = 0.0
    article_id: int | None = None
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """What a model is told about a tool. ``parameters`` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]
    side_effect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to use a tool; ``arguments`` is raw JSON text and untrusted."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counted them."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Everything one attempt at an answer needs."""

    question: str
    """The visitor's message that is to be answered."""
    history: tuple[ChatTurn, ...] = ()
    """Earlier messages, oldest first, without the question."""
    passages: tuple[Passage, ...] = ()
    """Found knowledge, best first; passage n is cited as ``[n]``, counted from 1."""
    instructions: str = ""
    """The site owner's own words to the bot (trusted)."""
    language: str = ""
    """Language code of the answer, such as ``de``; empty for the visitor's own."""
    tools: tuple[ToolSpec, ...] = ()
    tool_results: tuple[tuple[ToolCall, str], ...] = ()
    """Calls of this turn that have been made, in order, with the text of their results."""
    text_so_far: str = ""
    """What this turn already said before it called tools."""
    model: str = ""
    temperature: float | None = None
    max_output_tokens: int = 4000
    previous_response_id: str | None = None
    """Response that answered the visitor's message before this one; stands for ``history``."""
    store: bool = False
    """Whether the provider keeps the response, so that the next turn may name it."""
    bot_name: str = ""
    site_name: str = ""
    page_url: str = ""
    page_title: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """Text to append to the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What the following text is based on."""

    sources: list[Source]


@dataclass(frozen=True, slots=True)
class ToolCallRequested:
    """The model wants a tool; one event per call, before ``Finished("tool_calls")``."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Finished:
    """The attempt really ended. Without it there was no answer."""

    reason: FinishReason
    usage: Usage | None = None
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class HandOff:
    """The bot gives the conversation to a person; ends the attempt instead of ``Finished``."""

    reason: str
    summary: str = ""
    question: str = ""
    language: str = ""
    suggested_reply: str = ""
    tried: str = ""


BackendEvent = Delta | Sources | ToolCallRequested | Finished | HandOff


class Backend(ABC):
    """One way to get an answer.

    ``options`` are the ``OPTIONS`` of its entry in ``BOTS_BACKENDS``.
    """

    name: str = ""
    supports_tools: bool = False
    uses_knowledge: bool = True
    """Whether passages are looked up for its questions."""
    names_sources: bool = False
    """Whether it yields ``Sources`` itself; else all passages are named before its first word."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def check(self) -> list[str]:
        """What is wrong with the settings, one sentence each; must not use the network."""
        return []

    @abstractmethod
    def stream(self, ask: Ask) -> AsyncGenerator[BackendEvent, None]:
        """Answer once, without retries.

        Yields deltas and ends with exactly one ``Finished`` or ``HandOff``. Iterate it inside
        ``contextlib.aclosing`` so that stopping early closes the connection at once.

        Raises:
            BackendError: the attempt failed; text yielded before is not an answer.
        """

    async def aclose(self) -> None:
        """Let go of connections that belong to the running event loop."""
        return None
