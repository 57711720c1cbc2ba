"""`switch` as a chain of `If`, where that is what it means.

Claim: a switch whose cases all end in `break`, `return`, `throw` or `continue` (labels without statements share the
next body) does what a chain of comparisons with the value does. A `break` deeper inside leaves through a loop of one
turn around the chain. What it gives up: cases that fall through, and a `continue` beside a deep `break`, escape the
whole switch.
"""

from __future__ import annotations

from typing import NamedTuple

from allocsafe.frontends.cpp import places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Block, Cast, Compare, Const, If, Reg, While

_ENDS = words("""break_statement return_statement throw_statement continue_statement goto_statement""")
_NEVER_RETURN = words("""abort exit std::abort std::exit std::terminate __builtin_unreachable __trap throw_error""")
_LOOPS = frozenset(["for_statement", "while_statement", "do_statement", "for_range_loop"])


class Case(NamedTuple):
    labels: tuple[Node, ...]
    is_default: bool
    body: list[Node]


def switch(lo: Lowering, node: Node) -> None:
    body = node.child_by_field_name("body")
    cases = _cases(lo, body) if body is not None else None
    if cases is None:
        places.escape_names(lo, node, "a switch whose cases fall through")
        return
    deep = any(_jumps(statement, "break_statement") for case in cases for statement in case.body)
    if deep and any(_jumps(statement, "continue_statement") for case in cases for statement in case.body):
        places.escape_names(lo, node, "a switch left from inside by both break and continue")
        return
    lo.push()
    value = lo.condition(node.child_by_field_name("condition"))
    if not deep:
        _chain(lo, node, value, cases)
    else:
        with lo.builder.block() as once:
            lo.frame.loops += 1
            _chain(lo, node, value, cases)
            lo.frame.loops -= 1
        with lo.builder.block() as test:
            cond = lo.reg()
            lo.builder.emit(Const(lo.span(node), cond, False))
        lo.builder.emit(While(lo.span(node), test.steps, cond, once.steps, body_first=True))
    lo.pop()


def _cases(lo: Lowering, body: Node) -> list[Case] | None:
    found: list[Case] = []
    labels: list[Node] = []
    is_default = False
    children = parts(body)
    for number, child in enumerate(children):
        if child.type != "case_statement" or child.has_error:
            return None
        label = child.child_by_field_name("value")
        if label is not None:
            labels.append(label)
        else:
            is_default = True
        inside = [one for one in parts(child) if one != label]
        if not inside and number + 1 < len(children):
            continue
        while len(inside) == 1 and inside[0].type == "compound_statement":
            inside = parts(inside[0])
        if len(inside) > 1 and inside[-1].type == "break_statement" and inside[-2].type == "compound_statement":
            pass
        if number + 1 < len(children) and not _ends(lo, inside):
            return None
        if inside and inside[-1].type == "break_statement":
            inside = inside[:-1]
        found.append(Case(tuple(labels), is_default, inside))
        labels, is_default = [], False
    return found


def _ends(lo: Lowering, body: list[Node]) -> bool:
    """Whether control surely does not reach the next case."""
    if not body:
        return False
    last = body[-1]
    if last.type in _ENDS:
        return True
    if last.type == "compound_statement":
        return _ends(lo, parts(last))
    if last.type == "expression_statement" and last.named_child_count:
        call = last.named_children[0]
        if call.type == "call_expression":
            name = lo.text(call.child_by_field_name("function"))
            inside = call.child_by_field_name("arguments")
            first = parts(inside)[:1] if inside is not None else []
            fails = name.endswith("TORCH_CHECK") and bool(first) and lo.text(first[0]) == "false"
            return fails or name in _NEVER_RETURN or name in {"AT_ERROR", "TORCH_CHECK_NOT_IMPLEMENTED"}
        return bool(call.type == "throw_expression")
    if last.type == "if_statement":
        other = last.child_by_field_name("alternative")
        then = last.child_by_field_name("consequence")
        return other is not None and then is not None and _ends(lo, [then]) and _ends(lo, parts(other)[-1:])
    return False


def _jumps(node: Node, kind: str) -> bool:
    """Whether a jump in `node` belongs to the switch around it."""
    stack = [node]
    while stack:
        here = stack.pop()
        if here.type == kind:
            return True
        if here.type in _LOOPS or here.type == "lambda_expression":
            continue
        if here.type == "switch_statement" and kind == "break_statement":
            continue
        stack.extend(here.children)
    return False


def _chain(lo: Lowering, node: Node, value: Reg, cases: list[Case]) -> None:
    """`if (v == a || v == b) {..} else if ..`, the default last wherever it stands."""
    ordered = [case for case in cases if not case.is_default] + [case for case in cases if case.is_default]
    blocks: list[tuple[Case, Block, Reg | None, Block]] = []
    for case in ordered:
        cond: Reg | None = None
        with lo.builder.block() as test:
            if not case.is_default:
                cond = _any_label(lo, value, case.labels)
        with lo.builder.block() as body:
            lo.push()
            for statement in case.body:
                lo.statement(statement)
            lo.pop()
        blocks.append((case, test.steps, cond, body.steps))
    orelse: Block = ()
    for _, test_steps, cond, steps in reversed(blocks):
        if cond is None:
            orelse = steps
        else:
            orelse = (*test_steps, If(lo.span(node), cond, steps, orelse))
    for step in orelse:
        lo.builder.emit(step)


def _any_label(lo: Lowering, value: Reg, labels: tuple[Node, ...]) -> Reg:
    cond = _is(lo, value, labels[0])
    for label in labels[1:]:
        dst = lo.reg()
        span = lo.span(label)
        with lo.builder.block() as known:
            lo.builder.emit(Const(span, dst, True))
        with lo.builder.block() as other:
            lo.builder.emit(Cast(span, dst, _is(lo, value, label), "bool"))
        lo.builder.emit(If(span, cond, known.steps, other.steps))
        cond = dst
    return cond


def _is(lo: Lowering, value: Reg, label: Node) -> Reg:
    other = lo.value(label)
    dst = lo.reg()
    lo.builder.emit(Compare(lo.span(label), dst, "==", value, other))
    return dst
