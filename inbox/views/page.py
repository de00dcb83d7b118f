"""The operators' page: views, a list, a thread and details, each with a plain URL.

With ``?part=`` a page's script asks for one pane of the same page.
"""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from inbox import lists, queries
from inbox.errors import InboxError
from inbox.views.access import for_operators
from inbox.views.commands import run_command
from inbox.views.context import desk_context, rows_context, thread_context

PARTS = {
    "rows": "inbox/_part_rows.html",
    "thread": "inbox/_part_thread.html",
    "events": "inbox/_part_events.html",
    "details": "inbox/_part_details.html",
}


@for_operators
def index(request: HttpRequest) -> HttpResponse:
    """To what waits for me, or for anybody when nothing waits for me."""
    counts = lists.counters(request.user)
    view = "unassigned" if counts["unassigned"] and not counts["mine"] else "mine"
    return redirect("inbox:view", view)


@for_operators
def view_page(request: HttpRequest, view: str) -> HttpResponse:
    """A list without an open conversation."""
    if view not in lists.VIEWS:
        return missing(request)
    try:
        if request.GET.get("part") == "rows":
            return render(request, PARTS["rows"], rows_context(request, view))
        return render(request, "inbox/page.html", desk_context(request, view))
    except InboxError:
        # A cursor that somebody shortened: begin at the beginning.
        return redirect("inbox:view", view)


@for_operators
def conversation_page(request: HttpRequest, view: str, conversation_id: uuid.UUID) -> HttpResponse:
    """A conversation beside its list; a POST acts on it and comes back."""
    if view not in lists.VIEWS:
        return missing(request)
    try:
        conversation = queries.get_conversation(request.user, conversation_id)
    except InboxError:
        return missing(request)
    error: InboxError | None = None
    if request.method == "POST":
        try:
            run_command(request, conversation)
            return redirect(_after(request, view, conversation_id))
        except InboxError as refusal:
            error = refusal
            conversation = queries.get_conversation(request.user, conversation_id)
    part = request.GET.get("part", "")
    if part in PARTS and request.method == "GET":
        return render(request, PARTS[part], thread_context(request, view, conversation))
    context = desk_context(request, view, conversation, error=error)
    return render(request, "inbox/page.html", context, status=error.status if error else 200)


def missing(request: HttpRequest) -> HttpResponse:
    """The same page for what does not exist and for what one may not see."""
    return render(request, "inbox/missing.html", status=404)


def _after(request: HttpRequest, view: str, conversation_id: uuid.UUID) -> str:
    """Where a form leads: back to the conversation, or to the list when it went out of sight."""
    try:
        queries.get_conversation(request.user, conversation_id)
    except InboxError:
        return reverse("inbox:view", args=[view])
    return reverse("inbox:conversation", args=[view, conversation_id])
