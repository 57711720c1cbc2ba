"""Slices, views of views, and lengths against Python's own ranges."""

from __future__ import annotations

import pytest
from allocsafe.regions.box import Axis, assumed, compose, length, point, slice_axis, whole
from allocsafe.regions.exprs import Lin, Sym, evaluate, le, maximum, minimum
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.regions.strategies import M, N, T, lins

quiet = settings(max_examples=400, deadline=None)
n, m, t = Lin.of(N), Lin.of(M), Lin.of(T)
bounds = st.none() | st.integers(-9, 9).map(Lin)
steps = st.sampled_from((1, 1, 2, 3, 5, -1, -2, -3))


def indices(axis: Axis, env: dict[Sym, int]) -> list[int]:
    stop = min(evaluate(x, env) for x in axis.stops)
    return list(range(evaluate(axis.start, env), stop, axis.step))


def at(x: Lin | None, env: dict[Sym, int]) -> int | None:
    return None if x is None else evaluate(x, env)


@given(st.one_of(st.integers(0, 7).map(Lin), st.just(n)), bounds, bounds, steps, st.integers(0, 8))
@quiet
def test_constant_bounds_slice_as_python_does(size: Lin, lo: Lin | None, hi: Lin | None, step: int, value: int) -> None:
    axis, exact = slice_axis(size, lo, hi, step)
    env = {N: value}
    assert axis is not None and exact
    assert indices(axis, env) == sorted(range(evaluate(size, env))[slice(at(lo, env), at(hi, env), step)])


@given(
    st.none() | lins((N, M), depth=1), st.none() | lins((N, M), depth=1), steps, st.integers(0, 6), st.integers(0, 6)
)
@quiet
def test_symbolic_bounds_do_where_signs_are_as_assumed(
    lo: Lin | None, hi: Lin | None, step: int, value: int, other: int
) -> None:
    axis, exact = slice_axis(n, lo, hi, step)
    env = {N: value, M: other}
    assert axis is not None
    if any(evaluate(x, env) < 0 for x in assumed(lo, hi)):
        return
    if not exact and any(x is not None and not x.nonneg() and at(x, env) == 0 for x in (lo, hi)):
        return
    found, right = indices(axis, env), sorted(range(value)[slice(at(lo, env), at(hi, env), step)])
    assert found == right or (not exact and set(right) <= set(found))


def test_a_bound_that_is_zero_as_often_as_not_is_any_index() -> None:
    anywhere = (Axis(Lin(0), (n,)), False)
    assert slice_axis(n, minimum(Lin(0), m - 3), None, 1) == anywhere
    assert slice_axis(n, None, minimum(Lin(0), m - 3), 1) == anywhere
    assert slice_axis(n, -m - 1, None, 1) == (Axis(maximum(n - m - 1, Lin(0)), (n,)), True)


@pytest.mark.parametrize(
    ("lo", "hi", "exact", "taken"),
    [
        (None, None, True, ()),
        (Lin(1), n - 1, True, (n - 1,)),
        (-m, None, False, ()),
        (-m - 1, None, True, ()),
        (Lin(-3), m, True, ()),
        (t, None, True, (t,)),
    ],
)
def test_what_a_slice_assumes(lo: Lin | None, hi: Lin | None, exact: bool, taken: tuple[Lin, ...]) -> None:
    assert slice_axis(n, lo, hi, 1)[1] is exact
    assert assumed(lo, hi) == taken


def test_step_zero_is_no_slice() -> None:
    assert slice_axis(n, None, None, 0) == (None, False)


axes = st.builds(
    lambda start, stops, step: Axis(Lin(start), tuple(Lin(s) for s in stops), step),
    st.integers(0, 5),
    st.lists(st.integers(0, 20), min_size=1, max_size=2),
    st.integers(1, 3),
)


@given(axes, axes)
@quiet
def test_a_view_of_a_view_picks_positions(outer: Axis, inner: Axis) -> None:
    both = compose(outer, inner)
    assert both is not None
    positions = indices(outer, {})
    assert indices(both, {}) == [positions[k] for k in indices(inner, {}) if k < len(positions)]


def test_a_position_before_the_first_is_not_composed() -> None:
    assert compose(Axis(n, (m,)), Axis(Lin(-1), (Lin(2),))) is None


@given(lins((N, M), depth=1), st.lists(lins((N, M), depth=1), min_size=1, max_size=2), st.integers(1, 3))
@quiet
def test_length_counts(start: Lin, stops: list[Lin], step: int) -> None:
    axis = Axis(start, tuple(stops), step)
    for env in ({N: 0, M: 3}, {N: 5, M: 1}, {N: 4, M: 4}):
        assert evaluate(length(axis), env) == len(indices(axis, env))


def test_plain_lengths_are_plain() -> None:
    assert length(whole((n, m))[1]) == m
    assert length(point(n)) == Lin(1)
    assert length(Axis(Lin(0), (n,), 2)) == slice_length(2)
    assert le(length(Axis(m, (n,))), n) is True


def slice_length(step: int) -> Lin:
    axis, _ = slice_axis(n, None, None, step)
    assert axis is not None
    return length(axis)
