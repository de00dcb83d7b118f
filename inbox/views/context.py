"""What the templates of the operators' page are given."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from inbox import fragments, lists, queries
from inbox.conf import inbox_settings
from inbox.errors import InboxError
from inbox.models import Conversation, Operator, Role
from inbox.ports import panels
from inbox.realtime.records import Record, timestamp
from inbox.realtime.summaries import summary_body
from inbox.views.access import language_of
from inbox.views.texts import SCRIPT_TEXTS, shortcuts, view_titles

GROUP_SECONDS = 300
"""Words of one author within this time stand together under one name."""

Context = dict[str, Any]


def desk_context(
    request: HttpRequest,
    view: str,
    conversation: Conversation | None = None,
    *,
    error: InboxError | None = None,
) -> Context:
    """The whole page."""
    operator = queries.operator_of(request.user)
    counts = lists.counters(request.user)
    titles = view_titles()
    context: Context = {
        **rows_context(request, view, conversation),
        "views": [
            {"name": name, "title": title, "count": lists.shown(counts.get(name))}
            for name, title in titles.items()
        ],
        "operator": operator,
        "my_name": operator.name if operator else request.user.get_username(),
        "shortcuts": shortcuts(),
        "page": _script_context(request, operator),
    }
    if conversation is not None:
        context |= thread_context(request, view, conversation)
        context["error"] = error.message if error else ""
        # Words that were refused stay in the composer.
        wrote = error is not None and request.POST.get("action") == "write"
        context["draft"] = request.POST if wrote else {}
    return context


def rows_context(
    request: HttpRequest, view: str, conversation: Conversation | None = None
) -> Context:
    """The list; raises ``invalid_field`` for a broken cursor."""
    search = request.GET.get("search", "")[:200]
    page = lists.conversation_page(
        request.user, view=view, search=search, cursor=request.GET.get("cursor", "")
    )
    following = {"cursor": page.next, **({"search": search} if search else {})}
    return {
        "view": view,
        "view_title": view_titles()[view],
        "search": search,
        "rows": [
            fragments.listed_row(
                summary_body(row),
                view=view,
                unread=row.unread,  # type: ignore[attr-defined]
                selected=conversation is not None and row.pk == conversation.pk,
            )
            for row in page.results
        ],
        "next_url": f"{reverse('inbox:view', args=[view])}?{urlencode(following)}"
        if page.next
        else "",
        "first_run": not page.results and not Conversation.objects.exists(),
    }


def thread_context(request: HttpRequest, view: str, conversation: Conversation) -> Context:
    """An open conversation with its details."""
    operator = queries.operator_of(request.user)
    thread = queries.thread(conversation, before=_number(request.GET.get("before")))
    own_url = reverse("inbox:conversation", args=[view, conversation.pk])
    first = thread.records[0].seq if thread.records else 0
    tags, teams = queries.labels_and_teams(conversation)
    return {
        "view": view,
        "conversation": conversation,
        "mine": operator is not None
        and conversation.operator_id == operator.pk
        and conversation.handled_by == "operator",
        "items": thread_items(thread.records),
        "head": thread.head,
        "waiting_since": timestamp(conversation.waiting_since)
        if conversation.waiting_since
        else "",
        "earlier_url": f"{own_url}?before={first}" if thread.has_earlier else "",
        "reads": {"user": conversation.read_by_user},  # type: ignore[attr-defined]
        "client_id": uuid.uuid4().hex,
        "draft": {},
        "teams": teams,
        "colleagues": [_with_presence(colleague) for colleague in queries.colleagues()],
        "snooze_choices": snooze_choices(timezone.localtime()),
        "handoff": conversation.handoffs.first(),
        "tags": [tag for tag in tags if tag.worn],
        "known_tags": tags,
        "answer_sources": _answer_sources(thread.records),
        "others": queries.other_conversations(request.user, conversation),
        "panels": _panels(request, conversation),
        "admin_url": _admin_url(request, conversation),
    }


def thread_items(records: list[Record]) -> list[dict[str, Any]]:
    """Records as pieces of a page, with a day's line before the first of each day.

    A message that was changed later already shows its present words.
    """
    items: list[dict[str, Any]] = []
    day: dt.date | None = None
    last: dict[str, Any] | None = None
    state: tuple[Any, ...] = ()
    for record in records:
        frame = record.frame("operator")
        if record.kind == "message":
            written = dt.datetime.fromisoformat(frame["timestamp"])
            today = timezone.localtime(written).date()
            grouped = last is not None and today == day and _continues(last, frame, written)
            html = fragments.shown_message(frame, grouped=grouped)
            items.append({"html": html, "day": today if today != day else None})
            day, last = today, frame
        elif record.kind == "conversation" and state != (state := _state(frame)):
            items.append({"html": fragments.render_change(frame), "day": None})
            last = None
    return items


def snooze_choices(now: dt.datetime) -> list[dict[str, Any]]:
    """The usual wishes, as local times."""
    morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
    rounded = now.replace(second=0, microsecond=0)
    return [
        {"title": _("In an hour"), "until": rounded + dt.timedelta(hours=1)},
        {"title": _("In four hours"), "until": rounded + dt.timedelta(hours=4)},
        {"title": _("Tomorrow"), "until": morning + dt.timedelta(days=1)},
        {"title": _("Next Monday"), "until": morning + dt.timedelta(days=7 - now.weekday())},
    ]


def _continues(last: dict[str, Any], frame: dict[str, Any], written: dt.datetime) -> bool:
    same = all(last.get(key) == frame.get(key) for key in ("role", "kind", "author"))
    gap = (written - dt.datetime.fromisoformat(last["timestamp"])).total_seconds()
    return same and gap <= GROUP_SECONDS


def _state(change: dict[str, Any]) -> tuple[Any, ...]:
    """What a change line tells; tags change a conversation without changing this."""
    operator = change.get("operator") or {}
    return change["status"], change["handled_by"], operator.get("id")


def _with_presence(operator: Operator) -> Operator:
    operator.is_here = operator.available and _is_fresh(operator)  # type: ignore[attr-defined]
    return operator


def _is_fresh(operator: Operator) -> bool:
    seen = operator.last_seen_at
    lease = dt.timedelta(seconds=inbox_settings.PRESENCE_LEASE_SECONDS)
    return seen is not None and seen >= timezone.now() - lease


def _answer_sources(records: list[Record]) -> list[dict[str, str]]:
    """What the latest answer on the page rests on."""
    for record in reversed(records):
        if record.kind == "message" and record.body["role"] == Role.ASSISTANT:
            return list(record.body["sources"])
    return []


def _panels(request: HttpRequest, conversation: Conversation) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for panel in panels():
        content = panel(conversation, request.user)
        if content is not None:
            html: SafeString = mark_safe(  # noqa: S308 -- a template of the host's own
                render_to_string(content.template, content.context, request)
            )
            shown.append({"title": content.title, "html": html})
    return shown


def _admin_url(request: HttpRequest, conversation: Conversation) -> str:
    user = request.user
    if not (user.is_staff and user.has_perm("frontdesk_inbox.view_conversation")):
        return ""
    try:
        return reverse("admin:frontdesk_inbox_conversation_change", args=[conversation.pk])
    except NoReverseMatch:
        return ""


def _script_context(request: HttpRequest, operator: Operator | None) -> Context:
    return {
        "operator": operator.pk if operator else None,
        "name": operator.name if operator else request.user.get_username(),
        "sound": operator.sound if operator else True,
        "language": language_of(request),
        "api": reverse("inbox-api:root"),
        "inbox": reverse("inbox:index"),
        "max_chars": inbox_settings.MAX_MESSAGE_CHARS,
        "texts": {key: str(text) for key, text in SCRIPT_TEXTS.items()},
    }


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None
