"""Directives that print what the code declares, so that the reference cannot lag behind it."""

from __future__ import annotations

import ast
import importlib
import inspect
import typing
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from prometheus_client.metrics import MetricWrapperBase
from sphinx.application import Sphinx

CHECK_LEVELS = {"Error", "Warning", "Info"}


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; cells are Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


class Generated(Directive):
    """Parses the Markdown that `lines` returns, in the page that asks."""

    required_arguments = 1

    def lines(self, target: Any) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        module_name, _, name = self.arguments[0].rpartition(".")
        target = getattr(importlib.import_module(module_name), name)
        holder = nodes.container()
        text = StringList(self.lines(target), source=self.arguments[0])
        self.state.nested_parse(text, self.content_offset, holder)
        return list(holder.children)


class SettingsTable(Generated):
    """`{frontdesk-settings} inbox.conf.InboxSettings` with `:prefix: INBOX_`."""

    option_spec: ClassVar[Any] = {"prefix": str}

    def lines(self, target: Any) -> list[str]:
        rows = []
        for name, member in inspect.getmembers(target, lambda m: isinstance(m, property)):
            if name.isupper():
                kind = typing.get_type_hints(member.fget).get("return", Any)
                shown = (
                    kind.__name__
                    if isinstance(kind, type) and not typing.get_args(kind)
                    else str(kind)
                )
                text = " ".join((inspect.getdoc(member) or "").replace("``", "`").split())
                rows.append([f"`{self.options['prefix']}{name}`", f"`{shown}`", text])
        return table(["setting", "type", "meaning"], rows)


class ErrorTable(Generated):
    """`{frontdesk-errors} inbox.errors.MESSAGES`: code and text."""

    def lines(self, target: Any) -> list[str]:
        rows = [[f"`{code}`", str(text)] for code, text in sorted(target.items())]
        return table(["code", "text"], rows)


class CloseCodeTable(Generated):
    """`{frontdesk-close-codes} inbox.errors.CloseCode`: number and name."""

    def lines(self, target: Any) -> list[str]:
        rows = [[f"`{int(code)}`", code.name.lower().replace("_", " ")] for code in target]
        return table(["code", "meaning"], rows)


class MetricsTable(Generated):
    """`{frontdesk-metrics} module.any_metric`: all collectors of that module."""

    def lines(self, target: Any) -> list[str]:
        module = importlib.import_module(self.arguments[0].rpartition(".")[0])
        found = [value for value in vars(module).values() if isinstance(value, MetricWrapperBase)]
        rows = []
        for metric in found:
            [family] = metric.describe()
            suffix = "_total" if family.type == "counter" else ""
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)
            rows.append([f"`{family.name}{suffix}`", family.type, labels, family.documentation])
        return table(["metric", "type", "labels", "meaning"], rows)


class ChecksTable(Generated):
    """`{frontdesk-checks} app.checks.any_check`: every message that the module can give."""

    def lines(self, target: Any) -> list[str]:
        tree = ast.parse(inspect.getsource(inspect.getmodule(target)))
        rows = []
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in CHECK_LEVELS:
                given = {keyword.arg: keyword.value for keyword in call.keywords}
                cells = (given.get("id"), call.args[0] if call.args else None, given.get("hint"))
                rows.append([f"`{spoken(cells[0])}`", spoken(cells[1]), spoken(cells[2])])
        return table(["id", "message", "what to do"], sorted(rows))


def spoken(node: ast.expr | None) -> str:
    """A message as the code has it, with an ellipsis where it fills something in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        return "".join(str(part) for part in parts)
    return "…" if node is not None else ""


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("frontdesk-settings", SettingsTable)
    app.add_directive("frontdesk-errors", ErrorTable)
    app.add_directive("frontdesk-close-codes", CloseCodeTable)
    app.add_directive("frontdesk-metrics", MetricsTable)
    app.add_directive("frontdesk-checks", ChecksTable)
    return {"parallel_read_safe": True}
