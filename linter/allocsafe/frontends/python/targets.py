"""Assignment targets: where a value goes, for `=`, `for`, `with`, `del` and the augmented assignments.

Claim: the target's own expressions are evaluated after the value, left to right, once. Why that suffices: every
statement that binds goes through `assign`; an augmented target keeps the registers of its object and index between
the read and the store back. What it gives up: nothing that Python has.
"""

from __future__ import annotations

import libcst as cst

from allocsafe.frontends.python.expressions import index
from allocsafe.frontends.python.lower import Lowering
from allocsafe.ir.nodes import Aug, Delete, Escape, GetAttr, GetItem, Reg, SetAttr, SetItem, Unpack


def assign(lo: Lowering, target: cst.BaseExpression, src: Reg) -> None:
    """`target = src`."""
    if isinstance(target, cst.Name):
        lo.store(lo.span(target), target.value, src)
    elif isinstance(target, cst.Attribute):
        obj = lo.expr(target.value)
        lo.emit(SetAttr(lo.span(target), obj, target.attr.value, src))
    elif isinstance(target, cst.Subscript):
        obj = lo.expr(target.value)
        found = index(lo, target)
        lo.emit(SetItem(lo.span(target), obj, found, src))
    elif isinstance(target, (cst.Tuple, cst.List)):
        unpack(lo, target, src)
    elif isinstance(target, cst.StarredElement):
        assign(lo, target.value, src)
    else:
        lo.emit(Escape(lo.span(target), (src,), f"assignment to {type(target).__name__}"))


def unpack(lo: Lowering, target: cst.Tuple | cst.List, src: Reg) -> None:
    """`a, (b, *c) = src`."""
    dsts = tuple(lo.fresh() for _ in target.elements)
    stars = [i for i, element in enumerate(target.elements) if isinstance(element, cst.StarredElement)]
    lo.emit(Unpack(lo.span(target), dsts, src, stars[0] if stars else None))
    for element, reg in zip(target.elements, dsts, strict=True):
        assign(lo, element.value, reg)


def augment(lo: Lowering, target: cst.BaseExpression, op: str, value: cst.BaseExpression, whole: cst.CSTNode) -> None:
    """`target op= value`: read the target, compute, store back."""
    span = lo.span(whole)
    place = lo.span(target)
    old = lo.fresh()
    new = lo.fresh()
    if isinstance(target, cst.Attribute):
        obj = lo.expr(target.value)
        lo.emit(GetAttr(place, old, obj, target.attr.value))
        lo.emit(Aug(span, new, op, old, lo.expr(value)))
        lo.emit(SetAttr(place, obj, target.attr.value, new))
    elif isinstance(target, cst.Subscript):
        obj = lo.expr(target.value)
        found = index(lo, target)
        lo.emit(GetItem(place, old, obj, found))
        lo.emit(Aug(span, new, op, old, lo.expr(value)))
        lo.emit(SetItem(place, obj, found, new))
    elif isinstance(target, cst.Name):
        old = lo.load(place, target.value)
        lo.emit(Aug(span, new, op, old, lo.expr(value)))
        lo.store(place, target.value, new)
    else:
        lo.unknown(whole)


def delete(lo: Lowering, target: cst.BaseExpression) -> None:
    """`del target`."""
    if isinstance(target, cst.Name):
        where, name = lo.scope.where(target.value)
        lo.emit(Delete(lo.span(target), name, where))
    elif isinstance(target, cst.Attribute):
        obj = lo.expr(target.value)
        lo.emit(SetAttr(lo.span(target), obj, target.attr.value, None))
    elif isinstance(target, cst.Subscript):
        obj = lo.expr(target.value)
        found = index(lo, target)
        lo.emit(SetItem(lo.span(target), obj, found, None))
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            delete(lo, element.value)
    else:
        lo.unknown(target)
