"""Compound statements: branches, loops, exceptions, contexts.

Claim: the IR's structure is the source's structure; a register that decides something is assigned before the step that
uses it. Spans of compound steps cover the head only, up to the colon: that is the line people want to see. What it
gives up: the types of `except` are evaluated before the `try` (they are names in all but freak code); `except*`, which
may run several handlers, becomes nested `try`s, so that a later handler may follow an earlier one.
"""

from __future__ import annotations

import libcst as cst

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python.lower import MOST_BLOCKS, Lowering, statement
from allocsafe.frontends.python.targets import assign
from allocsafe.ir.nodes import Block, For, Handler, If, Reg, Try, While, With
from allocsafe.source import Span


@statement(cst.If)
def branch(lo: Lowering, node: cst.If) -> None:
    cond = lo.expr(node.test)
    then = lo.suite(node.body)
    orelse: Block = ()
    if isinstance(node.orelse, cst.If):
        lo.b.open()
        if lo.b.depth > MOST_BLOCKS:
            raise Unsupported(lo.span(node.orelse.test), "`elif` branches that nest too deep")
        branch(lo, node.orelse)
        orelse = lo.b.close()
    elif node.orelse is not None:
        orelse = lo.suite(node.orelse.body)
    lo.emit(If(lo.between(node, node.test), cond, then, orelse))


@statement(cst.While)
def loop(lo: Lowering, node: cst.While) -> None:
    lo.b.open()
    cond = lo.expr(node.test)
    test = lo.b.close()
    body = lo.suite(node.body)
    lo.emit(While(lo.between(node, node.test), test, cond, body, _orelse(lo, node.orelse)))


@statement(cst.For)
def turns(lo: Lowering, node: cst.For) -> None:
    iterable = lo.expr(node.iter)
    item = lo.fresh()
    lo.b.open()
    assign(lo, node.target, item)
    lo.statements(node.body)
    body = lo.b.close()
    span = lo.between(node, node.iter)
    lo.emit(For(span, item, iterable, body, _orelse(lo, node.orelse), node.asynchronous is not None))


def _orelse(lo: Lowering, node: cst.Else | None) -> Block:
    return lo.suite(node.body) if node is not None else ()


@statement(cst.With)
def contexts(lo: Lowering, node: cst.With) -> None:
    """`with a as x, b as y` is two, one in the other."""
    opened: list[tuple[Span, Reg, Reg]] = []
    for item in node.items:
        ctx = lo.expr(item.item)
        dst = lo.fresh()
        opened.append((lo.span(item), ctx, dst))
        lo.b.open()
        if item.asname is not None:
            assign(lo, item.asname.name, dst)
    lo.statements(node.body)
    for span, ctx, dst in reversed(opened):
        lo.emit(With(span, ctx, dst, lo.b.close(), node.asynchronous is not None))


@statement(cst.Try)
def attempt(lo: Lowering, node: cst.Try) -> None:
    types = [lo.expr(handler.type) if handler.type is not None else None for handler in node.handlers]
    body = lo.suite(node.body)
    handlers = tuple(_handler(lo, h, reg) for h, reg in zip(node.handlers, types, strict=True))
    orelse = _orelse(lo, node.orelse)
    final = lo.suite(node.finalbody.body) if node.finalbody is not None else ()
    lo.emit(Try(lo.keyword(node, 3), body, handlers, orelse, final))


@statement(cst.TryStar)
def attempt_group(lo: Lowering, node: cst.TryStar) -> None:
    span = lo.keyword(node, 3)
    types = [lo.expr(handler.type) for handler in node.handlers]
    body = lo.suite(node.body)
    orelse = _orelse(lo, node.orelse)
    for i, (handler, reg) in enumerate(zip(node.handlers, types, strict=True)):
        body = (Try(span, body, (_handler(lo, handler, reg),), orelse if i == 0 else ()),)
    final = lo.suite(node.finalbody.body) if node.finalbody is not None else ()
    if final:
        body = (Try(span, body, (), (), final),)
    for step in body:
        lo.emit(step)


def _handler(lo: Lowering, node: cst.ExceptHandler | cst.ExceptStarHandler, types: Reg | None) -> Handler:
    name = None
    if node.name is not None and isinstance(node.name.name, cst.Name):
        name = node.name.name.value
    return Handler(lo.suite(node.body), types, name, _type_names(node.type))


def _type_names(node: cst.BaseExpression | None) -> tuple[str, ...]:
    """The last parts of the names; () if one is not a name, which may then be any type."""
    if node is None:
        return ()
    parts = [e.value for e in node.elements] if isinstance(node, cst.Tuple) else [node]
    names: list[str] = []
    for part in parts:
        if isinstance(part, cst.Name):
            names.append(part.value)
        elif isinstance(part, cst.Attribute):
            names.append(part.attr.value)
        else:
            return ()
    return tuple(names)
