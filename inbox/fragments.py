"""Server-rendered pieces of the operators' page: first paint and live update are the same template.

A piece is made from a wire frame alone, so it holds nothing of the operator who reads it and is
rendered once per event and language, however many sockets receive it. What differs from reader
to reader (unread, mine) the page adds from ``data-`` attributes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import mark_safe

from inbox.realtime.records import encode_json

Frame = dict[str, Any]

REMEMBERED = 4_000
"""Rendered pieces kept for the next socket or page that wants the same, about 2 KB each."""

_rendered: OrderedDict[tuple[Any, ...], str] = OrderedDict()


def thread_fragments(frame: Frame, language: str) -> list[Frame]:
    """What a durable operator frame changes in an open thread, as ``fragment`` frames."""
    thread = f"thread-{frame['conversation_id']}"
    match frame["type"]:
        case "message":
            target, action, render = thread, "append", render_message
        case "conversation":
            target, action, render = thread, "append", render_change
        case "message_updated":
            target, action, render = f"words-{frame['id']}", "replace", render_words
        case _:
            return []
    # The words are part of the key: a replay after a removal must not find what was removed.
    key = (thread, frame["seq"], hash(frame.get("content")), language)
    html = _once(key, lambda: render(frame), language)
    return [_fragment(frame["conversation_id"], target, action, html, frame["seq"])]


def row_fragment(summary: Frame, language: str) -> Frame:
    """A list's row after a change, as a ``fragment`` frame."""
    conversation_id = summary["conversation_id"]
    key = ("row", conversation_id, summary["head"], summary["updated_at"], language)
    html = _once(key, lambda: render_row(summary), language)
    return _fragment(conversation_id, f"row-{conversation_id}", "upsert", html, summary["head"])


def listed_row(summary: Frame, *, view: str, unread: int, selected: bool) -> str:
    """One row of a page's list; pages of many readers hold the same ones."""
    fields = {"view": view, "unread": unread, "selected": selected}
    return _shown(
        ("list", encode_json(summary), *fields.values()),
        lambda: render_to_string("inbox/_row.html", {"row": summary, **fields}),
    )


def shown_message(frame: Frame, *, grouped: bool) -> str:
    """One message of a page's thread; ``grouped`` stands under the one before it."""
    return _shown(
        ("page", encode_json(frame), grouped),
        lambda: render_to_string("inbox/_message.html", {"message": frame, "grouped": grouped}),
    )


def render_message(frame: Frame) -> str:
    """One message of a thread."""
    return render_to_string("inbox/_message.html", {"message": frame})


def render_words(frame: Frame) -> str:
    """The words of a message that was edited or redacted."""
    return render_to_string("inbox/_words.html", {"message": {"role": "operator", **frame}})


def render_change(frame: Frame) -> str:
    """The thin line that tells of a change of state."""
    return render_to_string("inbox/_change.html", {"change": frame})


def render_row(summary: Frame) -> str:
    """One row of a list, without its unread mark."""
    return render_to_string("inbox/_row.html", {"row": summary})


def _fragment(conversation_id: str, target: str, action: str, html: str, version: int) -> Frame:
    return {
        "type": "fragment",
        "conversation_id": conversation_id,
        "target": target,
        "action": action,
        "html": html,
        "version": version,
    }


def _shown(key: tuple[Any, ...], render: Callable[[], str]) -> str:
    """Remembered by everything it was made from, for a page in the reader's language and zone."""
    language = translation.get_language() or ""
    place = (language, timezone.get_current_timezone_name())
    return mark_safe(_once((*key, *place), render, language))  # noqa: S308 -- a template made it


def _once(key: tuple[Any, ...], render: Callable[[], str], language: str) -> str:
    html = _rendered.get(key)
    if html is None:
        with translation.override(language):
            # Joined to a plain string: the wire's encoder takes no subclass of str.
            html = render() + ""
        _rendered[key] = html
        if len(_rendered) > REMEMBERED:
            _rendered.popitem(last=False)
    return html
