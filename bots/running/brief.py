"""What a worker must know before it asks: read from the rows in one go, in a database thread.

Only replies are read. Private notes have no way into an ``Ask``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Now

from bots.backends.base import Ask, Backend, ChatTurn, Passage, ToolCall
from bots.conf import bots_settings
from bots.knowledge.retrieval import retrieve
from bots.models import Bot, ToolCallStatus, Turn, TurnStatus
from bots.models import ToolCall as ToolCallRow
from bots.prompt import recent
from bots.running.decisions import Spent
from bots.tools import Tool, ToolContext, search_knowledge_tool, specs, tools_for
from inbox.actions.answering import bot_may_write
from inbox.database import in_work_thread
from inbox.models import Attachment, Conversation, Event, EventKind, Role

QUESTIONS = 20
"""Messages of one burst that are asked together; older ones of it count as history."""
ANSWERED = (ToolCallStatus.DONE, ToolCallStatus.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """One turn as its worker sees it."""

    ask: Ask
    context: ToolContext
    tools: dict[str, Tool]
    rounds: int
    """Tool rounds of earlier attempts."""
    open_calls: tuple[ToolCallRow, ...]
    """Calls that an earlier attempt asked for and that have no result yet."""
    spent: Spent


@dataclass(slots=True)
class _Said:
    """A message as a model is shown it."""

    message_id: uuid.UUID
    role: str
    text: str


def load(turn: Turn, backend: Backend) -> Brief | None:
    """Read everything for one turn; None when there is nothing to answer any more."""
    conversation = (
        Conversation.objects.select_related("visitor__user").filter(pk=turn.conversation_id).first()
    )
    if conversation is None or not bot_may_write(conversation, turn.ownership):
        return None
    asked, earlier = _messages(turn)
    question = "\n".join(said.text for said in asked if said.text)
    if not question:
        return None
    history = tuple(ChatTurn(role=_role(said), content=said.text) for said in earlier if said.text)
    passages = _passages(turn.bot, conversation, backend, question, history)
    context = _context(conversation)
    tools = _tools(turn.bot, context, backend, passages)
    # Calls are stored before they are made, so that only a later attempt finds any.
    is_first = turn.attempt == 1
    calls = [] if is_first else list(turn.tool_calls.order_by("round", "position"))
    previous = _previous_response(turn, earlier) if turn.bot.use_previous_response_id else None
    ask = Ask(
        question=question,
        history=recent(history, messages=turn.bot.history_limit, chars=bots_settings.HISTORY_CHARS),
        passages=passages,
        instructions=turn.bot.instructions,
        language=conversation.language,
        tools=specs(tools),
        tool_results=tuple((call_of(row), row.result) for row in calls if row.status in ANSWERED),
        text_so_far=turn.said,
        model=turn.bot.model,
        temperature=turn.bot.temperature,
        max_output_tokens=turn.bot.output_limit,
        previous_response_id=previous,
        store=turn.bot.use_previous_response_id,
        bot_name=turn.bot.name,
        site_name=bots_settings.SITE_NAME,
        page_url=conversation.visitor.page_url,
        page_title=conversation.visitor.page_title,
    )
    return Brief(
        ask=ask,
        context=context,
        tools=tools,
        rounds=max((row.round for row in calls), default=0),
        open_calls=tuple(row for row in calls if row.status not in ANSWERED),
        spent=spent_by(turn, conversation.visitor_id),
    )


def call_of(row: ToolCallRow) -> ToolCall:
    """A stored call as backends know it."""
    return ToolCall(call_id=row.call_id, name=row.name, arguments=row.arguments)


def spent_by(turn: Turn, visitor_id: int) -> Spent:
    """What this visitor and this bot used within the last day; nothing is counted in vain."""
    today = Q(bot_id=turn.bot_id, created_at__gte=Now() - dt.timedelta(days=1)) & ~Q(pk=turn.pk)
    bot, of_visitor, totals = turn.bot, 0, {"turns": 0, "tokens": 0}
    if bot.turns_per_visitor_day:
        # The day is no condition of the rows: it would lead the database to read everybody's
        # turns of the day, for each turn anew.
        theirs = Turn.objects.filter(conversation__visitor_id=visitor_id)
        of_visitor = theirs.aggregate(turns=Count("pk", filter=today))["turns"]
    if bot.turns_per_day or bot.tokens_per_day:
        used = F("input_tokens") + F("output_tokens")
        totals = Turn.objects.filter(today).aggregate(
            turns=Count("pk"), tokens=Sum(used, default=0)
        )
    return Spent(turns_of_visitor=of_visitor, turns=totals["turns"], tokens=totals["tokens"])


def failures_in_a_row(turn: Turn) -> int:
    """Failed answers of this conversation before this one, without another in between."""
    statuses = (
        Turn.objects.filter(conversation_id=turn.conversation_id, pk__lt=turn.pk)
        .exclude(status=TurnStatus.CANCELLED)
        .order_by("-pk")
        .values_list("status", flat=True)
    )
    failures = 0
    for status in statuses[: turn.bot.hand_off_after_failures]:
        if status != TurnStatus.FAILED:
            break
        failures += 1
    return failures


def _messages(turn: Turn) -> tuple[list[_Said], list[_Said]]:
    """The visitor's words to answer, and what was said before; both in order.

    Words that came after this turn's own wait for the next one.
    """
    # Plain values: instances of both tables took half of what a turn computes before it asks.
    rows = (
        Event.objects.filter(
            conversation_id=turn.conversation_id,
            kind=EventKind.MESSAGE,
            visitor_seq__isnull=False,
            message__isnull=False,
        )
        .exclude(message__role=Role.SYSTEM)
        .filter(~Q(message__role=Role.USER) | Q(seq__lte=turn.last_seq))
        .order_by("-seq")
        .values_list("seq", "message_id", "message__role", "message__content")
    )
    asked: list[_Said] = []
    earlier: list[_Said] = []
    wordless: list[_Said] = []
    for seq, message_id, role, content in rows[: turn.bot.history_limit + QUESTIONS]:
        said = _Said(message_id, role, content)
        if not content.strip():
            wordless.append(said)
        is_asked = role == Role.USER and seq >= turn.first_seq
        (asked if is_asked and len(asked) < QUESTIONS else earlier).append(said)
    _name_files(wordless)
    return asked[::-1], earlier[::-1]


def _name_files(wordless: Sequence[_Said]) -> None:
    """What was sent without words is read as the names of its files."""
    if not wordless:
        return
    names: dict[uuid.UUID, list[str]] = {said.message_id: [] for said in wordless}
    files = Attachment.objects.filter(message_id__in=names)
    for message_id, name in files.values_list("message_id", "name"):
        names[message_id].append(f"[{name}]")
    for said in wordless:
        said.text = " ".join(names[said.message_id])


def _role(said: _Said) -> Literal["user", "assistant", "operator"]:
    if said.role == Role.USER:
        return "user"
    return "operator" if said.role == Role.OPERATOR else "assistant"


def _passages(
    bot: Bot,
    conversation: Conversation,
    backend: Backend,
    question: str,
    history: Sequence[ChatTurn],
) -> tuple[Passage, ...]:
    if not backend.uses_knowledge:
        return ()
    return retrieve(
        question,
        history,
        conversation.language,
        conversation.widget_key,
        min_score=bot.min_score,
    )


def _context(conversation: Conversation) -> ToolContext:
    visitor = conversation.visitor
    return ToolContext(
        conversation_id=conversation.pk,
        visitor_id=visitor.pk,
        visitor_external_id=visitor.external_id,
        user=visitor.user,
        widget_key=conversation.widget_key,
        page_url=visitor.page_url,
        language=conversation.language,
    )


def _tools(
    bot: Bot, context: ToolContext, backend: Backend, passages: Sequence[Passage]
) -> dict[str, Tool]:
    if not backend.supports_tools:
        return {}
    more = []
    if backend.uses_knowledge:
        more = [search_knowledge_tool(_search, first_number=len(passages) + 1)]
    built_in = {"hand_off", *(tool.name for tool in more)}
    offered = tools_for(context, more=more)
    if not bot.tools:
        return offered
    return {name: tool for name, tool in offered.items() if name in {*bot.tools, *built_in}}


async def _search(query: str, context: ToolContext) -> Sequence[Passage]:
    return await in_work_thread(retrieve, query, (), context.language, context.widget_key)


def _previous_response(turn: Turn, earlier: Sequence[_Said]) -> str | None:
    """The response to go on from: only if nobody else spoke since that answer."""
    if not earlier:
        return None
    last = Turn.objects.filter(
        conversation_id=turn.conversation_id,
        message_id=earlier[-1].message_id,
        status=TurnStatus.DONE,
    ).first()
    return last.response_id or None if last is not None else None
