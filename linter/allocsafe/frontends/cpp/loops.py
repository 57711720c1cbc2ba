"""Loops: counted ones as `Range` and `For`, all others as `While`.

Claim: `for (T i = a; i < b; i += c)` runs its body for exactly the values of `Range(a, b, c)` if the body assigns
neither i nor anything that b or c names; so only then is it a `For`. Why that suffices: the checks look at every
assignment, `++`, `&x`, reference, lambda and changing method call on those names in the body. What it gives up: a
bound read through a pointer that another name writes through.
"""

from __future__ import annotations

from allocsafe.frontends.cpp import cpptypes, declarators
from allocsafe.frontends.cpp.changes import changed_names
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.counted import Counted, counted_loop_of
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Binary, Const, For, Range, Store, Unary, Unpack, While


def for_loop(lo: Lowering, node: Node) -> None:
    lo.push()
    try:
        counted = counted_loop_of(lo, node)
        if counted is not None:
            _counted_loop(lo, node, counted)
        else:
            _plain_for(lo, node)
    finally:
        lo.pop()


def _counted_loop(lo: Lowering, node: Node, counted: Counted) -> None:
    span = lo.span(node)
    emit = lo.builder.emit
    start = lo.value(counted.start)
    stop = lo.value(counted.bound)
    if counted.sign in {"<=", ">="}:
        one, past = lo.constant(counted.bound, 1), lo.reg()
        emit(Binary(lo.span(counted.bound), past, "+" if counted.sign == "<=" else "-", stop, one))
        stop = past
    if isinstance(counted.step, int):
        stride = lo.constant(node, -counted.step if counted.is_down else counted.step)
    else:
        stride = lo.value(counted.step)
        if counted.is_down:
            negative = lo.reg()
            emit(Unary(lo.span(counted.step), negative, "-", stride))
            stride = negative
    turns, item = lo.reg(), lo.reg()
    emit(Range(span, turns, start, stop, stride))
    if counted.is_declared:
        first = node.child_by_field_name("initializer")
        # Nothing in the body changes it: a call that is handed its name does not either.
        name = lo.declare(counted.name, "const " + declarators.base_type(lo, first)).name
    else:
        local = lo.resolve(counted.name)[0]
        name = local.name if local is not None else counted.name
    with lo.builder.block() as body:
        lo.builder.emit(Store(lo.span(counted.start), name, item))
        _body(lo, node)
    lo.builder.emit(For(span, item, turns, body.steps))
    if not counted.is_declared:
        after = lo.opaque(node, "the counter after its loop", (start, stop))
        lo.builder.emit(Store(span, name, after))


def _body(lo: Lowering, node: Node) -> None:
    body = node.child_by_field_name("body")
    if body is not None:
        lo.frame.loops += 1
        lo.block(body)
        lo.frame.loops -= 1


def _plain_for(lo: Lowering, node: Node) -> None:
    first, test, update = (node.child_by_field_name(field) for field in ("initializer", "condition", "update"))
    if first is not None:
        lo.statement(first)
    with lo.builder.block() as testing:
        if test is None:
            cond = lo.reg()
            lo.builder.emit(Const(lo.span(node), cond, True))
        else:
            cond = lo.value(test)
    with lo.builder.block() as body:
        _body(lo, node)
    with lo.builder.block() as updating:
        if update is not None:
            lo.value(update)
    lo.builder.emit(While(lo.span(node), testing.steps, cond, body.steps, update=updating.steps))


def while_loop(lo: Lowering, node: Node) -> None:
    lo.push()
    with lo.builder.block() as testing:
        cond = lo.condition(node.child_by_field_name("condition"))
    with lo.builder.block() as body:
        _body(lo, node)
    lo.builder.emit(While(lo.span(node), testing.steps, cond, body.steps))
    lo.pop()


def do_loop(lo: Lowering, node: Node) -> None:
    with lo.builder.block() as body:
        _body(lo, node)
    with lo.builder.block() as testing:
        cond = lo.value(node.child_by_field_name("condition"))
    lo.builder.emit(While(lo.span(node), testing.steps, cond, body.steps, body_first=True))


def range_loop(lo: Lowering, node: Node) -> None:
    """`for (T x : xs)`. By reference, a write to x is a write to an element of xs."""
    lo.push()
    first = node.child_by_field_name("initializer")
    if first is not None:
        for child in parts(first) if first.type == "init_statement" else [first]:
            lo.statement(child)
    iterable = lo.value(node.child_by_field_name("right"))
    declarator = node.child_by_field_name("declarator")
    taken = declarators.take_apart(lo, declarator)
    ctype = cpptypes.tidy(declarators.base_type(lo, node).removeprefix("for").lstrip(" (") + taken.stars)
    span = lo.span(declarator)
    item = lo.reg()
    names = list(taken.bindings) or ([lo.text(taken.name)] if taken.name is not None else [])
    body_node = node.child_by_field_name("body")
    writes = (
        "&" in taken.stars
        and not cpptypes.is_const(ctype)
        and body_node is not None
        and bool(set(names) & changed_names(lo, body_node, calls_change=True))
    )
    with lo.builder.block() as body:
        if taken.bindings:
            dsts = tuple(lo.reg() for _ in names)
            lo.builder.emit(Unpack(span, dsts, item))
            for name, dst in zip(names, dsts, strict=True):
                lo.builder.emit(Store(span, lo.declare(name).name, dst))
        elif names:
            shown = "" if "auto" in ctype else cpptypes.bare(ctype)
            lo.builder.emit(Store(span, lo.declare(names[0], shown).name, item))
        if writes:
            lo.escape(node, "range-for by reference writes its element", (iterable,))
        _body(lo, node)
    lo.builder.emit(For(lo.span(node), item, iterable, body.steps))
    if writes:
        lo.escape(node, "range-for by reference writes its element", (iterable,))
    lo.pop()
