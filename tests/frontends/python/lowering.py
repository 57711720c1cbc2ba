"""Helpers for the tests of this room: text in, checked IR out, and the standard library as a corpus."""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from allocsafe.frontends.python.unit import PythonUnit, open_unit
from allocsafe.ir import nodes as ir
from allocsafe.ir.check import problems
from allocsafe.ir.show import parts
from allocsafe.source import Source, decode


def unit(text: str, path: str = "case.py") -> PythonUnit:
    return open_unit(Source(path, text))


def function(text: str, name: str = "f") -> ir.Function:
    """The function `name` of a file, lowered and well formed."""
    stub = unit(text).function(name)
    assert stub is not None, f"{name} is no definition"
    lowered = stub.load()
    assert problems(lowered) == []
    return lowered


def body(statements: str, params: str = "x, y, z") -> ir.Function:
    """`statements` as the body of a function f."""
    rows = "\n".join(f"    {row}" for row in statements.split("\n"))
    return function(f"def f({params}):\n{rows}\n")


def everything(of: PythonUnit) -> Iterator[ir.Function]:
    """All that a file holds: its own statements, class bodies, functions."""
    yield of.toplevel()
    for definition in of.definitions:
        if definition.kind == "class":
            cls = of.klass(definition.qualname)
            assert cls is not None and cls.load_body is not None
            yield cls.load_body()
        else:
            stub = of.stub_at(definition.first_line)
            assert stub is not None and stub.span.line == definition.first_line
            yield stub.load()


def steps(function: ir.Function, *, inner: bool = True) -> Iterator[ir.Step]:
    """All steps, those in blocks included; with `inner` those of nested functions and classes as well."""
    todo = [function.body, function.defaults]
    while todo:
        for step in todo.pop():
            yield step
            todo += [block for _, block in parts(step)]
            if inner and isinstance(step, ir.MakeFunction):
                yield from steps(step.function)
            elif inner and isinstance(step, ir.MakeClass):
                assert step.cls.load_body is not None
                yield from steps(step.cls.load_body())
                for method in step.cls.methods.values():
                    yield from steps(method.load())


@cache
def library(count: int, seed: int = 7, most: int = 120_000) -> tuple[Source, ...]:
    """`count` files of the standard library, always the same for one Python."""
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(
        path
        for path in root.rglob("*.py")
        if not {"site-packages", "data", "lib2to3", "badsyntax"} & set(path.parts) and path.stat().st_size < most
    )
    random.Random(seed).shuffle(paths)
    return tuple(Source(str(path.relative_to(root)), decode(path.read_bytes())) for path in paths[:count])
