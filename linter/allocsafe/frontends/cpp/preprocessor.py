"""`#if` inside a function.

Claim: which branch is compiled cannot be told here, so the branches are the arms of an `If` with an opaque condition;
they open no scope.
"""

from __future__ import annotations

from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node
from allocsafe.ir.nodes import If

_ARMS = frozenset(["preproc_else", "preproc_elif", "preproc_elifdef"])


def preprocessor(lo: Lowering, node: Node) -> None:
    """`#if`: which branch is compiled cannot be told here."""
    condition_node = node.child_by_field_name("condition") or node.child_by_field_name("name")
    if node.type == "preproc_else":
        _arm(lo, [child for child in node.children if child.is_named])
        return
    word = node.child(0).type if node.child_count else "#if"
    shown = " ".join(lo.text(condition_node).split())[:80] if condition_node is not None else ""
    text = f"not {shown}" if word == "#ifndef" else shown
    arms = node.child_by_field_name("alternative")
    inside = [
        child
        for child in node.children
        if child.is_named and child != condition_node and child.type not in _ARMS and child.type != "preproc_directive"
    ]
    cond = lo.opaque(node, f"preprocessor: {text}")
    with lo.builder.block() as then:
        _arm(lo, inside)
    with lo.builder.block() as orelse:
        if arms is not None:
            preprocessor(lo, arms)
    lo.builder.emit(If(lo.span(node), cond, then.steps, orelse.steps))


def _arm(lo: Lowering, nodes: list[Node]) -> None:
    lo.frame.arm_depths.append(len(lo.frame.scopes))
    try:
        lo.sequence(nodes)
    finally:
        lo.frame.arm_depths.pop()
