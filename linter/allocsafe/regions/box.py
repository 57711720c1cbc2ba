"""Regions as tuples of affine bounds, and Python's slices as such tuples.

An `Axis` is the indices `start, start + step, ...` below every one of `stops`; a `Box` is one axis for each axis of a
buffer. That form holds what slices, counted loops and views of views make, needs no library, and decides most reads.
What does not fit it (a symbolic step, step 0) is None, and the caller loses coordinates, never correctness.

    x = torch.empty(n)          whole((n,))         [0:n]
    x[2:][:k]                   compose             start 2, below 2 + k and below n
    x[-3:]                      slice_axis          start max(0, n - 3), below n

An axis says nothing about the elements of the buffer that do not exist: indices outside the shape are cut off by
whoever asks (`question.hole`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from allocsafe.regions.exprs import ONE, ZERO, Lin, Sym, at_most, floordiv, maximum, minimum, mod


class Axis(NamedTuple):
    """{ start + k*step : k >= 0, value < every stop }, step >= 1."""

    start: Lin
    stops: tuple[Lin, ...]
    step: int = 1


Box: TypeAlias = "tuple[Axis, ...]"


class Loop(NamedTuple):
    """var = start, start + step, ... while var < stop (step > 0) or var > stop (step < 0)."""

    var: Sym
    start: Lin
    stop: Lin
    step: int


class Access(NamedTuple):
    """The elements that one statement touches over the turns of its loops.

    `loops` are outermost first, and `box` may use their variables; `box` None is every element, whatever the shape.
    It happens where every expression of `when` is >= 0; those may use the variables too.
    """

    box: Box | None
    loops: tuple[Loop, ...] = ()
    when: tuple[Lin, ...] = ()


class Write(NamedTuple):
    """A sure write, placed in time against the read that asks.

    `before_in_turn`: it stands before the read in the text, so the same turn of the shared loops counts.
    `same_turn_only`: its box uses values that change from turn to turn; only the same turn of all shared loops counts.
    """

    access: Access
    before_in_turn: bool = True
    same_turn_only: bool = False


def whole(shape: tuple[Lin, ...]) -> Box:
    """Every element of a buffer of this shape."""
    return tuple(Axis(ZERO, (extent,)) for extent in shape)


def fewest(stops: Iterable[Lin]) -> tuple[Lin, ...]:
    """The stops without those that another one provably implies."""
    kept: list[Lin] = []
    for stop in stops:
        if any(at_most(other, stop) for other in kept):
            continue
        kept = [other for other in kept if not at_most(stop, other)]
        kept.append(stop)
    return tuple(kept)


def assumed(*bounds: Lin | None) -> tuple[Lin, ...]:
    """The slice bounds that `slice_axis` takes as >= 0 without a proof. The caller lists them or splits on them."""
    return tuple(b for b in bounds if b is not None and not b.nonneg() and not (-b).nonneg())


def slice_axis(size: Lin, lo: Lin | None, hi: Lin | None, step: int) -> tuple[Axis | None, bool]:
    """The indices `range(size)[lo:hi:step]`, and whether they are exactly those. None for step 0.

    A bound that is provably negative counts from the end and is clamped as Python does. `-k` where k may be 0 is given
    for k >= 1, and is not exact: `x[-k:]` with k = 0 is all of x. `min(0, k)` is as often 0 as not: any of the indices.
    A bound of unknown sign is taken as >= 0 (`assumed`). A negative step gives the same indices in forward order.
    """
    if step == 0:
        return None, False
    if any(bound is not None and _either(bound) for bound in (lo, hi)):
        return Axis(ZERO, (size,)), False
    exact = True
    bounds: list[Lin | None] = []
    for bound in (lo, hi):
        if bound is not None and not bound.nonneg() and (-bound).nonneg():
            exact = exact and bound.neg()
            bounds.append(size + bound)
        else:
            bounds.append(bound)
    first, last = bounds
    if step > 0:
        start = ZERO if first is None else _at_least(first, lo, ZERO)
        return Axis(start, fewest((size,) if last is None else (last, size)), step), exact
    # forward, the indices of x[first:last:-s] end at `first` and begin s*k above `last`
    begin = ZERO if last is None else _at_least(last, hi, Lin(-1)) + 1
    if step == -1:
        return Axis(begin, fewest((size,) if first is None else (first + 1, size))), exact
    top = size - 1 if first is None else minimum(first, size - 1)
    return Axis(begin + mod(top - begin, Lin(-step)), (top + 1,), -step), exact


def _either(bound: Lin) -> bool:
    """Whether a bound is 0 or negative, and neither is the rule."""
    if not any(s.defn is not None and s.defn[0] in ("min", "max") for s in bound.all_syms()):
        return False
    return not bound.nonneg() and not bound.neg() and (-bound).nonneg()


def _at_least(bound: Lin, written: Lin | None, least: Lin) -> Lin:
    """A bound that counts from the end stops at `least`; one that counts from the start is not below it anyway."""
    return bound if bound is written else maximum(bound, least)


def compose(outer: Axis, inner: Axis) -> Axis | None:
    """The indices of `outer` at the positions `inner`; None if a position may lie before the first."""
    if inner.start.neg():
        return None
    stops = (*outer.stops, *(outer.start + stop * outer.step for stop in inner.stops))
    return Axis(outer.start + inner.start * outer.step, fewest(stops), outer.step * inner.step)


def length(axis: Axis) -> Lin:
    """The number of indices."""
    counts = [floordiv(stop - axis.start + (axis.step - 1), Lin(axis.step)) for stop in axis.stops]
    count = counts[0]
    for other in counts[1:]:
        count = minimum(count, other)
    return maximum(count, ZERO)


def point(index: Lin) -> Axis:
    """One index."""
    return Axis(index, (index + ONE,))
