"""What the texts of a callee say that it may change."""

from __future__ import annotations

import pytest
from allocsafe.flow.havoc import Effects, effects_of
from allocsafe.flow.program import Program
from allocsafe.frontends.python.unit import open_unit
from allocsafe.source import Source


def effects(text: str, name: str = "f") -> Effects:
    unit = open_unit(Source("m.py", text))
    program = Program(lambda path: unit if path == "m.py" else None, lambda: ["m.py"])
    stub = unit.function(name)
    assert stub is not None
    return effects_of(program, "m.py", stub)


NOTHING: frozenset[str] = frozenset()
STORES = [
    ("x.n = 1", {"n"}),
    ("x.n += 1", {"n"}),
    ("x.n: int = 1", {"n"}),
    ("x.a, x.b = 1, 2", {"a", "b"}),
    ("(x.a,\n     x.b) = 1, 2", {"a", "b"}),
    ("for x.n in y: pass", {"n"}),
    ("with y as x.n: pass", {"n"}),
    ("del x.n", {"n"}),
    ("y = x.n", set()),
    ("assert x.n == 1", set()),
    ("y = x.n <= 1", set()),
    ("# x.n = 1", set()),
    ("y = 'x.n = 1'", set()),
]


@pytest.mark.parametrize(("line", "names"), STORES)
def test_what_is_assigned(line: str, names: set[str]) -> None:
    found = effects(f"def f(x, y):\n    {line}\n")
    assert found.own == frozenset(names)


@pytest.mark.parametrize(
    "line",
    [
        "setattr(x, 'n', 1)",
        "vars(x)['n'] = 1",
        "x.__dict__.update(n=1)",
        "exec('x.n = 1')",
        "other(x)",
        "z = x\n    z.go(z)",
        "z = x if y else None\n    z.go()",
        "y(x)",
        "y(*[x])",
    ],
)
def test_what_may_be_anything(line: str) -> None:
    assert effects(f"def f(x, y):\n    {line}\n").own is None


def test_through_what_it_calls() -> None:
    text = "def f(x):\n    g(x)\n\ndef g(x):\n    h(x.a)\n\n"
    text += "def h(y):\n    global N\n    N = 1\n    y.n = 1\n    y.xs.append(2)\n"
    found = effects(text)
    assert found.own == {"n"}
    assert found.globals == {("m.py", "N")}
    assert found.items


def test_a_method_of_something_unknown_changes_what_is_behind_only() -> None:
    found = effects("def f(self, y):\n    y.log(self.n)\n    self.k = 1\n")
    assert found.own == {"k"}
    assert found.deep is None
    assert not found.items


def test_a_method_that_no_text_defines() -> None:
    assert effects("def f(self, y):\n    self.go()\n").own is None


def test_recursion_ends() -> None:
    found = effects("def f(x):\n    x.n = 1\n    g(x)\n\ndef g(x):\n    f(x)\n")
    assert found == Effects(frozenset({"n"}), frozenset({"n"}), frozenset(), items=False)
