"""Exceptions, `goto` and labels.

Claim: at a label everything known about the variables in scope is forgotten, since control may arrive from anywhere;
a `goto` ends the path it stands on.
"""

from __future__ import annotations

from allocsafe.frontends.cpp import declarators, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Escape, Handler, Raise, Return, Store, Try


def throw(lo: Lowering, node: Node) -> None:
    inner = parts(node)
    src = lo.value(inner[0]) if inner else None
    lo.builder.emit(Raise(lo.span(node), src))


def try_block(lo: Lowering, node: Node) -> None:
    with lo.builder.block() as body:
        lo.block(node.child_by_field_name("body"))
    handlers = []
    for clause in parts(node):
        if clause.type != "catch_clause":
            continue
        lo.push()
        inside = clause.child_by_field_name("parameters")
        with lo.builder.block() as caught:
            named = [
                one for one in (parts(inside) if inside is not None else []) if one.type == "parameter_declaration"
            ]
            names: tuple[str, ...] = ()
            for parameter in named:
                ctype = declarators.parameter_type(lo, parameter)
                names = (ctype.replace("const ", "").rstrip("&* ").rpartition("::")[2],)
                declarator = parameter.child_by_field_name("declarator")
                taken = declarators.take_apart(lo, declarator) if declarator is not None else None
                if taken is not None and taken.name is not None:
                    reg = lo.opaque(parameter, "the exception that was caught")
                    local = lo.declare(lo.text(taken.name), ctype.rstrip("&"))
                    lo.builder.emit(Store(lo.span(parameter), local.name, reg))
            lo.block(clause.child_by_field_name("body"))
        lo.pop()
        handlers.append(Handler(caught.steps, None, None, names))
    lo.builder.emit(Try(lo.span(node), body.steps, tuple(handlers)))


def jump(lo: Lowering, node: Node) -> None:
    _forget_all(lo, node, "goto leaves the structure of the function")
    lo.builder.emit(Return(lo.span(node), lo.opaque(node, "control goes on at a label")))


def label(lo: Lowering, node: Node) -> None:
    _forget_all(lo, node, "control may arrive at this label from elsewhere")
    for child in parts(node):
        if child.type != "statement_identifier":
            lo.statement(child)


def _forget_all(lo: Lowering, node: Node, reason: str) -> None:
    span = lo.span(node)
    names = sorted({local.name for scope in lo.frame.scopes for local in scope.values() if local.place is None})
    if lo.at_toplevel:
        names = []
    uses = []
    for scope in lo.frame.scopes:
        for name in scope:
            uses.append(places.load_name(lo, name, span))
    lo.builder.emit(Escape(span, tuple(uses), reason, tuple(names)))
