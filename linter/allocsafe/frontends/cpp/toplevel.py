"""The code outside of functions: globals, in order of text.

Claim: every global variable is stored to once, with what it starts as; a global without an initialiser starts as
zeros. Definitions of functions and classes, includes, macros and aliases have no steps. What it gives up: what a
macro at the top level expands to.
"""

from __future__ import annotations

from typing import Literal, cast

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.cpp import declarations
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.depth import Braces
from allocsafe.frontends.cpp.frames import Frame
from allocsafe.frontends.cpp.tree import Node
from allocsafe.ir.nodes import Escape, Function, If

_INSIDE = frozenset(["namespace_definition", "declaration_list", "linkage_specification", "translation_unit"])
_ARMS = frozenset(["preproc_else", "preproc_elif", "preproc_elifdef"])


def lower_toplevel(lo: Lowering, root: Node) -> Function:
    span = lo.span(root)
    lo.frame = Frame(None, span)
    lo.types = set()
    lo.owner = ""
    lo.members = frozenset()
    lo.qualname = "<module>"
    lo.at_toplevel = True
    try:
        _visit(lo, root, Braces(lo.prepared.text))
        steps = lo.builder.close()
    except RecursionError:
        raise Unsupported(span, "nested too deeply") from None
    finally:
        lo.at_toplevel = False
    return Function("<module>", "<module>", (), steps, span, "module", cast(Literal["cpp", "cuda"], lo.language))


def _visit(lo: Lowering, node: Node, braces: Braces, inside: int = 0) -> None:
    for child in node.children:
        kind = child.type
        if kind == "declaration":
            if child.has_error or braces.at(lo.offset(child)) > inside:
                lo.builder.emit(Escape(lo.span(child), (), "could not be parsed"))
            else:
                declarations.declare(lo, child)
        elif kind in _INSIDE:
            _visit(lo, child, braces, inside + (kind == "declaration_list"))
        elif kind in {"preproc_if", "preproc_ifdef"}:
            _preprocessor(lo, child, braces, inside)
        elif kind == "ERROR":
            lo.builder.emit(Escape(lo.span(child), (), "could not be parsed"))


def _preprocessor(lo: Lowering, node: Node, braces: Braces, inside: int) -> None:
    other = node.child_by_field_name("alternative")
    shown = node.child_by_field_name("condition") or node.child_by_field_name("name")
    cond = lo.opaque(node, "preprocessor: " + (" ".join(lo.text(shown).split())[:80] if shown is not None else "?"))
    with lo.builder.block() as then:
        _visit(lo, node, braces, inside)
    with lo.builder.block() as orelse:
        if other is not None and other.type in _ARMS:
            if other.type == "preproc_else":
                _visit(lo, other, braces, inside)
            else:
                _preprocessor(lo, other, braces, inside)
    if then.steps or orelse.steps:
        lo.builder.emit(If(lo.span(node), cond, then.steps, orelse.steps))
