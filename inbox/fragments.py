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
from django.utils import translation

Frame = dict[str, Any]

REMEMBERED = 2_000
"""Rendered pieces kept for the next socket that wants the same."""

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
