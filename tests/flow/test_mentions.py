"""What counts as a place that may reach an attribute, and what plainly does not."""

from __future__ import annotations

import pytest
from allocsafe.flow.mentions import code_of, defines, mentions


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        ("x = box.buf", ["attr"]),
        ("x = self.buf", ["own"]),
        ("x = (box\n     .buf)", ["attr"]),
        ("self.buf = x", ["own-store"]),
        ("self.buf: Tensor = x", ["own-store"]),
        ("box.buf = x", ["store"]),
        ("box.buf == x", ["attr"]),
        ("self.buf[0] = x", ["own"]),
        ("self.buf += x", ["own"]),
        ("other.box = self.buf", ["own"]),
        ("myself.buf", ["attr"]),
        ("box.self.buf", ["attr"]),
        ("box.buf()", ["called"]),
        ('f"{box.buf}"', ["attr"]),
        ("box.buffer", []),
        ("box.a_buf", []),
        ("buf = 1", []),
        ("f(buf=box)", []),
        ("f(box)  # box.buf", []),
        ('"""box.buf"""', []),
        ("'box.buf'", []),
        ('getattr(box, "buf")', ["attr"]),
        ("setattr(box, 'buf', x)", ["attr"]),
        ('hasattr(box, "buf")', []),
        ('rows["buf"]', []),
        ('rows.get("buf")', []),
        ('{"buf": 1}', []),
        ('vars(box)["buf"]', ["text"]),
        ('names = ["buf"]', ["text"]),
        ('{"buf": 1}\nfor n in names: getattr(box, n)', ["text"]),
        ('self.register_buffer("buf", x)', []),
        ("case Box(buf=x):", ["text"]),
        ("from box import buf", ["import"]),
        ("from box import (\n    a,\n    buf,\n)", ["import"]),
        ("from box.buf import a", ["attr"]),
    ],
)
def test_each_place_has_its_kind(row: str, kinds: list[str]) -> None:
    assert [m.kind for m in mentions(row + "\n", "buf")] == kinds


def test_a_place_has_the_line_of_the_name() -> None:
    assert [m.line for m in mentions("a = 1\nb = (box\n  .buf)\nc = box.buf\n", "buf")] == [3, 4]


def test_what_a_class_gives_itself() -> None:
    text = "class A:\n    buf: int\n    def __init__(self):\n        self.buf = 1\n        f(\n            buf=2)\n"
    assert sorted(defines(text, "buf")) == [(2, False), (4, True), (6, False)]


def test_blanking_keeps_every_place() -> None:
    text = 'a = "x\\"y"  # b\nc = """d\ne"""\nf = f"{g}"\n'
    code = code_of(text)
    assert len(code) == len(text) and code.count("\n") == text.count("\n")
    assert not set("bdexy") & set(code) and "{g}" in code


def test_a_row_of_targets_gives_each_of_them() -> None:
    text = "class A:\n    def f(self):\n        self.a, self.b = make()\n"
    assert defines(text, "a") == [(3, True)]
    assert defines(text, "b") == [(3, True)]
    assert defines("class A:\n    def f(self):\n        use(self.a, self.b == 1)\n", "a") == []
