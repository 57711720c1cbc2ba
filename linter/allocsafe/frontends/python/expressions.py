"""Expressions that are one value: names, literals, attributes, subscripts, operators, conditions.

Claim: operands are evaluated once, left to right, and only where Python would. Why that suffices: `and`, `or`, `x if
c else y` and comparison chains are `If` steps whose arms end with the same register; long chains of operators are
taken apart by a loop, so that they cost no Python stack and the blocks do not nest. What it gives up: integers of
more than 4,000 digits are opaque.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from typing import Any

import libcst as cst

from allocsafe.frontends.python.lower import Lowering, expression
from allocsafe.ir.nodes import (
    At,
    Await,
    Binary,
    Call,
    Compare,
    Const,
    Escape,
    Format,
    GetAttr,
    GetItem,
    If,
    Index,
    IndexItem,
    Item,
    New,
    Reg,
    Slice,
    Unary,
    Yield,
)

_SINGLETONS = {"None": None, "True": True, "False": False}

BINARY: dict[type, str] = {
    cst.Add: "+",
    cst.Subtract: "-",
    cst.Multiply: "*",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.MatrixMultiply: "@",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.BitAnd: "&",
    cst.BitOr: "|",
    cst.BitXor: "^",
}
_COMPARE: dict[type, str] = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.Is: "is",
    cst.IsNot: "is-not",
    cst.In: "in",
    cst.NotIn: "not-in",
}
_UNARY: dict[type, str] = {cst.Minus: "-", cst.Plus: "+", cst.BitInvert: "~", cst.Not: "not"}


# ---------------------------------------------------------------- names and literals


@expression(cst.Name)
def name(lo: Lowering, node: cst.Name) -> Reg:
    text = node.value
    if text in _SINGLETONS:
        return lo.const(lo.span(node), _SINGLETONS[text])
    return lo.load(lo.span(node), text)


@expression(cst.Ellipsis)
def ellipsis(lo: Lowering, node: cst.Ellipsis) -> Reg:
    return lo.const(lo.span(node), ...)


@expression(cst.Integer, cst.Float, cst.Imaginary)
def number(lo: Lowering, node: cst.Integer | cst.Float | cst.Imaginary) -> Reg:
    text = node.value.replace("_", "")
    value: int | float | complex
    try:
        if isinstance(node, cst.Integer):
            value = int(text, 0)
        else:
            value = float(text) if isinstance(node, cst.Float) else complex(text.lower())
    except ValueError:
        return lo.opaque(lo.span(node), (), "a number too long to read")
    return lo.const(lo.span(node), value)


def string_value(node: cst.SimpleString) -> str | bytes | None:
    """What a string literal says, or None if Python would refuse it."""
    text = node.value
    if "\\" not in text and text[0] in "\"'" and text[1:3] != text[0] * 2:
        return text[1:-1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the linted file's affair
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError):
        return None
    return value if isinstance(value, (str, bytes)) else None


@expression(cst.SimpleString)
def string(lo: Lowering, node: cst.SimpleString) -> Reg:
    value = string_value(node)
    if value is None:
        return lo.opaque(lo.span(node), (), "a string that cannot be read")
    return lo.const(lo.span(node), value)


@expression(cst.ConcatenatedString)
def strings(lo: Lowering, node: cst.ConcatenatedString) -> Reg:
    parts: list[cst.BaseExpression] = []
    rest: cst.BaseExpression = node
    while isinstance(rest, cst.ConcatenatedString):
        parts.append(rest.left)
        rest = rest.right
    parts.append(rest)
    values = [string_value(part) if isinstance(part, cst.SimpleString) else None for part in parts]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        return lo.const(lo.span(node), "".join(texts))
    binary = [value for value in values if isinstance(value, bytes)]
    if len(binary) == len(values):
        return lo.const(lo.span(node), b"".join(binary))
    regs = tuple(lo.expr(part) for part in parts)
    dst = lo.fresh()
    lo.emit(Format(lo.span(node), dst, regs))
    return dst


@expression(cst.FormattedString)
def formatted(lo: Lowering, node: cst.FormattedString) -> Reg:
    regs: list[Reg] = []
    _pieces(lo, node, regs, node.parts)
    dst = lo.fresh()
    lo.emit(Format(lo.span(node), dst, tuple(regs)))
    return dst


def _pieces(lo: Lowering, whole: cst.CSTNode, regs: list[Reg], parts: Iterable[Any]) -> None:
    """The values that become text: the fields, and what their format specs name."""
    for part in parts:
        value = getattr(part, "expression", None)
        if value is None:
            regs.append(lo.const(lo.span(whole), part.value.replace("{{", "{").replace("}}", "}")))
            continue
        regs.append(lo.expr(value))
        _pieces(lo, whole, regs, [piece for piece in part.format_spec or () if hasattr(piece, "expression")])


def templated(lo: Lowering, node: Any) -> Reg:
    """A t-string, which not every version of the parser knows, keeps its values; nothing is turned into text."""
    regs: list[Reg] = []
    _pieces(lo, node, regs, [part for part in node.parts if hasattr(part, "expression")])
    span = lo.span(node)
    lo.emit(Escape(span, tuple(regs), "a template string keeps its values"))
    return lo.opaque(span, tuple(regs), "a template string")


if hasattr(cst, "TemplatedString"):
    expression(cst.TemplatedString)(templated)


# ---------------------------------------------------------------- attributes and subscripts


@expression(cst.Attribute)
def attribute(lo: Lowering, node: cst.Attribute) -> Reg:
    obj = lo.expr(node.value)
    dst = lo.fresh()
    lo.emit(GetAttr(lo.span(node), dst, obj, node.attr.value))
    return dst


@expression(cst.Subscript)
def subscript(lo: Lowering, node: cst.Subscript) -> Reg:
    obj = lo.expr(node.value)
    found = index(lo, node)
    dst = lo.fresh()
    lo.emit(GetItem(lo.span(node), dst, obj, found))
    return dst


def index(lo: Lowering, node: cst.Subscript) -> Index:
    """What stands between the brackets; `x[(i, j)]` is `x[i, j]`."""
    elements = node.slice
    items: list[IndexItem] = []
    is_tuple = len(elements) > 1 or isinstance(elements[0].comma, cst.Comma)
    for element in elements:
        part = element.slice
        if isinstance(part, cst.Slice):
            lower = lo.expr(part.lower) if part.lower is not None else None
            upper = lo.expr(part.upper) if part.upper is not None else None
            items.append(Slice(lower, upper, lo.expr(part.step) if part.step is not None else None))
        elif isinstance(part, cst.Index):
            value = part.value
            if not is_tuple and part.star is None and isinstance(value, cst.Tuple):
                inner = [
                    At(lo.expr(e.value), star=isinstance(e, cst.StarredElement)) for e in value.elements
                ]  # the empty tuple of `x[()]` as well
                return Index(tuple(inner), is_tuple=True)
            starred = part.star is not None or isinstance(value, cst.StarredElement)
            items.append(At(lo.expr(value.value if isinstance(value, cst.StarredElement) else value), star=starred))
            is_tuple = is_tuple or starred
        else:
            items.append(At(lo.unknown(part)))
    return Index(tuple(items), is_tuple)


# ---------------------------------------------------------------- operators


@expression(cst.UnaryOperation)
def unary(lo: Lowering, node: cst.UnaryOperation) -> Reg:
    op = _UNARY[type(node.operator)]
    inner = node.expression
    if op == "-" and isinstance(inner, (cst.Integer, cst.Float)) and not inner.lpar:
        here = lo.b.here
        reg = lo.expr(inner)
        step = lo.b.last
        if lo.b.here == here + 1 and isinstance(step, Const) and isinstance(step.value, (int, float)):
            step.value = -step.value
            step.span = lo.span(node)
            return reg
    else:
        reg = lo.expr(inner)
    dst = lo.fresh()
    lo.emit(Unary(lo.span(node), dst, op, reg))
    return dst


@expression(cst.BinaryOperation)
def binary(lo: Lowering, node: cst.BinaryOperation) -> Reg:
    chain = [node]
    left = node.left
    while isinstance(left, cst.BinaryOperation):
        chain.append(left)
        left = left.left
    reg = lo.expr(left)
    for link in reversed(chain):
        right = lo.expr(link.right)
        dst = lo.fresh()
        lo.emit(Binary(lo.span(link), dst, BINARY[type(link.operator)], reg, right))
        reg = dst
    return reg


@expression(cst.BooleanOperation)
def boolean(lo: Lowering, node: cst.BooleanOperation) -> Reg:
    """`a and b and c` is `(a and b) and c`: one `If` after the other, whichever way the parser nests them."""
    is_and = isinstance(node.operator, cst.And)
    terms: list[cst.BaseExpression] = []
    stack: list[cst.BaseExpression] = [node]
    while stack:
        term = stack.pop()
        if isinstance(term, cst.BooleanOperation) and isinstance(term.operator, cst.And) == is_and:
            stack += (term.right, term.left)
        else:
            terms.append(term)
    reg = lo.expr(terms[0])
    span = lo.span(node)
    for term in terms[1:]:
        dst = lo.fresh()
        more, stop = lo.arm(term, dst), lo.moved(lo.span(term), dst, reg)
        lo.emit(If(span, reg, more, stop) if is_and else If(span, reg, stop, more))
        reg = dst
    return reg


@expression(cst.Comparison)
def comparison(lo: Lowering, node: cst.Comparison) -> Reg:
    span = lo.span(node)
    left = lo.expr(node.left)
    first, *others = node.comparisons
    right = lo.expr(first.comparator)
    result = lo.fresh()
    lo.emit(
        Compare(lo.between(node.left, first) if others else span, result, _COMPARE[type(first.operator)], left, right)
    )
    opened: list[tuple[Reg, Reg]] = []  # the answer so far, and the register of the whole from there on
    for target in others:
        whole = lo.fresh()
        opened.append((result, whole))
        lo.b.open()
        lo.arm_depth()
        left, right = right, lo.expr(target.comparator)
        result = lo.fresh()
        lo.emit(Compare(lo.span(target.comparator), result, _COMPARE[type(target.operator)], left, right))
    for answer, whole in reversed(opened):
        lo.into(span, whole, result)
        lo.emit(If(span, answer, lo.b.close(), lo.moved(span, whole, answer)))
        result = whole
    return result


@expression(cst.IfExp)
def conditional(lo: Lowering, node: cst.IfExp) -> Reg:
    cond = lo.expr(node.test)
    dst = lo.fresh()
    then = lo.arm(node.body, dst)
    lo.emit(If(lo.span(node), cond, then, lo.arm(node.orelse, dst)))
    return dst


@expression(cst.NamedExpr)
def walrus(lo: Lowering, node: cst.NamedExpr) -> Reg:
    from allocsafe.ir.nodes import Store

    reg = lo.expr(node.value)
    if isinstance(node.target, cst.Name):
        text = node.target.value
        lo.emit(Store(lo.span(node.target), text, reg, lo.scope.target(text)))
    return reg


# ---------------------------------------------------------------- displays


@expression(cst.Tuple, cst.List, cst.Set)
def display(lo: Lowering, node: cst.Tuple | cst.List | cst.Set) -> Reg:
    items = tuple(Item(lo.expr(e.value), star=isinstance(e, cst.StarredElement)) for e in node.elements)
    dst = lo.fresh()
    kind = type(node)
    lo.emit(New(lo.span(node), dst, "tuple" if kind is cst.Tuple else "list" if kind is cst.List else "set", items))
    return dst


@expression(cst.Dict)
def dictionary(lo: Lowering, node: cst.Dict) -> Reg:
    items: list[Item] = []
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = lo.expr(element.key)
            items.append(Item(lo.expr(element.value), key))
        else:
            items.append(Item(lo.expr(element.value), star=True))
    dst = lo.fresh()
    lo.emit(New(lo.span(node), dst, "dict", tuple(items)))
    return dst


@expression(cst.StarredElement)
def starred(lo: Lowering, node: cst.StarredElement) -> Reg:
    """A star where no display or call takes it: the parser lets some through that Python refuses."""
    return lo.opaque(lo.span(node), (lo.expr(node.value),), "a starred expression on its own")


# ---------------------------------------------------------------- generators and coroutines


@expression(cst.Await)
def awaited(lo: Lowering, node: cst.Await) -> Reg:
    src = lo.expr(node.expression)
    made = lo.b.last
    if isinstance(made, Call) and made.dst == src:
        made.awaited = True  # a coroutine that nobody waits for has not run
    dst = lo.fresh()
    lo.emit(Await(lo.span(node), dst, src))
    return dst


@expression(cst.Yield)
def yielded(lo: Lowering, node: cst.Yield) -> Reg:
    lo.has_yield = True
    value = node.value
    src = None
    if value is not None:
        src = lo.expr(value.item if isinstance(value, cst.From) else value)
    dst = lo.fresh()
    lo.emit(Yield(lo.span(node), dst, src, isinstance(value, cst.From)))
    return dst
