"""What Markdown says: its statements one by one, with or without marks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from markdown_it.token import Token

from bots.knowledge.passages import parse, sentences

Kind = Literal["sentence", "item", "row", "code"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, list item, table row or code block."""

    kind: Kind
    text: str
    """Inline Markdown on one line; of a code block the block as it is."""
    block: int
    """Number of the block it stands in, counted from 0."""
    marker: str = ""
    """How a list item or row begins: ``- `` or ``2. ``, indented below another item."""


def statements(markdown: str) -> list[Statement]:
    """Everything a text states, in order; headings are left out."""
    reader = _Reader()
    for token in parse(markdown):
        reader.read(token)
    return reader.found


def plain(markdown: str) -> str:
    """The words of a text on one line, without Markdown's marks and without headings."""
    reader = _Reader(marks=False)
    for token in parse(markdown):
        reader.read(token)
    return " ".join(statement.text for statement in reader.found)


class _Reader:
    """Walks over block tokens and remembers where it is."""

    def __init__(self, *, marks: bool = True) -> None:
        self.found: list[Statement] = []
        self._marks = marks
        self._open: list[Token] = []
        self._numbers: list[int] = []
        self._fresh_item = False
        self._header: list[str] = []
        self._cells: list[str] = []
        self._block = -1

    def read(self, token: Token) -> None:
        """Take the next token."""
        if token.level == 0 and token.nesting >= 0:
            self._block += 1
        if token.nesting == 1:
            self._enter(token)
        elif token.nesting == -1:
            self._leave(self._open.pop())
        elif token.type == "inline":
            self._inline(token)
        elif token.type in {"fence", "code_block"}:
            text = token.content.rstrip()
            self._state("code", f"```\n{text}\n```" if self._marks else " ".join(text.split()))

    def _enter(self, token: Token) -> None:
        self._open.append(token)
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            self._numbers.append(int(token.attrGet("start") or 1) - 1)
        elif token.type == "list_item_open":
            self._numbers[-1] += 1
            self._fresh_item = True
        elif token.type == "tr_open":
            self._cells = []

    def _leave(self, opened: Token) -> None:
        if opened.type in {"bullet_list_open", "ordered_list_open"}:
            self._numbers.pop()
        elif opened.type == "tr_open":
            self._end_row()

    def _end_row(self) -> None:
        if self._inside("thead_open"):
            self._header = self._cells
        else:
            named = [
                f"{name}: {cell}" if name and place else cell
                for place, (name, cell) in enumerate(zip(self._header, self._cells, strict=False))
                if cell
            ]
            self._state(
                "row",
                f"{named[0]} – {rest}" if (rest := ", ".join(named[1:])) else "".join(named),
                "- ",
            )

    def _inline(self, token: Token) -> None:
        holder = self._open[-1].type
        text = " ".join((token.content if self._marks else _words(token)).split())
        if holder in {"th_open", "td_open"}:
            self._cells.append(text)
        elif self._numbers:
            self._state("item", text, self._marker())
            self._fresh_item = False
        elif holder != "heading_open":
            for sentence in sentences(text):
                self._state("sentence", sentence)

    def _marker(self) -> str:
        indent = "   " * (len(self._numbers) - 1)
        if not self._fresh_item:
            return f"{indent}   "
        numbered = any(token.type == "ordered_list_open" for token in self._lists()[-1:])
        return f"{indent}{self._numbers[-1]}. " if numbered else f"{indent}- "

    def _lists(self) -> list[Token]:
        kinds = {"bullet_list_open", "ordered_list_open"}
        return [token for token in self._open if token.type in kinds]

    def _inside(self, kind: str) -> bool:
        return any(token.type == kind for token in self._open)

    def _state(self, kind: Kind, text: str, marker: str = "") -> None:
        if text.strip():
            self.found.append(Statement(kind, text, self._block, marker if self._marks else ""))


def _words(token: Token) -> str:
    """The visible text of an inline token."""
    parts = []
    for child in token.children or []:
        if child.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif child.type in {"text", "code_inline", "image"}:
            parts.append(child.content)
    return "".join(parts)
