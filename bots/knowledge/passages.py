"""Cuts an article's Markdown into passages that can be quoted alone. Pure.

Blocks (paragraphs, lists, tables, code) under the same headings are gathered up to a size; a
block that is too long is cut between sentences or list items, tables and code only when they are
several times too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_PASSAGE_CHARS = 900
MAX_WHOLE_CHARS = 4 * MAX_PASSAGE_CHARS
"""A table or code block is kept in one piece up to this size."""
HEADING_SEPARATOR = " › "

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'»”)\]*_]*\s+(?=[^a-zäöüß\s])")
_UNFINISHED = re.compile(
    r"(?:\b\w|\b(?:approx|bzw|ca|co|dr|etc|evtl|fig|ggf|inkl|max|min|mr|mrs|ms|nr|no|prof|st|str|tel|"
    r"usw|vs|zzgl))\.$",
    re.IGNORECASE,
)
"""A full stop that ends an abbreviation."""
_WHOLE = {"table_open", "fence", "code_block", "html_block"}
_LISTS = {"bullet_list_open", "ordered_list_open"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One passage before it is stored."""

    heading: str
    """Headings above it, outermost first, joined by " › "."""
    text: str
    """Markdown."""


@dataclass(frozen=True, slots=True)
class _Block:
    path: tuple[str, ...]
    text: str
    whole: bool


def parse(text: str) -> list[Token]:
    """The block tokens of a Markdown text with tables, HTML as plain text."""
    return _parser().parse(text)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def split(body: str, *, title: str = "") -> list[Piece]:
    """The passages of an article in order; an empty article has none.

    Args:
        body: Markdown.
        title: the article's title; a first heading that repeats it is left out of the paths.
    """
    pieces: list[Piece] = []
    path: tuple[str, ...] = ()
    parts: list[str] = []
    for block in _blocks(body, title):
        for part in _fitting(block):
            full = parts and sum(map(len, parts)) + 2 * len(parts) + len(part) > MAX_PASSAGE_CHARS
            if parts and (block.path != path or full):
                pieces.append(_piece(path, parts))
                parts = []
            path = block.path
            parts.append(part)
    if parts:
        pieces.append(_piece(path, parts))
    return pieces


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; "approx. 3 days" and "z. B. Lampen" are not cut."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if not _UNFINISHED.search(text[start : end.start()]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def _piece(path: tuple[str, ...], parts: list[str]) -> Piece:
    return Piece(HEADING_SEPARATOR.join(path)[:500], "\n\n".join(parts))


def _blocks(body: str, title: str) -> Iterator[_Block]:
    lines = body.splitlines()
    path: list[tuple[int, str]] = []
    tokens = parse("\n".join(lines))
    for index, token in enumerate(tokens):
        if token.level != 0 or token.map is None:
            continue
        if token.type == "heading_open":
            level, text = int(token.tag[1]), tokens[index + 1].content.strip()
            path = [entry for entry in path if entry[0] < level]
            if text.casefold() != title.strip().casefold():
                path.append((level, text))
        elif token.type not in {"hr", "heading_open"}:
            start, end = token.map
            text = "\n".join(lines[start:end]).strip("\n").rstrip()
            if text.strip():
                names = tuple(name for _, name in path)
                yield from _list_items(tokens, index, lines, names, text)


def _list_items(
    tokens: list[Token], index: int, lines: list[str], path: tuple[str, ...], text: str
) -> Iterator[_Block]:
    """A block as it is, a list that is too long as one block for each item."""
    token = tokens[index]
    if token.type not in _LISTS or len(text) <= MAX_PASSAGE_CHARS:
        yield _Block(path, text, token.type in _WHOLE)
        return
    for item in tokens[index + 1 :]:
        if item.level == 0:
            return
        if item.type == "list_item_open" and item.level == 1 and item.map is not None:
            start, end = item.map
            yield _Block(path, "\n".join(lines[start:end]).rstrip(), whole=False)


def _fitting(block: _Block) -> Iterator[str]:
    limit = MAX_WHOLE_CHARS if block.whole else MAX_PASSAGE_CHARS
    if len(block.text) <= limit:
        yield block.text
    elif block.whole:
        yield from _gathered(block.text.split("\n"), "\n")
    else:
        yield from _gathered(sentences(block.text), " ")


def _gathered(parts: list[str], glue: str) -> Iterator[str]:
    """Parts joined again up to the size of a passage; one part that is longer is cut hard."""
    gathered = ""
    for part in (piece for long in parts for piece in _cut(long)):
        if gathered and len(gathered) + len(glue) + len(part) > MAX_PASSAGE_CHARS:
            yield gathered
            gathered = part
        else:
            gathered = f"{gathered}{glue}{part}" if gathered else part
    if gathered.strip():
        yield gathered


def _cut(part: str) -> Iterator[str]:
    while len(part) > MAX_PASSAGE_CHARS:
        space = part.rfind(" ", MAX_PASSAGE_CHARS // 2, MAX_PASSAGE_CHARS)
        end = space if space > 0 else MAX_PASSAGE_CHARS
        yield part[:end].rstrip()
        part = part[end:].lstrip()
    yield part
