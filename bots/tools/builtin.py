"""The tools every bot has: give the conversation to a person, and look things up."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from bots import prompt
from bots.backends.base import HandOff, Passage
from bots.tools.context import ToolContext
from bots.tools.definition import Tool, make_tool

Searcher = Callable[[str, ToolContext], Awaitable[Sequence[Passage]] | Sequence[Passage]]
Short = Annotated[str, Meta(max_length=500)]
Long = Annotated[str, Meta(max_length=2000)]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought: the text for the model and the passages it cites."""

    text: str
    passages: tuple[Passage, ...]


def hand_off(
    reason: Annotated[Short, Meta(description="Why a person is needed, in a few words.")],
    summary: Annotated[Long, Meta(description="What the visitor wants and what is known.")],
    question: Annotated[Long, Meta(description="The open question, in the visitor's words.")],
    language: Annotated[
        str, Meta(description="Language code of the visitor, such as de.", max_length=16)
    ] = "",
    suggested_reply: Annotated[
        Long, Meta(description="A first reply the colleague could send.")
    ] = "",
    tried: Annotated[Long, Meta(description="What was tried already.")] = "",
) -> HandOff:
    """Give the conversation to a person of the team.

    Use it when the visitor asks for a person, is upset, or needs what you cannot find or do.
    """
    return HandOff(
        reason=reason,
        summary=summary,
        question=question,
        language=language,
        suggested_reply=suggested_reply,
        tried=tried,
    )


HAND_OFF = make_tool(hand_off)


def search_knowledge_tool(searcher: Searcher, *, first_number: int = 1) -> Tool:
    """The tool ``search_knowledge`` over this searcher, made for one turn.

    Args:
        searcher: ``(query, context)`` → passages, best first; may be a coroutine function.
        first_number: number of the first passage it finds, behind those of the ``Ask``; later
            searches of the same turn go on counting.
    """
    next_number = first_number

    async def search_knowledge(
        context: ToolContext,
        query: Annotated[
            str, Meta(description="A few words to look for.", min_length=1, max_length=300)
        ],
    ) -> Found:
        """Search the site's knowledge for passages to answer from and to cite by number."""
        nonlocal next_number
        found = searcher(query, context)
        passages = tuple(await found if inspect.isawaitable(found) else found)
        if not passages:
            return Found("Nothing was found.", ())
        text = prompt.numbered(passages, first=next_number)
        next_number += len(passages)
        return Found(text, passages)

    return make_tool(search_knowledge)
