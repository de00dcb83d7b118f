"""Small wrong changes of a function's body: what a suite must notice if it means what it says.

A tool of our own, because a child needs a copy of the prepared database for itself and only the
tests that come by the changed line. It compiles the changed function alone, so that a fork of one
session can swap it in: no import, no migration, no collection for each change.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

Change = Callable[[], None]
Named = tuple[str, Change]

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
REMOVED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """One change in one function of one file."""

    path: str
    function: str
    """Qualified name, as code objects have it."""
    line: int
    what: str
    number: int
    """Which of the file's changes."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}: {self.what}"


def mutants_of(path: Path, name: str) -> list[Mutant]:
    """Every change that a file's functions allow, in order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        Mutant(name, function, line, what, number)
        for number, (function, line, what, _) in enumerate(_changes(tree))
    ]


def code_with(path: Path, mutant: Mutant) -> dict[str, CodeType]:
    """The file's functions by qualified name, the change made in one of them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for number, (_, _, _, change) in enumerate(_changes(tree)):
        if number == mutant.number:
            change()
            break
    module = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    return dict(_functions(module))


def _functions(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _functions(constant)


def _changes(
    tree: ast.AST, scope: tuple[str, ...] = (), function: str = ""
) -> Iterator[tuple[str, int, str, Change]]:
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "args", "decorator_list", "type_comment"):
            continue
        parts = value if isinstance(value, list) else [value]
        for place, node in enumerate(parts):
            if not isinstance(node, ast.AST):
                continue
            inner, inside = scope, function
            if isinstance(node, ast.ClassDef):
                inner = (*scope, node.name)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inside = ".".join((*scope, node.name))
                inner = (*scope, node.name, "<locals>")
            if _is_left_alone(node, name, place):
                continue
            if inside and inside == function:
                siblings = value if isinstance(value, list) else None
                for what, change in _of(node, siblings, place):
                    yield inside, getattr(node, "lineno", 0), what, change
            yield from _changes(node, inner, inside)


def _is_left_alone(node: ast.AST, name: str, place: int) -> bool:
    """Docstrings and the log: no test should depend on their words."""
    if not isinstance(node, ast.Expr):
        return False
    text = ast.unparse(node.value)
    is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return is_string or text.startswith("logger.")


def _of(node: ast.AST, siblings: list[ast.AST] | None, place: int) -> Iterator[Named]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            other = COMPARED[type(op)]
            yield f"{ast.unparse(node)} with {other.__name__}", _sets(node, "ops", [other()])
        case ast.BoolOp(op=op):
            other_op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"and/or in {ast.unparse(node)}", _sets(node, "op", other_op)
        case ast.BinOp(op=op) if type(op) in COUNTED:
            counted = COUNTED[type(op)]
            yield f"{ast.unparse(node)} with {counted.__name__}", _sets(node, "op", counted())
        case ast.Constant(value=bool() as yes):
            yield f"{yes} turned", _sets(node, "value", not yes)
        case ast.Constant(value=int() | float() as number):
            yield f"{number} + 1", _sets(node, "value", number + 1)
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield (
                f"return None, not {ast.unparse(value)}"[:90],
                _sets(node, "value", ast.Constant(None)),
            )
        case ast.If(test=test) | ast.IfExp(test=test):
            turned = ast.UnaryOp(ast.Not(), copy.deepcopy(test))
            yield f"not ({ast.unparse(test)})", _sets(node, "test", turned)
    is_written = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
    if siblings is not None and (isinstance(node, REMOVED) or is_written):
        yield f"without {ast.unparse(node)}"[:90], _puts(siblings, place, ast.Pass())


def _sets(node: ast.AST, name: str, value: object) -> Change:
    return lambda: setattr(node, name, value)


def _puts(siblings: list[ast.AST], place: int, node: ast.AST) -> Change:
    def put() -> None:
        siblings[place] = ast.copy_location(node, siblings[place])

    return put
