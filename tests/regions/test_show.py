"""Regions, relations and samples as people write them."""

from __future__ import annotations

import pytest
from allocsafe.regions import show
from allocsafe.regions.box import Axis, Box, point, whole
from allocsafe.regions.exprs import Lin, floordiv, minimum, mod, sym

n, m, p = (Lin.of(sym(("show", x), x, nonneg=True)) for x in "nmp")
t = Lin.of(sym(("show", "t"), "t"))
NAME = show.names((n, m, p, t))


@pytest.mark.parametrize(
    ("box", "shape", "expected"),
    [
        (whole((n, m)), (n, m), "whole"),
        ((Axis(Lin(0), (n,)), Axis(p, (m,))), (n, m), "[:, p:]"),
        ((point(n - 1),), (n,), "[n - 1]"),
        ((Axis(Lin(1), (n,)),), (n,), "[1:]"),
        ((Axis(Lin(1), (n,)),), None, "[1:n]"),
        ((Axis(Lin(0), (n,), 2),), (n,), "[0:n:2]"),
        ((Axis(Lin(0), (p, n)),), (n,), "[:p]"),
        ((Axis(m, (minimum(n, p),)),), (n,), "[m:p]"),
        ((), (), "whole"),
    ],
)
def test_boxes(box: Box, shape: tuple[Lin, ...] | None, expected: str) -> None:
    assert show.region(show.spans_of(box, shape), shape, NAME) == expected


@pytest.mark.parametrize(
    ("row", "is_zero", "expected"),
    [
        (m - n, False, "m >= n"),
        (m - n - 1, False, "m > n"),
        (m - n + 2, False, "m + 2 >= n"),
        (n - 1, False, "n >= 1"),
        (3 - n, False, "n <= 3"),
        (-n, False, "n == 0"),
        (-t, False, "t <= 0"),
        (n - m, True, "n == m"),
        (m - n, True, "n == m"),
        (mod(n, Lin(4)), True, "n % 4 == 0"),
        (mod(n + 1, p), True, "(n + 1) % p == 0"),
        (n - floordiv(m, Lin(2)), False, "n >= m//2"),
    ],
)
def test_relations(row: Lin, is_zero: bool, expected: str) -> None:
    assert show.relation(row, is_zero, NAME) == expected


def test_many_parts_are_summed_up() -> None:
    assert show.joined(["[0]", "[2]", "[0]"]) == "[0] and [2]"
    assert show.joined(f"[{k}]" for k in range(5)) == "[0] and [1] and [2] and more"
    assert show.joined(["[0]", "whole"]) == "whole"


def test_samples() -> None:
    assert show.sample([("n", 2), ("m", 1)], [0, 1]) == "n = 2, m = 1: element [0, 1]"
    assert show.sample([], [3]) == "element [3]"
    assert show.sample([("n", 2)], []) == "n = 2: the only element"
    assert show.sample([("k", 0)], None) == "k = 0"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("[p0] -> {  : (p0) mod 2 = 0 }", "n % 2 == 0"),
        ("[p0, p1] -> {  : 2p0 >= 3 + 4*floor((p1)/3) }", "2*n >= 3 + 4*((m + 1)//3)"),
        ("[p0, p1] -> {  : exists (e0: 3e0 <= p0 and 4e0 >= p0) }", "3*e0 <= n and 4*e0 >= n for some e0"),
        ("[p0] -> { [a0] : p0 > a0 }", "n > i"),
    ],
)
def test_what_has_no_short_form_keeps_our_names(words: str, expected: str) -> None:
    assert show.from_isl(words, ["n", "m + 1"], ["i"]) == expected
