"""Assignments: plain, compound, counting, `std::tie`, and the outputs of inline assembly.

Claim: the right side is evaluated first, as C++17 has it, then the place, which is read at most once and written
once.
"""

from __future__ import annotations

from allocsafe.frontends.cpp import allocations, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.operators import arithmetic, operator_of
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Aug, Const, Reg, Unpack


def assignment(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    sign = operator_of(node)
    span = lo.span(node)
    if sign == "=" and left.type == "call_expression" and lo.text(left.child_by_field_name("function")) in _TIES:
        return _tie(lo, node, left, right, dst)
    if sign == "=":
        # The right side first, as C++17 has it.
        if right.type == "initializer_list" and left.type == "identifier":
            local = lo.resolve(lo.text(left))[0]
            ctype = local.ctype if local is not None else ""
            if ctype:
                src = allocations.construct(lo, right, ctype, [], right, dst)
                places.store(lo, places.place(lo, left), src, span)
                return src
        ctype = allocations.copied_container(lo, left, right)
        src = allocations.copy_of(lo, right, ctype, dst) if ctype else lo.value(right, dst)
        places.store(lo, places.place(lo, left), src, span)
        return src
    b = lo.value(right)
    where = places.place(lo, left)
    old = places.load(lo, where, lo.span(left))
    dst = dst or lo.reg()
    op = sign[:-1]
    lo.builder.emit(Aug(span, dst, {"%": "c%", "/": arithmetic(lo, "/", node)}.get(op, op), old, b))
    places.store(lo, where, dst, span)
    return dst


_TIES = frozenset(("std::tie", "tie", "cute::tie"))


def _tie(lo: Lowering, node: Node, left: Node, right: Node, dst: Reg | None) -> Reg:
    """`std::tie(a, b) = x`."""
    span = lo.span(node)
    src = lo.value(right, dst)
    targets = parts(left.child_by_field_name("arguments"))
    dsts = tuple(lo.reg() for _ in targets)
    if dsts:
        lo.builder.emit(Unpack(span, dsts, src))
    for target, reg in zip(targets, dsts, strict=True):
        if lo.text(target) != "std::ignore":
            places.store(lo, places.place(lo, target), reg, span)
    return src


def assembly(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    """Inline assembly reads its inputs, may write through them, and stores its outputs."""
    span = lo.span(node)
    inputs = []
    for operand in _operands(node, "input_operands"):
        inputs.append(lo.value(operand.child_by_field_name("value")))
    outputs = [places.place(lo, operand.child_by_field_name("value")) for operand in _operands(node, "output_operands")]
    if inputs:
        lo.escape(node, "inline assembly", tuple(inputs))
    for where in outputs:
        places.store(lo, where, lo.opaque(node, "inline assembly", tuple(inputs)), span)
    return lo.nothing(node, dst)


def _operands(node: Node, field: str) -> list[Node]:
    listed = node.child_by_field_name(field)
    found = parts(listed) if listed is not None else []
    return [operand for operand in found if operand.child_by_field_name("value") is not None]


def update(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    argument = node.child_by_field_name("argument")
    is_prefix = node.child(0).type in {"++", "--"}
    sign = "+" if operator_of(node) == "++" else "-"
    span = lo.span(node)
    where = places.place(lo, argument)
    old = places.load(lo, where, span, None if is_prefix else dst)
    one = lo.reg()
    lo.builder.emit(Const(span, one, 1))
    new = (dst if is_prefix else None) or lo.reg()
    lo.builder.emit(Aug(span, new, sign, old, one))
    places.store(lo, where, new, span)
    return new if is_prefix else old
