"""Which names a piece of code may change, by its text alone.

Claim: `changed_names` holds every name that an assignment, `++`, `&x`, a reference, a changing method, a macro of the
file or assembly in the code is about. What it gives up: changes through a pointer or reference that was made outside
of the code.
"""

from __future__ import annotations

from allocsafe.frontends.cpp import cpptypes, declarators, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts, walk

READING = words(
    """size numel dim begin end cbegin cend rbegin rend data empty at length front back ndim sizes strides
    stride get is_contiguous c_str count find defined is_cuda scalar_type dtype device data_ptr
    const_data_ptr mutable_data_ptr has_value value options itemsize element_size nbytes capacity is_cpu
    index"""
)


def changed_names(lo: Lowering, body: Node, calls_change: bool = False) -> set[str]:
    """The names that a body may change: assigned, counted, pointed to, bound to a reference, or changed by a method.

    Members are among them by their field's name. With `calls_change`, so is every bare argument of a call.
    """
    changed: set[str] = set()
    for inner in walk(body):
        kind = inner.type
        if kind == "assignment_expression":
            changed |= _bases(lo, inner.child_by_field_name("left"))
        elif kind in {"update_expression", "pointer_expression"}:
            if kind == "update_expression" or inner.child(0).type == "&":
                changed |= _bases(lo, inner.child_by_field_name("argument"))
        elif kind == "reference_declarator" and inner.parent is not None and inner.parent.type == "init_declarator":
            value = inner.parent.child_by_field_name("value")
            if value is not None and not cpptypes.is_const(lo.text(inner.parent.parent).partition("&")[0]):
                changed |= _bases(lo, value)
        elif kind == "call_expression":
            function = inner.child_by_field_name("function")
            if function is not None and function.type == "field_expression":
                method = function.child_by_field_name("field")
                if method is not None and places.field_name(lo, method)[0] not in READING:
                    changed |= _bases(lo, function.child_by_field_name("argument"))
            name = lo.text(function) if function is not None else ""
            changed |= lo.macros.get(name, frozenset())
            changed |= _changed_by_call(lo, inner, function, calls_change)
        elif kind == "for_range_loop" and "&" in lo.text(inner.child_by_field_name("declarator")):
            if not cpptypes.is_const(declarators.base_type(lo, inner)):
                changed |= _bases(lo, inner.child_by_field_name("right"))
        elif kind == "binary_expression" and inner.child_by_field_name("operator").type == ">>":
            changed |= _bases(lo, inner.child_by_field_name("right"))
        elif kind in {"ERROR", "gnu_asm_expression"}:
            changed |= set(lo.identifiers(inner))
    return changed


def _changed_by_call(lo: Lowering, call: Node, function: Node | None, calls_change: bool) -> set[str]:
    from allocsafe.frontends.cpp.calls import surely_takes_reference

    inside = call.child_by_field_name("arguments")
    name = cpptypes.tidy(lo.text(function)).partition("<")[0] if function is not None else ""
    if inside is None or not (calls_change or surely_takes_reference(lo, name)):
        return set()
    return {lo.text(argument) for argument in parts(inside) if argument.type == "identifier"}


def _bases(lo: Lowering, node: Node | None) -> set[str]:
    """The names at the root of a place: `a[i].b` gives a and b."""
    found: set[str] = set()
    while node is not None:
        if node.type in {"identifier", "this"}:
            found.add(lo.text(node))
            return found
        if node.type == "field_expression":
            field = node.child_by_field_name("field")
            if field is not None:
                found.add(lo.text(field))
            node = node.child_by_field_name("argument")
        elif node.type in {"subscript_expression", "pointer_expression", "update_expression"}:
            node = node.child_by_field_name("argument")
        elif node.type == "parenthesized_expression" and node.named_child_count:
            node = node.named_children[0]
        elif node.type == "assignment_expression":
            node = node.child_by_field_name("left")
        elif node.type == "call_expression":
            node = node.child_by_field_name("function")
        else:
            return found | set(lo.identifiers(node))
    return found
