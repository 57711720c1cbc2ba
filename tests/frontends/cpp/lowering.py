"""Helpers for the tests of this room: one text in, its lowered function out, checked for being well formed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TypeVar

from allocsafe.frontends.cpp.unit import CppUnit, open_unit
from allocsafe.ir import nodes as ir
from allocsafe.ir.check import problems
from allocsafe.source import Source

S = TypeVar("S", bound=ir.Step)


def unit(text: str, path: str = "case.cpp") -> CppUnit:
    return open_unit(Source(path, text))


def function(text: str, name: str = "f", path: str = "case.cpp") -> ir.Function:
    """The function `name` of a file."""
    stub = unit(text, path).function(name)
    assert stub is not None, f"{name} is no definition"
    lowered = stub.load()
    assert problems(lowered) == []
    return lowered


def body(statements: str, params: str = "int n, float* p", path: str = "case.cpp") -> ir.Function:
    """`statements` as the body of a function f."""
    return function(f"void f({params}) {{\n{statements}\n}}\n", path=path)


def steps(block: ir.Block | ir.Function) -> Iterator[ir.Step]:
    """All steps in order, those in blocks and lambdas included."""
    if isinstance(block, ir.Function):
        yield from steps(block.body)
        return
    for step in block:
        yield step
        for field in dataclasses.fields(step):
            value = getattr(step, field.name)
            if isinstance(value, ir.Function) or (isinstance(value, tuple) and value and isinstance(value[0], ir.Step)):
                yield from steps(value)
            elif isinstance(value, tuple) and value and isinstance(value[0], ir.Handler):
                for handler in value:
                    yield from steps(handler.body)


def of(kind: type[S], where: ir.Block | ir.Function) -> list[S]:
    return [step for step in steps(where) if isinstance(step, kind)]


def one(kind: type[S], where: ir.Block | ir.Function) -> S:
    found = of(kind, where)
    assert len(found) == 1, f"{len(found)} steps of kind {kind.__name__}"
    return found[0]


def constants(where: ir.Block | ir.Function) -> dict[str, object]:
    """What each register that a literal was put in holds."""
    return {step.dst: step.value for step in of(ir.Const, where)}


def reasons(where: ir.Block | ir.Function) -> list[str]:
    return [step.reason for step in of(ir.Escape, where)]


def loads(where: ir.Block | ir.Function) -> dict[str, str]:
    """The name behind each register that a name was loaded into."""
    return {step.dst: step.name for step in of(ir.Load, where)}
