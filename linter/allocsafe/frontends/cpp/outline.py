"""The definitions of a file, from the parser's tree, without lowering anything.

Claim: every function with a body and every class with a body is listed once, in order of text, also inside
namespaces, `extern "C"`, templates, preprocessor branches and what the parser could not make sense of. Names leave
namespaces out; a second definition of a name is `name#2`. What it gives up: functions that only a macro's expansion
makes.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from allocsafe.frontends.cpp import cpptypes
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts

_CLASSES = frozenset(("class_specifier", "struct_specifier", "union_specifier"))
_TRANSPARENT = words(
    """translation_unit declaration_list linkage_specification preproc_if preproc_ifdef preproc_else
    preproc_elif preproc_elifdef ERROR namespace_definition"""
)


class FunctionEntry(NamedTuple):
    name: str
    qualname: str
    owner: str
    node: Node  # the function_definition
    outer: Node  # with its `template <..>`
    template: tuple[str, ...]  # type parameters, those of the classes around included
    is_static: bool


class ClassEntry(NamedTuple):
    name: str
    qualname: str
    node: Node
    outer: Node


class Outline:
    """What was found, by qualified name."""

    __slots__ = ("classes", "functions", "namespaces")

    def __init__(self) -> None:
        self.functions: dict[str, FunctionEntry] = {}
        self.classes: dict[str, ClassEntry] = {}
        self.namespaces: set[str] = set()


def outline(lo: Lowering, root: Node) -> Outline:
    found = Outline()
    pending: list[tuple[Node, Node, tuple[str, ...], str, tuple[str, ...]]] = []
    # (node, outermost template around it, type parameters, class around, names of the way here)
    stack: list[tuple[Node, Node | None, tuple[str, ...], str]] = [(root, None, (), "")]
    while stack:
        node, outer, template, owner = stack.pop()
        kind = node.type
        if kind == "template_declaration":
            inside = node.child_by_field_name("parameters")
            more = template + _type_parameters(lo, inside)
            stack.extend((child, outer or node, more, owner) for child in reversed(parts(node)) if child != inside)
        elif kind == "function_definition":
            if node.child_by_field_name("body") is not None or any(
                child.type == "try_statement" for child in node.children
            ):
                pending.append((node, outer or node, template, owner, ()))
        elif kind in _CLASSES:
            body = node.child_by_field_name("body")
            name = node.child_by_field_name("name")
            if body is not None:
                plain = _plain_name(lo, name) if name is not None else f"<anonymous at {node.start_point[0] + 1}>"
                qualname = _unique(f"{owner}.{plain}" if owner else plain, found.classes)
                found.classes[qualname] = ClassEntry(plain, qualname, node, outer or node)
                stack.extend((child, None, template, qualname) for child in reversed(parts(body)))
        elif kind in {"declaration", "field_declaration", "type_definition", "friend_declaration"}:
            inner = node.child_by_field_name("type")
            if inner is not None and inner.type in _CLASSES:
                stack.append((inner, outer, template, owner))
        elif kind in _TRANSPARENT:
            if kind == "namespace_definition":
                named = node.child_by_field_name("name")
                if named is not None:
                    found.namespaces.update(part.strip() for part in lo.text(named).split("::"))
            stack.extend((child, None, template, owner) for child in reversed(parts(node)))
    for node, outer, template, owner, _ in pending:
        _add_function(lo, found, node, outer, template, owner)
    return found


def _add_function(lo: Lowering, found: Outline, node: Node, outer: Node, template: tuple[str, ...], owner: str) -> None:
    declarator = function_declarator(node)
    if declarator is None:
        return
    named = declarator.child_by_field_name("declarator") if declarator.type != "operator_cast" else declarator
    path: list[str] = []
    while named is not None and named.type == "qualified_identifier":
        scope = named.child_by_field_name("scope")
        if scope is not None:
            path.append(_plain_name(lo, scope))
        named = named.child_by_field_name("name")
    if named is None:
        return
    name = _plain_name(lo, named)
    if not owner:
        classes = [part for part in path if part not in found.namespaces]
        owner = ".".join(classes)
    qualname = _unique(f"{owner}.{name}" if owner else name, found.functions)
    is_static = any(child.type == "storage_class_specifier" and lo.text(child) == "static" for child in node.children)
    found.functions[qualname] = FunctionEntry(name, qualname, owner, node, outer, template, is_static)


def function_declarator(node: Node) -> Node | None:
    """The part of a definition that has the name and the parameters."""
    here = node.child_by_field_name("declarator")
    while here is not None and here.type not in {"function_declarator", "operator_cast"}:
        inner = here.child_by_field_name("declarator")
        if inner is None:
            named = [
                child for child in parts(here) if child.type.endswith("declarator") or child.type == "operator_cast"
            ]
            inner = (
                named[-1]
                if named
                else (here.child_by_field_name("name") if here.type == "qualified_identifier" else None)
            )
        here = inner
    if here is not None and here.type == "function_declarator":
        inner = here.child_by_field_name("declarator")
        if inner is not None and inner.type in {"function_declarator", "parenthesized_declarator"}:
            deeper = _inner_function(inner)
            return deeper or here
    return here


def _inner_function(node: Node) -> Node | None:
    here: Node | None = node
    while here is not None:
        if here.type == "function_declarator":
            return here
        here = here.child_by_field_name("declarator")
    return None


def _plain_name(lo: Lowering, node: Node) -> str:
    """A name without template arguments."""
    if node.type in {"template_type", "template_function", "template_method"}:
        return lo.text(node.child_by_field_name("name"))
    if node.type == "operator_cast":
        return "operator " + cpptypes.tidy(lo.text(node.child_by_field_name("type")))
    if node.type == "qualified_identifier":
        named = node.child_by_field_name("name")
        return _plain_name(lo, named) if named is not None else cpptypes.tidy(lo.text(node))
    return cpptypes.tidy(lo.text(node))


def _type_parameters(lo: Lowering, node: Node | None) -> tuple[str, ...]:
    found: list[str] = []
    for child in parts(node) if node is not None else []:
        if "type_parameter" in child.type:
            named = [inner for inner in child.named_children if inner.type == "type_identifier"]
            found.extend(lo.text(inner) for inner in named[:1])
    return tuple(found)


def _unique(name: str, taken: Container[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"
