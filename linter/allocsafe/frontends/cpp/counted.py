"""Which `for` loops count.

Claim: `counted` answers only for a loop whose variable and bound nothing in the body changes (see `changes`), so its
turns are known before it starts. What it gives up: loops with two counters, and bounds behind a pointer that another
name writes through.
"""

from __future__ import annotations

from typing import NamedTuple

from allocsafe.frontends.cpp import declarators, literals
from allocsafe.frontends.cpp.changes import READING, changed_names
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts, walk

_SIGNS = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}


class Counted(NamedTuple):
    """The parts of a counted loop."""

    name: str
    start: Node
    sign: str  # with the variable on the left
    bound: Node
    step: int | Node  # a number, or the expression after `+=`
    is_down: bool
    is_declared: bool


def counted_loop_of(lo: Lowering, node: Node) -> Counted | None:
    first, test, update, body = (
        node.child_by_field_name(field) for field in ("initializer", "condition", "update", "body")
    )
    if first is None or test is None or update is None or body is None or test.type != "binary_expression":
        return None
    left, right = test.child_by_field_name("left"), test.child_by_field_name("right")
    sign = test.child_by_field_name("operator").type
    step = _step(lo, update)
    if step is None or sign not in _SIGNS:
        return None
    name, amount, is_down = step
    if (
        right.type == "identifier"
        and lo.text(right) == name
        and not (left.type == "identifier" and lo.text(left) == name)
    ):
        left, right, sign = right, left, _SIGNS[sign]
    if left.type != "identifier" or lo.text(left) != name or name in lo.identifiers(right):
        return None
    if (sign in {"<", "<="} and is_down) or (sign in {">", ">="} and not is_down):
        return None
    if sign == "!=" and amount != 1:
        return None
    start = _start(lo, first, name)
    if start is None:
        return None
    changed = changed_names(lo, body)
    fixed = {name, *lo.identifiers(right)} | (set() if isinstance(amount, int) else set(lo.identifiers(amount)))
    if fixed & changed or _members(lo, right) & changed:
        return None
    if any(inner.type in {"assignment_expression", "update_expression"} for inner in walk(right)):
        return None
    if not isinstance(amount, int) and any(inner.type == "call_expression" for inner in walk(amount)):
        return None
    return Counted(name, start, sign, right, amount, is_down, first.type == "declaration")


def _members(lo: Lowering, node: Node) -> set[str]:
    return {lo.text(inner) for inner in walk(node) if inner.type == "field_identifier"} - READING


def _step(lo: Lowering, update: Node) -> tuple[str, int | Node, bool] | None:
    """`++i`, `i += c`, `i = i + c` as (name, amount, downwards)."""
    if update.type == "update_expression":
        target = update.child_by_field_name("argument")
        if target.type == "identifier":
            return lo.text(target), 1, any(child.type == "--" for child in update.children)
        return None
    if update.type != "assignment_expression":
        return None
    target, right = update.child_by_field_name("left"), update.child_by_field_name("right")
    sign = update.child_by_field_name("operator").type
    if target.type != "identifier":
        return None
    name = lo.text(target)
    if sign == "=" and right.type == "binary_expression":
        inner = right.child_by_field_name("operator").type
        if inner not in {"+", "-"} or lo.text(right.child_by_field_name("left")) != name:
            return None
        sign, right = inner + "=", right.child_by_field_name("right")
    if sign not in {"+=", "-="} or name in lo.identifiers(right):
        return None
    amount = literals.number(lo.text(right)) if right.type == "number_literal" else None
    if isinstance(amount, int):
        return (name, amount, sign == "-=") if amount > 0 else None
    return (name, right, sign == "-=") if amount is None else None


def _start(lo: Lowering, first: Node, name: str) -> Node | None:
    """The start value of `name` in the first part: a declaration of it alone, or an assignment."""
    if first.type == "declaration":
        listed = first.children_by_field_name("declarator")
        if len(listed) != 1:
            return None
        taken = declarators.take_apart(lo, listed[0])
        if taken.name is None or lo.text(taken.name) != name or taken.stars or taken.extents:
            return None
        if taken.value is not None:
            return taken.value
        given = parts(taken.braces) if taken.braces is not None else (taken.arguments or [])
        return given[0] if len(given) == 1 else None
    if first.type == "assignment_expression" and first.child_by_field_name("operator").type == "=":
        left = first.child_by_field_name("left")
        if left.type == "identifier" and lo.text(left) == name:
            local, scope, own = lo.resolve(name)
            if local is not None and own and scope == "local" and local.place is None:
                right: Node = first.child_by_field_name("right")
                return right
    return None
