"""Comprehensions: an empty display, the loops, and one element a turn.

Claim: `[f(x) for x in xs if p(x)]` runs the same steps as the loops it abbreviates. Its variables are the
comprehension's own: they get names like `x@1`, so that a variable of the function with the same name keeps its value.
Generator expressions are lowered alike where a call takes them at once; one that is kept may run at any later time,
so it is followed by an escape over what it made. What it gives up: laziness (`any(...)` stops early), and `{**d for d
in ds}`.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import libcst as cst

from allocsafe.frontends.python.lower import Lowering, expression
from allocsafe.frontends.python.scopes import targets
from allocsafe.frontends.python.targets import assign
from allocsafe.ir.nodes import Append, At, Escape, For, If, Index, New, Reg, SetItem


@expression(cst.ListComp)
def listed(lo: Lowering, node: cst.ListComp) -> Reg:
    return _collect(lo, node, "list")


@expression(cst.SetComp)
def set_of(lo: Lowering, node: cst.SetComp) -> Reg:
    return _collect(lo, node, "set")


@expression(cst.GeneratorExp)
def kept_generator(lo: Lowering, node: cst.GeneratorExp) -> Reg:
    return generator(lo, node, kept=True)


def generator(lo: Lowering, node: cst.GeneratorExp, *, kept: bool) -> Reg:
    """A generator expression as a list; `kept` if it is not used up at once, by a call or by unpacking."""
    text = lo.cut.text_of(node)
    if kept and "(" in text[1:]:  # what it calls is called later, or never
        words = sorted(set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)))
        around = tuple(lo.load(lo.span(node), word) for word in words if lo.scope.where(word)[0] != "global")
        lo.emit(Escape(lo.span(node), around, "a generator expression that runs later"))
    dst = _collect(lo, node, "list")
    if kept:
        lo.emit(Escape(lo.span(node), (dst,), "a generator expression that runs later"))
    return dst


def _collect(lo: Lowering, node: cst.BaseSimpleComp, kind: Literal["list", "set"]) -> Reg:
    span = lo.span(node)
    dst = lo.fresh()
    lo.emit(New(span, dst, kind))
    close = _open(lo, node.for_in)
    elt = node.elt
    if isinstance(elt, cst.StarredElement):
        parts = lo.expr(elt.value)
        item = lo.fresh()
        lo.emit(For(lo.span(elt), item, parts, (Append(lo.span(elt), dst, item),)))
    else:
        src = lo.expr(elt)
        lo.emit(Append(lo.span(elt), dst, src))
    close()
    return dst


@expression(cst.DictComp)
def mapped(lo: Lowering, node: cst.DictComp) -> Reg:
    dst = lo.fresh()
    lo.emit(New(lo.span(node), dst, "dict"))
    close = _open(lo, node.for_in)
    key = lo.expr(node.key)
    value = lo.expr(node.value)
    lo.emit(SetItem(lo.between(node.key, node.value), dst, Index((At(key),)), value))
    close()
    return dst


def merged(lo: Lowering, node: Any) -> Reg:
    """`{**d for d in ds}`, which not every version of the parser knows."""
    dst = lo.fresh()
    span = lo.span(node)
    lo.emit(New(span, dst, "dict"))
    close = _open(lo, node.for_in)
    value = lo.expr(node.value)
    lo.emit(Escape(span, (dst, value), "dictionaries merged by a comprehension"))
    close()
    return dst


if hasattr(cst, "StarredDictComp"):
    expression(cst.StarredDictComp)(merged)


class _Level:
    """One `for` or `if` of a comprehension, still open."""

    __slots__ = ("cond", "item", "iterable", "node")

    def __init__(self, node: cst.CompFor | cst.CompIf, cond: Reg = "", item: Reg = "", iterable: Reg = "") -> None:
        self.node = node
        self.cond = cond
        self.item = item
        self.iterable = iterable


class _Close:
    """Ends the loops and conditions of one comprehension, innermost first."""

    __slots__ = ("levels", "lo", "pushed")

    def __init__(self, lo: Lowering, levels: list[_Level]) -> None:
        self.lo = lo
        self.levels = levels

    def __call__(self) -> None:
        lo = self.lo
        for level in reversed(self.levels):
            body = lo.b.close()
            node = level.node
            if isinstance(node, cst.CompFor):
                span = lo.between(node.target, node.iter)
                is_async = node.asynchronous is not None
                lo.emit(For(span, level.item, level.iterable, body, (), is_async))
            else:
                lo.emit(If(lo.span(node.test), level.cond, body))
        lo.scope.renames.pop()


def _open(lo: Lowering, first: cst.CompFor) -> _Close:
    """Opens the loops and conditions; the first iterable still sees the names around the comprehension."""
    levels: list[_Level] = []
    renamed: dict[str, str] = {}
    node: cst.CompFor | None = first
    while node is not None:
        iterable = lo.expr(node.iter)
        if node is first:
            lo.renamed += 1
            loop: cst.CompFor | None = first
            while loop is not None:
                renamed.update({name: f"{name}@{lo.renamed}" for name in targets(loop.target)})
                loop = loop.inner_for_in
            lo.scope.renames.append(renamed)
        item = lo.fresh()
        levels.append(_Level(node, item=item, iterable=iterable))
        lo.b.open()
        lo.arm_depth()
        assign(lo, node.target, item)
        for test in node.ifs:
            cond = lo.expr(test.test)
            levels.append(_Level(test, cond=cond))
            lo.b.open()
        node = node.inner_for_in
    return _Close(lo, levels)
