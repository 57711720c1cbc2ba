"""Code that nests deeper than a stack: an escape or a refusal, never a crash, and the rest of the function survives."""

from __future__ import annotations

import sys
import threading

import pytest
from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python.cut import MOST_NESTED, too_deep
from allocsafe.frontends.python.deep import deeply
from allocsafe.ir import nodes as ir
from allocsafe.ir.check import problems
from allocsafe.ir.show import show

from tests.frontends.python.lowering import body, function, steps, unit

SHAPES = {
    "sum": lambda n: " + ".join(["a"] * n),
    "parentheses": lambda n: "(" * n + "a" + ")" * n,
    "lists": lambda n: "[" * n + "a" + "]" * n,
    "signs": lambda n: "- " * n + "a",
    "not": lambda n: "not " * n + "a",
    "power": lambda n: " ** ".join(["a"] * n),
    "attributes": lambda n: "a" + ".b" * n,
    "calls": lambda n: "a" + "()" * n,
    "subscripts": lambda n: "a" + "[0]" * n,
    "lambdas": lambda n: "lambda: " * n + "a",
    "conditions": lambda n: "1 if a else " * n + "1",
    "and": lambda n: " and ".join(["a"] * n),
    "comparisons": lambda n: " < ".join(["a"] * n),
    "strings": lambda n: " ".join(['"a"'] * n),
    "targets": lambda n: "b = " * n + "1",
    "comprehensions": lambda n: "[" * n + "a" + " for a in a]" * n,
}


@pytest.mark.parametrize("size", [30, 150, 380, 3_000, 30_000])
@pytest.mark.parametrize("shape", SHAPES)
def test_deep_expression(shape: str, size: int) -> None:
    lowered = function(f"def f(a):\n    y = 2\n    x = {SHAPES[shape](size)}\n    return y\n")
    escapes = [step for step in lowered.body if isinstance(step, ir.Escape)]
    if size >= 3_000:
        assert [e.reason for e in escapes] == ["expression too deep"]
        assert "x" in escapes[0].names
        assert escapes[0].span[1:3] == (3, 5)
    if size <= 30:
        assert "expression too deep" not in [e.reason for e in escapes]
    last = lowered.body[-1]
    assert isinstance(last, ir.Return) and last.span.line == 4
    assert len(show(lowered)) > 50


def test_deep_statement_keeps_what_it_binds_local() -> None:
    lowered = body(f"x1 = {SHAPES['sum'](3_000)}\nreturn x1")
    assert [step.scope for step in steps(lowered) if isinstance(step, ir.Load)] == ["local"]


def test_deep_return_ends_the_path() -> None:
    lowered = body(f"if x:\n    return {SHAPES['sum'](3_000)}\nreturn z")
    branch = next(step for step in lowered.body if isinstance(step, ir.If))
    assert [type(step) for step in branch.then] == [ir.Escape, ir.Opaque, ir.Return]


def test_deep_yield_makes_a_generator() -> None:
    assert body(f"yield {SHAPES['sum'](3_000)}").is_generator
    assert not body(f"x = {SHAPES['sum'](3_000)}").is_generator


@pytest.mark.parametrize(
    "text",
    [
        f"def f(a):\n    if {SHAPES['sum'](3_000)}:\n        pass\n",
        f"def f(a):\n    x = {SHAPES['sum'](3_000)}; return x\n",
        "def f(a):\n    if a:\n        pass\n" + "    elif a:\n        pass\n" * 150,
        "def f(a):\n    if a:\n        pass\n" + "    elif a:\n        pass\n" * 20_000,
        "def f(a):\n" + "\n".join(" " * (i + 1) + "if a:" for i in range(300)) + "\n" + " " * 301 + "pass\n",
    ],
    ids=["condition", "two statements on a line", "elif", "many elif", "indentation"],
)
def test_deep_control_is_refused(text: str) -> None:
    stub = unit(text).function("f")
    assert stub is not None
    for _ in range(2):  # the refusal is kept
        with pytest.raises(Unsupported) as caught:
            stub.load()
        assert caught.value.reason


def test_indentation_as_deep_as_python_allows() -> None:
    rows = [" " * i + "if a:" for i in range(1, 99)]
    lowered = function("def f(a):\n" + "\n".join(rows) + "\n" + " " * 99 + "x = 1 if a else 2\n")
    assert sum(isinstance(step, ir.If) for step in steps(lowered)) == 99


def test_a_long_table_is_not_deep() -> None:
    rows = ", ".join(f"'k{i}': [{i}, -{i}, f({i} + 1)]" for i in range(3_000))
    lowered = body(f"x = {{{rows}}}")
    assert sum(isinstance(step, ir.Call) for step in steps(lowered)) == 3_000
    assert problems(lowered) == []


def test_levels_are_never_counted_too_low() -> None:
    assert too_deep("x = " + "a, -b, " * 5_000) == ""
    assert too_deep("x = '" + "+" * 5_000 + "'") == ""
    assert too_deep("x = " + "-" * (MOST_NESTED + 1) + "1") == "expression too deep"
    assert too_deep("x = " + "f(1, " * (MOST_NESTED // 2 + 1)) == "expression too deep"


def test_deeply_gives_room_and_takes_it_back() -> None:
    def down(n: int) -> int:
        return down(n - 1) + 1 if n else 0

    limit, size = sys.getrecursionlimit(), threading.stack_size()
    assert deeply(lambda: down(limit + 500)) == limit + 500
    assert (sys.getrecursionlimit(), threading.stack_size()) == (limit, size)
    with pytest.raises(RecursionError):
        deeply(lambda: down(10**6))
    assert sys.getrecursionlimit() == limit
