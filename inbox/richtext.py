"""Turns what people and bots wrote into safe HTML for the operators' page and the admin.

Two gates: markdown-it makes no raw HTML, nh3 lets only a few tags and safe addresses through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

LINK = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_~]")

TAGS = {
    *("p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
REL = "noopener noreferrer nofollow ugc"


def markdown(text: str) -> SafeString:
    """A bot's or an operator's words: Markdown without HTML and without remote pictures."""
    return _clean(_markdown.render(text))


def plain(text: str) -> SafeString:
    """A visitor's words exactly as typed; only addresses become links."""
    parts: list[str] = []
    last = 0
    for match in LINK.finditer(text):
        parts.append(escape(text[last : match.start()]))
        address = escape(match.group())
        parts.append(f'<a href="{address}">{address}</a>')
        last = match.end()
    parts.append(escape(text[last:]))
    lines = "".join(parts).replace("\r\n", "\n").replace("\n", "<br>")
    return _clean(f"<p>{lines}</p>")


def _clean(html: str) -> SafeString:
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=REL,
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(cleaned)  # noqa: S308 -- nh3 has just cleaned it


def _picture_as_link(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """A remote picture would tell its server who reads; the reader decides by a click."""
    token = tokens[index]
    address = escape(str(token.attrs.get("src", "")))
    return f'<a href="{address}">{escape(token.content or str(token.attrs.get("src", "")))}</a>'


def _link_bare_addresses(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = _linked(block.children)


def _linked(tokens: Sequence[Token]) -> list[Token]:
    found: list[Token] = []
    inside_link = 0
    for token in tokens:
        inside_link += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not inside_link and "://" in token.content:
            found.extend(_split(token.content))
        else:
            found.append(token)
    return found


def _split(text: str) -> list[Token]:
    parts: list[Token] = []
    last = 0
    for match in LINK.finditer(text):
        address = match.group()
        parts += [_text(text[last : match.start()]), Token("link_open", "a", 1)]
        parts[-1].attrs["href"] = address
        parts += [_text(address), Token("link_close", "a", -1)]
        last = match.end()
    return [*parts, _text(text[last:])]


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("image", _picture_as_link)
    parser.core.ruler.push("bare_addresses", _link_bare_addresses)
    return parser


_markdown = _parser()
