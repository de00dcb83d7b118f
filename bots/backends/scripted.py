"""A backend without a model, for tests and benchmarks: known words at a known rate.

A question may direct it, one directive after the other, each in double square brackets::

    [[say TEXT]]            answer TEXT, word by word
    [[tokens N]]            answer N numbered words instead of BOTS_SCRIPTED_TOKENS
    [[clock N]]             answer N words, each the tenth of a millisecond of the monotonic clock
                            at which it was due, six digits of it
    [[rate R]]              R words per second from here on; 0 for no pause
    [[source URL TITLE]]    name a source
    [[tool NAME {json}]]    ask for a tool; its result is answered as text in the next round
    [[handoff REASON]]      give the conversation to a person
    [[stall SECONDS]]       be silent (for ever without a number)
    [[fail CODE]]           fail, retryable; [[fail! CODE]] fails for good
    [[length]] [[filter]]   end as cut by the length limit or by a content filter

Without a directive the answer is ``token1 token2 …``. Words after the directives are ignored.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterator

from bots.backends.base import (
    Ask,
    Backend,
    BackendEvent,
    Delta,
    Finished,
    FinishReason,
    HandOff,
    Source,
    Sources,
    ToolCall,
    ToolCallRequested,
    Usage,
)
from bots.conf import bots_settings
from bots.errors import BackendError

DIRECTIVE = re.compile(r"\[\[\s*([a-z]+!?)\s*(.*?)\s*\]\]", re.DOTALL)
FOR_EVER_SECONDS = 86_400.0

DUE_TIME = Delta("")
"""Stands for a word that says when it was due."""

Step = tuple[float, BackendEvent | BackendError | None]
"""Seconds to wait, then what happens: an event, a failure or nothing."""


class ScriptedBackend(Backend):
    """Answers as the question says."""

    name = "scripted"
    supports_tools = True
    uses_knowledge = False

    async def stream(self, ask: Ask) -> AsyncGenerator[BackendEvent, None]:
        """Play the script of the question; continue behind the calls that have results."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for seconds, happening in _Script(ask).steps():
            if seconds:
                # Against the clock, not step by step: a busy loop must not slow the script.
                due += seconds
                await asyncio.sleep(max(0.0, due - loop.time()))
            if isinstance(happening, BackendError):
                raise happening
            if happening is DUE_TIME:
                happening = Delta(f" {int(due * 1e4) % 10**6}")
            if happening is not None:
                yield happening


class _Script:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._rate = bots_settings.SCRIPTED_RATE
        self._results = [text for _, text in ask.tool_results]
        self._words = 0
        self._reason: FinishReason = "stop"
        self._over = False
        self._verbs: dict[str, Callable[[str], Iterator[Step]]] = {
            "say": self._say,
            "tokens": lambda rest: self._say(_numbered_words(int(_number(rest, 0)))),
            "clock": self._tell_time,
            "rate": self._set_rate,
            "source": self._source,
            "handoff": self._hand_off,
            "stall": lambda rest: iter([(_number(rest, FOR_EVER_SECONDS), None)]),
            "length": self._cut,
            "filter": self._filter,
            "fail": lambda rest: self._fail(rest, retryable=True),
            "fail!": lambda rest: self._fail(rest, retryable=False),
        }

    def steps(self) -> Iterator[Step]:
        """The whole answer."""
        directives = DIRECTIVE.findall(self._ask.question)
        for index, (verb, rest) in enumerate(directives):
            if verb == "tool" and not self._results:
                yield from self._calls(directives[index:])
                return
            # What stands before a tool with a result was said before it was called.
            if verb == "tool":
                yield from self._say(self._results.pop(0) or "(no result)")
            elif verb in self._verbs and (not self._results or verb == "rate"):
                yield from self._verbs[verb](rest)
            if self._over:
                return
        if not self._words:
            yield from self._say(_numbered_words(bots_settings.SCRIPTED_TOKENS))
        yield 0, Finished(self._reason, self._usage())

    def _say(self, text: str) -> Iterator[Step]:
        for word in re.findall(r"\s*\S+|\s+$", text):
            self._words += 1
            yield (1 / self._rate if self._rate else 0), Delta(word)

    def _tell_time(self, rest: str) -> Iterator[Step]:
        for _ in range(int(_number(rest, 1))):
            self._words += 1
            yield (1 / self._rate if self._rate else 0), DUE_TIME

    def _set_rate(self, rest: str) -> Iterator[Step]:
        self._rate = _number(rest, self._rate)
        return iter(())

    def _cut(self, _rest: str) -> Iterator[Step]:
        self._reason = "length"
        return iter(())

    def _filter(self, _rest: str) -> Iterator[Step]:
        self._reason = "content_filter"
        return iter(())

    def _source(self, rest: str) -> Iterator[Step]:
        url, _, title = rest.partition(" ")
        yield 0, Sources([Source(url=url, title=title or url, snippet="")])

    def _fail(self, rest: str, *, retryable: bool) -> Iterator[Step]:
        yield 0, BackendError(rest or "backend_unavailable", "scripted", retryable=retryable)

    def _calls(self, directives: list[tuple[str, str]]) -> Iterator[Step]:
        # Neighbouring [[tool]]s are one response with several calls.
        for number, (verb, rest) in enumerate(directives, len(self._ask.tool_results) + 1):
            if verb != "tool":
                break
            name, _, arguments = rest.partition(" ")
            call = ToolCall(
                call_id=f"call_{number}", name=name, arguments=arguments.strip() or "{}"
            )
            yield 0, ToolCallRequested(call)
        yield 0, Finished("tool_calls", self._usage())

    def _hand_off(self, reason: str) -> Iterator[Step]:
        self._over = True
        yield (
            0,
            HandOff(
                reason=reason or "scripted",
                summary="The visitor asked the scripted bot for a person.",
                question=DIRECTIVE.sub("", self._ask.question).strip(),
                language=self._ask.language,
                suggested_reply="How can I help?",
                tried="scripted",
            ),
        )

    def _usage(self) -> Usage:
        return Usage(input_tokens=len(self._ask.question.split()), output_tokens=self._words)


def _numbered_words(count: int) -> str:
    return " ".join(f"token{number}" for number in range(1, count + 1))


def _number(text: str, default: float) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return default
