"""The text of a Triton kernel as one launch compiles it: branches on flags that the launch knows are taken or gone.

*Claim.* What `known_text` leaves out is not executed by a launch with these values. *Why that suffices.* Only tests
that are made of parameters alone (names, `not`, `and`, `or`, comparisons with constants) are decided, and a parameter
that the kernel assigns to is none. *What it gives up.* A flag that a decorator computes.

    if HAS_BIAS:                 HAS_BIAS=False:
        y += tl.load(bias)           gone: the dummy that stands for `bias` is not read
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias


class Truthy(NamedTuple):
    """Of a value nobody knows, whether it counts as true: no constant to compare with."""

    holds: bool


Flag: TypeAlias = bool | int | str | Truthy | None
"""What a parameter is known to be: a constant, or true or false."""

_UNTOLD = object()


def known_text(text: str, flags: Mapping[str, Flag]) -> str:
    """The kernel's definition without what its launch leaves out; the text itself if nothing is."""
    return _specialised(text, tuple(sorted(flags.items(), key=lambda item: item[0])))


@lru_cache(maxsize=256)
def _specialised(text: str, flags: tuple[tuple[str, Flag], ...]) -> str:
    function = _definition(text)
    if function is None:
        return text
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    known = {**_defaults(function, {name for name, _ in flags}), **dict(flags)}
    cut = _Cut({name: value for name, value in known.items() if name not in stored})
    function.decorator_list = []
    cut.visit(function)
    return ast.unparse(ast.fix_missing_locations(function)) + "\n" if cut.done else text


def _definition(text: str) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError):
        return None
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef)), None)


def _defaults(function: ast.FunctionDef, given: set[str]) -> dict[str, Flag]:
    """The constants that parameters are if the launch says nothing."""
    args = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(args[len(args) - len(function.args.defaults) :], function.args.defaults, strict=True))
    pairs += [(a, d) for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d is not None]
    out: dict[str, Flag] = {}
    for arg, default in pairs:
        value = default.value if isinstance(default, ast.Constant) else ...
        if arg.arg not in given and (value is None or isinstance(value, (bool, int, str))):
            out[arg.arg] = value
    return out


class _Cut(ast.NodeTransformer):
    """Replaces decided branches by what is taken."""

    def __init__(self, known: dict[str, Flag]) -> None:
        self.known = known
        self.done = False

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        told = self._truth(node.test)
        if told is None:
            return self.generic_visit(node)
        self.done = True
        kept: list[ast.stmt] = []
        for statement in node.body if told else node.orelse:
            made = self.visit(statement)
            kept += made if isinstance(made, list) else [made]
        return kept or [ast.Pass()]

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        told = self._truth(node.test)
        if told is None:
            return self.generic_visit(node)
        self.done = True
        out: ast.AST = self.visit(node.body if told else node.orelse)
        return out

    def _truth(self, test: ast.expr) -> bool | None:
        """Whether the test holds; None if that cannot be said."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._truth(test.operand)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            parts = [self._truth(part) for part in test.values]
            decisive = isinstance(test.op, ast.Or)
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            left, right = self._value(test.left), self._value(test.comparators[0])
            if any(v is _UNTOLD or isinstance(v, Truthy) for v in (left, right)) or not isinstance(
                test.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
            ):
                return None
            if isinstance(test.ops[0], (ast.Is, ast.IsNot)) and None not in (left, right):
                return None  # whether two equal numbers are one object is not said
            return (left == right) == isinstance(test.ops[0], (ast.Eq, ast.Is))
        value = self._value(test)
        if isinstance(value, Truthy):
            return value.holds
        return None if value is _UNTOLD else bool(value)

    def _value(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant):
            return node.value
        return self.known.get(node.id, _UNTOLD) if isinstance(node, ast.Name) else _UNTOLD


__all__ = ["Flag", "known_text"]
