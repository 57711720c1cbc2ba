"""Which variables a turn can find assigned by the turn before."""

from __future__ import annotations

import pytest
from allocsafe.flow.carried import exposed
from allocsafe.frontends.python.unit import open_unit
from allocsafe.ir import nodes as ir
from allocsafe.source import Source

CASES = [
    ("x = 1\n        use(x)", {"x": False}),
    ("use(x)\n        x = 1", {"x": True}),
    ("x += 1", {"x": True}),
    ("if c:\n            x = 1\n        use(x)", {"x": True, "c": True}),
    ("if c:\n            x = 1\n        else:\n            x = 2\n        use(x)", {"x": False}),
    ("if c:\n            continue\n        else:\n            x = 2\n        use(x)", {"x": False}),
    ("for k in c:\n            x = 1\n        use(x)", {"x": True, "k": False}),
    ("for k in c:\n            use(x)\n            x = 1", {"x": True}),
    ("try:\n            x = 1\n        except E:\n            pass\n        use(x)", {"x": True}),
    ("x = 1\n        g = lambda: x\n        g()", {"x": True}),
    ("x = [y for y in c]\n        use(x)", {"x": False}),
    ("while x:\n            x = 0", {"x": True}),
    ("with c as x:\n            use(x)", {"x": False}),
    ("x[0] = 1\n        x = c", {"x": True}),
]


@pytest.mark.parametrize(("body", "names"), CASES)
def test_exposed(body: str, names: dict[str, bool]) -> None:
    unit = open_unit(Source("m.py", f"def f(c):\n    for i in c:\n        {body}\n"))
    stub = unit.function("f")
    assert stub is not None
    function = stub.load()
    loop = next(step for step in function.body if isinstance(step, ir.For))
    found = exposed(loop.body, function)
    assert found is not None
    assert {name: name in found for name in names} == names


def test_names_by_text_expose_everything() -> None:
    unit = open_unit(Source("m.py", "def f(c):\n    for i in c:\n        x = 1\n        use(locals())\n"))
    stub = unit.function("f")
    assert stub is not None
    function = stub.load()
    loop = next(step for step in function.body if isinstance(step, ir.For))
    assert exposed(loop.body, function) is None
