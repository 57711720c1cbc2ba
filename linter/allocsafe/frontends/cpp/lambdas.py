"""Lambdas: functions with the names of the function around.

Claim: what a lambda captures by reference is loaded and stored with scope ``enclosing`` when it runs; what it
captures by value is a parameter whose default is loaded where the lambda is made, so that a later assignment
outside is not seen inside. What it gives up: a captured container shares its elements with the original.
"""

from __future__ import annotations

import re

from allocsafe.frontends.cpp import cpptypes, parameters
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.frames import Frame
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Function, MakeFunction, Param, Reg

_WORD = re.compile(r"[A-Za-z_]\w*")


def make(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    span = lo.span(node)
    outer = lo.frame
    by_value: set[str] = set()
    takes_all = False
    given: list[tuple[str, Reg]] = []
    captures = node.child_by_field_name("captures")
    for capture in parts(captures) if captures is not None else []:
        if capture.type == "lambda_default_capture":
            takes_all = lo.text(capture) == "="
        elif capture.type == "identifier" and not _by_reference(capture):
            by_value.add(lo.text(capture))
        elif capture.type == "lambda_capture_initializer":
            left, right = capture.child_by_field_name("left"), capture.child_by_field_name("right")
            if left is not None and right is not None:
                given.append((lo.text(left), lo.value(right)))
    frame = Frame(outer, span)
    frame.by_value = None if takes_all else frozenset(by_value)
    lo.frame = frame
    qualname = lo.qualname
    lo.qualname = f"{qualname}.<lambda>"
    try:
        declarator = node.child_by_field_name("declarator")
        inside = declarator.child_by_field_name("parameters") if declarator is not None else None
        with lo.builder.block():  # defaults of a lambda's parameters are left out: an argument not given is unknown
            listed = list(parameters.parameters(lo, inside))
        for name, _ in given:
            lo.declare(name)
        body = node.child_by_field_name("body")
        if body is not None:
            for statement in parts(body):
                lo.statement(statement)
        steps = frame.builder.close()
    finally:
        lo.frame = outer
        lo.qualname = qualname
    listed = [Param(param.name, param.kind, None, param.annotation) for param in listed]
    for name, reg in given + frame.captures:
        listed.append(Param(name, "keyword-only", reg, ""))
    function = Function(
        "<lambda>",
        f"{qualname}.<lambda>",
        tuple(listed),
        steps,
        span,
        "lambda",
        lo.language,  # type: ignore[arg-type]  # "cpp" or "cuda": the frontend reads no other
        names=frozenset(_WORD.findall(lo.text(node))),
        returns=_returns(lo, node),
    )
    dst = dst or lo.reg()
    lo.builder.emit(MakeFunction(span, dst, function))
    return dst


def _by_reference(capture: Node) -> bool:
    before = capture.prev_sibling
    return before is not None and before.type == "&"


def _returns(lo: Lowering, node: Node) -> str:
    declarator = node.child_by_field_name("declarator")
    for child in parts(declarator) if declarator is not None else []:
        if child.type == "trailing_return_type":
            return cpptypes.tidy(lo.text(child)).removeprefix("->")
    return ""
