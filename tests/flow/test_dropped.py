"""Where the marks of a dropped fill go, and what they are about."""

from __future__ import annotations

import pytest
from allocsafe.edits import dropped_fills
from allocsafe.flow.dropped import marked_new, root_of
from allocsafe.frontends.python.unit import open_unit
from allocsafe.patch.pairs import FilePair
from allocsafe.source import Source


@pytest.mark.parametrize(
    ("target", "root"),
    [
        ("x", "x"),
        ("self.x[n:]", "self.x"),
        ("self.pool.x[0][1:]", "self.pool.x"),
        ("self.layers[i].x", "self.layers[i].x"),
        ("x.view(-1)[2]", "x"),
        ("x.data[:n]", "x"),
        ("make()[0]", None),
        ("self", None),
        ("x +", None),
    ],
)
def test_root(target: str, root: str | None) -> None:
    assert root_of(target) == root


def marked(before: str, after: str) -> list[tuple[int, tuple[str, ...]]]:
    old, new = Source("a.py", before), Source("a.py", after)
    pair = FilePair("a.py", "a.py", old, new, "modified")
    fills = dropped_fills(old.lines, pair.removed, new.lines, pair.added, python=True)
    made = [marked_new(pair, fill, open_unit(old), open_unit(new)) for fill in fills]
    return [(put.line, put.rows) for each in made if each is not None for put in each.source.inserted]


HEAD = "class A:\n    def f(self, xs, flag):\n"


def test_marks_stand_where_the_fill_stood() -> None:
    before = HEAD + "        self.x = 1\n        self.x.zero_()\n        use(self.x)\n"
    after = HEAD + "        self.x = 1\n        use(self.x)\n"
    held = (3, ("        self.x = self.x",))
    assert marked(before, after) == [held, (4, ("        self.x = __allocsafe_left__(self.x)",))]


def test_a_part_is_marked_as_one() -> None:
    before = HEAD + "        self.x[1:].zero_()\n        use(self.x)\n"
    after = HEAD + "        use(self.x)\n"
    rows = (
        "        self.x = __allocsafe_left__(self.x)",
        "        __allocsafe_gap__(self.x, self.x[1:])",
    )
    assert marked(before, after) == [(3, rows)]


def test_a_part_in_names_that_are_gone_is_some_part() -> None:
    before = HEAD + "        for i in xs:\n            self.x[i].zero_()\n        use(self.x)\n"
    after = HEAD + "        use(self.x)\n"
    assert marked(before, after) == [(3, ("        self.x = __allocsafe_left__(self.x)",))]


def test_a_condition_that_went_with_the_fill_comes_back() -> None:
    before = HEAD + "        if flag:\n            self.x.zero_()\n        use(self.x, flag)\n"
    after = HEAD + "        use(self.x, flag)\n"
    rows = ("        self.x = self.x", "        if flag:", "            self.x = __allocsafe_left__(self.x)")
    assert marked(before, after) == [(3, rows)]


def test_an_else_that_went_with_the_fill_is_no_place() -> None:
    before = (
        HEAD + "        if flag:\n            pass\n        else:\n            self.x.zero_()\n        use(self.x)\n"
    )
    after = HEAD + "        use(self.x)\n"
    assert marked(before, after) == []


def test_a_name_that_is_gone_is_no_place() -> None:
    before = HEAD + "        y = xs.view(-1)\n        y.zero_()\n        use(xs)\n"
    after = HEAD + "        use(xs)\n"
    assert marked(before, after) == []


def test_marks_never_split_a_statement() -> None:
    before = HEAD + "        use(\n            self.x,\n        )\n        self.x.zero_()\n        use(self.x)\n"
    after = HEAD + "        use(\n            self.x,\n            flag,\n        )\n        use(self.x)\n"
    assert [line for line, _ in marked(before, after)] in ([3, 7], [])
