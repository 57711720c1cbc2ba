"""The parameters of functions and lambdas.

Claim: every parameter is one `Param` in order, named or not (`#0` for an unnamed first one), with its type's text.
"""

from __future__ import annotations

from typing import Literal

from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.declarators import parameter_type, take_apart
from allocsafe.frontends.cpp.tree import Node, parts, walk
from allocsafe.ir.nodes import Param


def parameters(lo: Lowering, node: Node | None) -> tuple[Param, ...]:
    """The parameters of a function, declared in the innermost scope. The block that is open gets the defaults."""
    found: list[Param] = []
    for number, child in enumerate(parts(node) if node is not None else []):
        if child.type not in {
            "parameter_declaration",
            "optional_parameter_declaration",
            "variadic_parameter_declaration",
        }:
            continue
        declarator = child.child_by_field_name("declarator")
        ctype = parameter_type(lo, child)
        if ctype == "void" and declarator is None:
            continue
        taken = take_apart(lo, declarator) if declarator is not None else None
        is_pack = child.type == "variadic_parameter_declaration"
        name = f"#{number}"
        if is_pack:
            named = (
                [inner for inner in walk(declarator) if inner.type == "identifier"] if declarator is not None else []
            )
            name = lo.text(named[0]) if named else name
        elif taken is not None and taken.name is not None:
            name = lo.text(taken.name)
        default = child.child_by_field_name("default_value")
        kind: Literal["star", "positional"] = "star" if is_pack else "positional"
        reg = lo.value(default) if default is not None else None
        found.append(Param(lo.declare(name, ctype).name, kind, reg, ctype))
    return tuple(found)
