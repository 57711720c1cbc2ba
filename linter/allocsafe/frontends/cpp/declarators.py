"""Declarators taken apart: which name, how many stars, which extents, which initialiser.

Claim: `take_apart` finds the name of every declarator the parser knows. `dim3 grid(n)`, which reads like a
function, is given back as a variable with arguments where its parameters can be expressions. What it gives up: a
local declaration of a function with unnamed class parameters is taken for a variable.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from allocsafe.frontends.cpp import cpptypes
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts, walk


class Declarator(NamedTuple):
    """A declarator taken apart: `float *a[n] = {..}` is name a, stars "*", extents (n,)."""

    name: Node | None
    stars: str
    extents: tuple[Node | None, ...]
    arguments: list[Node] | None  # in parentheses
    braces: Node | None
    value: Node | None  # after `=`
    bindings: tuple[str, ...]
    is_function: bool


def base_type(lo: Lowering, node: Node) -> str:
    """The text before the first declarator."""
    first = node.child_by_field_name("declarator")
    end = first.start_byte if first is not None else node.end_byte
    return cpptypes.tidy(lo.data[node.start_byte : end].decode("utf-8", "replace").rstrip("; \n"))


def take_apart(lo: Lowering, node: Node) -> Declarator:
    stars = ""
    extents: list[Node | None] = []
    arguments: list[Node] | None = None
    braces = value = None
    is_function = False
    here: Node | None = node
    while here is not None:
        kind = here.type
        inner = here.child_by_field_name("declarator")
        if kind in {
            "identifier",
            "field_identifier",
            "type_identifier",
            "qualified_identifier",
            "operator_name",
            "destructor_name",
        }:
            return Declarator(here, stars, tuple(extents), arguments, braces, value, (), is_function)
        if kind == "structured_binding_declarator":
            bound = tuple(lo.text(child) for child in parts(here) if child.type == "identifier")
            return Declarator(None, stars, (), arguments, braces, value, bound, False)
        if kind == "init_declarator":
            given = here.child_by_field_name("value")
            if given is not None and given.type == "argument_list":
                arguments = parts(given)
            elif given is not None and given.type == "initializer_list":
                braces = given
            else:
                value = given
        elif kind == "pointer_declarator":
            stars += "*"
        elif kind == "reference_declarator":
            stars += "&"
        elif kind == "array_declarator":
            extents.insert(0, here.child_by_field_name("size"))
        elif kind == "function_declarator":
            is_function = True
            if inner is not None and inner.type == "identifier":
                arguments = vexing(here)
                is_function = arguments is None
        if inner is None:
            named = [child for child in parts(here) if child.type not in {"type_qualifier", "ms_pointer_modifier"}]
            inner = named[-1] if named and kind in _WRAPPERS else None
        here = inner
    return Declarator(None, stars, tuple(extents), arguments, braces, value, (), is_function)


_WRAPPERS = frozenset(
    ["reference_declarator", "parenthesized_declarator", "attributed_declarator", "pointer_declarator"]
)


def vexing(node: Node) -> list[Node] | None:
    """`dim3 grid(n)` looks like a function to the parser: its parameters as expressions, None if it is one."""
    inside = node.child_by_field_name("parameters")
    listed = parts(inside) if inside is not None else []
    for parameter in listed:
        if parameter.type != "parameter_declaration":
            return None
        ctype, declarator = parameter.child_by_field_name("type"), parameter.child_by_field_name("declarator")
        if ctype is None or ctype.type == "placeholder_type_specifier":
            return None
        if any(child.type == "type_qualifier" for child in parameter.children):
            return None
        if ctype.type in {"primitive_type", "sized_type_specifier"} and (
            declarator is None or declarator.type not in {"abstract_function_declarator", "function_declarator"}
        ):
            return None
    return listed or None


def parameter_type(lo: Lowering, child: Node) -> str:
    """The type of a parameter as text, arrays as pointers."""
    declarator = child.child_by_field_name("declarator")
    base = base_type(lo, child)
    if declarator is None:
        return base.partition("=")[0].strip()
    taken = take_apart(lo, declarator)
    if any(inner.type == "function_declarator" for inner in walk(declarator)) or any(
        inner.type == "abstract_function_declarator" for inner in walk(declarator)
    ):
        return cpptypes.tidy(lo.text(child))
    stars = taken.stars or "".join(sign for sign in re.findall(r"[*&]", lo.text(declarator).partition("[")[0]))
    if taken.extents:
        stars = stars.replace("&", "") + "*" * len(taken.extents)
    return cpptypes.tidy(base + stars)
