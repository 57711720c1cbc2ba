"""Operators: arithmetic, comparison, short circuit, `?:`, insertion into streams.

Claim: `a / b` is `c/`, C++'s division of integers, unless an operand is surely floating; `&&`, `||`, `?:` are
branches whose arms assign one register. Long chains of one operator are walked without recursion.
"""

from __future__ import annotations

from allocsafe.frontends.cpp import cpptypes, literals
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node
from allocsafe.ir.nodes import Binary, Cast, Compare, Const, Format, If, Reg, Unary

_COMPARE = words("== != < <= > >=")


_WORDS = {"and": "&&", "or": "||", "not_eq": "!=", "bitand": "&", "bitor": "|", "xor": "^", "not": "!", "compl": "~"}


_UNARY = {"-": "-", "+": "+", "~": "~", "!": "not"}


_FLOATING = words("float double half __half __nv_bfloat16 nv_bfloat16")


def operator_of(node: Node) -> str:
    sign = node.child_by_field_name("operator")
    text = sign.type if sign is not None else ""
    return _WORDS.get(text, text)


def binary(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    chain: list[Node] = []
    here = node
    while here.type == "binary_expression" and operator_of(here) not in {"&&", "||"}:
        chain.append(here)
        here = here.child_by_field_name("left")
    if not chain:
        return _logical(lo, node, dst)
    if operator_of(chain[-1]) == "<<" and is_stream(lo, here):
        shifts = 0
        while shifts < len(chain) and operator_of(chain[-1 - shifts]) == "<<":
            shifts += 1
        printed = tuple(lo.value(chain[-1 - at].child_by_field_name("right")) for at in range(shifts))
        last = shifts == len(chain)
        left = dst if last and dst else lo.reg()
        lo.builder.emit(Format(lo.span(chain[-shifts]), left, printed))
        chain = chain[:-shifts]
    else:
        left = lo.value(here)
    for step in reversed(chain):
        right = lo.value(step.child_by_field_name("right"))
        out = dst if step is node and dst else lo.reg()
        sign = operator_of(step)
        span = lo.span(step)
        if sign in _COMPARE:
            lo.builder.emit(Compare(span, out, sign, left, right))
        elif sign == "<=>":
            lo.opaque(step, "a three-way comparison", (left, right), out)
        else:
            lo.builder.emit(Binary(span, out, arithmetic(lo, sign, step), left, right))
        left = out
    return left


def arithmetic(lo: Lowering, sign: str, node: Node) -> str:
    """`/` by the operands that can be seen: integer division unless one is surely floating."""
    if sign == "%":
        return "c%"
    if sign != "/":
        return sign
    sides = (node.child_by_field_name("left"), node.child_by_field_name("right"))
    return "/" if any(side is not None and _is_floating(lo, side) for side in sides) else "c/"


def _is_floating(lo: Lowering, node: Node) -> bool:
    while node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    if node.type == "number_literal":
        return isinstance(literals.number(lo.text(node)), float)
    if node.type == "identifier":
        local = lo.resolve(lo.text(node))[0]
        return local is not None and cpptypes.bare(local.ctype) in _FLOATING
    if node.type == "cast_expression":
        return cpptypes.bare(lo.text(node.child_by_field_name("type"))) in _FLOATING
    if node.type == "call_expression":
        text = cpptypes.tidy(lo.text(node.child_by_field_name("function")))
        return text in _FLOATING or text.removeprefix("static_cast<").removesuffix(">") in _FLOATING
    if node.type == "binary_expression" and operator_of(node) in {"+", "-", "*", "/"}:
        return any(_is_floating(lo, node.child_by_field_name(side)) for side in ("left", "right"))
    return False


def is_stream(lo: Lowering, node: Node) -> bool:
    if node.type == "qualified_identifier":
        return lo.text(node) in {"std::cout", "std::cerr", "std::clog"}
    if node.type == "identifier":
        name = lo.text(node)
        local = lo.resolve(name)[0]
        return cpptypes.is_stream(local.ctype) if local is not None else name in {"cout", "cerr", "LOG"}
    if node.type == "call_expression":
        head = lo.text(node.child_by_field_name("function"))
        return head in {"LOG", "VLOG", "std::ostringstream", "std::stringstream"}
    return False


def _logical(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    dst = dst or lo.reg()
    span = lo.span(node)
    is_and = operator_of(node) == "&&"
    left = lo.value(node.child_by_field_name("left"))
    with lo.builder.block() as more:
        right = node.child_by_field_name("right")
        lo.builder.emit(Cast(lo.span(right), dst, lo.value(right), "bool"))
    with lo.builder.block() as decided:
        lo.builder.emit(Const(span, dst, not is_and))
    then, orelse = (more.steps, decided.steps) if is_and else (decided.steps, more.steps)
    lo.builder.emit(If(span, left, then, orelse))
    return dst


def conditional(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    dst = dst or lo.reg()
    cond = lo.value(node.child_by_field_name("condition"))
    arms = []
    for field in ("consequence", "alternative"):
        with lo.builder.block() as arm:
            chosen = node.child_by_field_name(field)
            if chosen is None:
                lo.builder.emit(Cast(lo.span(node), dst, cond, ""))
            else:
                lo.value(chosen, dst)
        arms.append(arm.steps)
    lo.builder.emit(If(lo.span(node), cond, arms[0], arms[1]))
    return dst


def unary(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    sign = operator_of(node)
    argument = node.child_by_field_name("argument")
    if sign == "-" and argument.type == "number_literal":
        number = literals.number(lo.text(argument))
        if number is not None:
            return lo.constant(node, -number, dst)
    x = lo.value(argument)
    if sign not in _UNARY:
        return lo.opaque(node, f"operator {sign}", (x,), dst)
    dst = dst or lo.reg()
    lo.builder.emit(Unary(lo.span(node), dst, _UNARY[sign], x))
    return dst
