"""One attempt at an answer: what the backend yields becomes what readers see."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from bots.actions.leases import Claim
from bots.actions.tool_calls import Wanted, begin_call, end_call, record_round
from bots.backends.base import (
    Ask,
    Backend,
    Delta,
    Finished,
    HandOff,
    Passage,
    Sources,
    ToolCall,
    ToolCallRequested,
)
from bots.conf import bots_settings
from bots.errors import BackendError
from bots.models import ToolCall as ToolCallRow
from bots.running.brief import Brief, call_of
from bots.running.events import CUT_MARK, as_dicts, named_errors
from bots.running.lease import Lease, LostClaimError
from bots.running.tally import Tally
from bots.tools import ToolOutcome, run_tool
from inbox.database import in_work_thread
from inbox.realtime.streams import Stream

CALLS_PER_ROUND = 8
"""Further calls of one response are answered without being made."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer is complete."""

    text: str
    response_id: str


class Attempt:
    """Streams one answer, tools included, and says how it ended.

    Args:
        stream: opened for this attempt; nothing was said in it yet.
        tally: counts over all attempts of the turn.
    """

    def __init__(
        self, *, brief: Brief, backend: Backend, stream: Stream, lease: Lease, tally: Tally
    ) -> None:
        self.stream = stream
        self.sources: list[dict[str, Any]] = []
        self.said = ""
        """Text before the latest round of tools."""
        self._brief = brief
        self._backend = backend
        self._lease = lease
        self._tally = tally
        self._rounds = brief.rounds
        self._passages_named = backend.names_sources

    @property
    def claim(self) -> Claim:
        """What every write carries."""
        return self._lease.claim

    async def run(self, ask: Ask, *, sources: list[dict[str, Any]]) -> Answered | HandOff:
        """Answer.

        Args:
            ask: the question, with what earlier attempts have to go on from.
            sources: those that earlier attempts named.

        Raises:
            BackendError: this attempt failed.
            LostClaimError: the turn is no longer ours.
        """
        if sources and (ask.text_so_far or ask.tool_results):
            self._passages_named = True
            self._name(sources)
        self.said = ask.text_so_far
        self._say(ask.text_so_far)
        if self._brief.open_calls:
            taken_up = await self._make_calls(self._brief.open_calls)
            if isinstance(taken_up, HandOff):
                return taken_up
            ask = replace(ask, tool_results=(*ask.tool_results, *taken_up))
        while True:
            heard = await self._listen(self._within_rounds(ask))
            if not isinstance(heard, list):
                return heard
            results = await self._use_tools(heard)
            if isinstance(results, HandOff):
                return results
            ask = replace(
                ask,
                tool_results=(*ask.tool_results, *results),
                text_so_far=self.said,
            )

    def _within_rounds(self, ask: Ask) -> Ask:
        """The last round offers no tools: then only an answer is left."""
        return ask if self._rounds < bots_settings.TOOL_ROUNDS else replace(ask, tools=())

    async def _listen(self, ask: Ask) -> Answered | HandOff | list[ToolCall]:
        calls: list[ToolCall] = []
        async with (
            aclosing(self._backend.stream(ask)) as answer,
            aclosing(named_errors(answer)) as events,
        ):
            async for event in events:
                if not self._lease.is_good:
                    await self._lease.confirm()
                match event:
                    case Delta(text):
                        self._speak(ask, text)
                    case Sources(named):
                        self._passages_named = True
                        self._name([*self.sources, *as_dicts(named)])
                    case ToolCallRequested(call):
                        calls.append(call)
                    case HandOff():
                        return event
                    case Finished():
                        return self._finished(event, calls)
        raise BackendError("answer_cut", "the backend ended without a word", retryable=True)

    def _finished(self, finished: Finished, calls: list[ToolCall]) -> Answered | list[ToolCall]:
        self._tally.add(finished.usage)
        if finished.reason == "tool_calls":
            if self._rounds >= bots_settings.TOOL_ROUNDS or not calls:
                raise BackendError("answer_unreadable", "tools without end")
            return calls
        if not self.stream.text.strip():
            raise BackendError("answer_empty", finished.reason, retryable=True)
        if finished.reason in {"length", "content_filter"}:
            self._tally.note("finish", finished.reason)
            self._say(CUT_MARK)
        self.stream.flush()
        return Answered(self.stream.text, finished.response_id or "")

    def _speak(self, ask: Ask, text: str) -> None:
        self._name_passages(ask.passages)
        self._tally.first_word()
        self._say(text)

    def _say(self, text: str) -> None:
        self.stream.delta(text)

    def _name_passages(self, passages: Iterable[Passage]) -> None:
        """Those of the question, once and before any others: they are cited by their number."""
        if not self._passages_named:
            self._passages_named = True
            self._add_passages(passages)

    def _add_passages(self, passages: Iterable[Passage]) -> None:
        found = as_dicts(passage.source for passage in passages)
        if found:
            self._name([*self.sources, *found])

    def _name(self, sources: list[dict[str, Any]]) -> None:
        self.sources = sources
        self.stream.sources(sources)

    async def _use_tools(self, calls: list[ToolCall]) -> list[tuple[ToolCall, str]] | HandOff:
        self._rounds += 1
        self.stream.flush()
        self.said = self.stream.text
        wanted = [Wanted(call, self._changes_something(call)) for call in calls]
        rows = await in_work_thread(
            record_round, self.claim, wanted, number=self._rounds, said=self.said
        )
        if rows is None:
            raise LostClaimError
        return await self._make_calls(rows)

    def _changes_something(self, call: ToolCall) -> bool:
        found = self._brief.tools.get(call.name)
        return found is not None and found.spec.side_effect

    async def _make_calls(
        self, rows: Iterable[ToolCallRow]
    ) -> list[tuple[ToolCall, str]] | HandOff:
        results = []
        for row in rows:
            outcome = await self._make_call(row)
            await self._lease.confirm()
            if outcome.hand_off is not None:
                return outcome.hand_off
            if outcome.passages:
                self._name_passages(self._brief.ask.passages)
                self._add_passages(outcome.passages)
            results.append((call_of(row), outcome.text))
        return results

    async def _make_call(self, row: ToolCallRow) -> ToolOutcome:
        if not await in_work_thread(begin_call, self.claim, row):
            raise LostClaimError
        if row.position < CALLS_PER_ROUND:
            outcome = await run_tool(call_of(row), self._brief.context, self._brief.tools)
        else:
            outcome = ToolOutcome(text="Too many calls at once.", code="tool_denied")
        self._tally.note_call(row.name, outcome.code)
        if outcome.hand_off is not None:
            # The transition ends this call: were it stored as done before, a worker that died
            # in between would leave a model that believes in a hand-off nobody made.
            return outcome
        kept = await in_work_thread(
            end_call, self.claim, row, result=outcome.text, code=outcome.code
        )
        if not kept:
            raise LostClaimError
        return outcome
