"""Boxes in the coordinates of another shape, against enumeration: an exact one holds the same elements, any other one
at least those.
"""

from __future__ import annotations

from itertools import product

from allocsafe.flow.frames import reframed
from allocsafe.regions.box import Axis, Box
from allocsafe.regions.exprs import Lin, mul, sym
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHAPES = [
    ((2, 3, 4), (6, 4)),
    ((2, 3, 4), (2, 12)),
    ((2, 3, 4), (24,)),
    ((24,), (2, 3, 4)),
    ((6, 4), (2, 3, 4)),
    ((6, 4), (2, 3, 2, 2)),
    ((2, 1, 5), (2, 5)),
    ((2, 5), (2, 5, 1)),
    ((5, 2, 2), (5, 4)),
]


def elements(box: Box, shape: tuple[int, ...]) -> set[int]:
    """The elements of a box by their place in memory; indices outside of the shape are none."""
    rows = []
    for axis, size in zip(box, shape, strict=True):
        ends = [s.as_int() for s in (axis.start, *axis.stops)]
        start, *stops = [e for e in ends if e is not None]
        assert len(stops) == len(axis.stops)
        rows.append([k for k in range(start, min(stops), axis.step) if 0 <= k < size])
    out = set()
    for at in product(*rows):
        place = 0
        for index, size in zip(at, shape, strict=True):
            place = place * size + index
        out.add(place)
    return out


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], Box]:
    have, want = draw(st.sampled_from(SHAPES))
    box = []
    for size in have:
        kind = draw(st.sampled_from(["whole", "whole", "point", "range", "step"]))
        start = draw(st.integers(0, size - 1))
        stop = draw(st.integers(0, size + 2))
        if kind == "whole":
            box.append(Axis(Lin(0), (Lin(size),)))
        elif kind == "point":
            box.append(Axis(Lin(start), (Lin(start + 1),)))
        else:
            box.append(Axis(Lin(start), (Lin(stop), Lin(size)), 2 if kind == "step" else 1))
    return have, want, tuple(box)


def of(shape: tuple[int, ...]) -> tuple[Lin, ...]:
    return tuple(Lin(size) for size in shape)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_an_exact_box_holds_the_same_elements(case: tuple[tuple[int, ...], tuple[int, ...], Box]) -> None:
    have, want, box = case
    there = reframed(box, of(have), of(want), exact=True)
    if there is not None:
        assert elements(there, want) == elements(box, have)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_any_box_holds_at_least_those(case: tuple[tuple[int, ...], tuple[int, ...], Box]) -> None:
    have, want, box = case
    there = reframed(box, of(have), of(want), exact=False)
    if there is not None:
        assert elements(there, want) >= elements(box, have)


def test_blocks_and_rows_of_unknown_sizes() -> None:
    n, b = (Lin.of(sym(("frames", name), name, nonneg=True)) for name in "nb")
    one = Axis(Lin(1), (n,))
    assert reframed((one, Axis(Lin(0), (b,))), (n, b), (mul(n, b),), exact=True) == (Axis(b, (mul(n, b),)),)
    back = reframed((Axis(b, (mul(n, b),)),), (mul(n, b),), (n, b), exact=True)
    assert back is not None and back[0] == one
    assert reframed((Axis(Lin(1), (mul(n, b),)),), (mul(n, b),), (n, b), exact=True) is None
    assert reframed((one, Axis(Lin(1), (b,))), (n, b), (mul(n, b),), exact=True) is None
    assert reframed((one,), (n,), (b,), exact=False) is None
