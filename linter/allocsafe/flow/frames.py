"""The same elements in the coordinates of another shape: `[1:3]` of blocks as `[b:3*b]` of rows.

*Claim.* Memory that is seen under two shapes is walked in the same order by both. Leading axes of one length are the
same axis; a run of axes that one axis of the other shape is the product of is that axis; what is left behind them is
a row of the same bytes in both, of another dtype perhaps. A box goes over exactly where
an axis is split at whole rows, or joined below one range; `exact` False gives the least box around it instead. *Why
that suffices.* A sure write needs the exact one, a write that may have happened any box around it. *What it gives up.*
Shapes whose lengths are not visibly products of one another, steps, and buffers whose rank nobody knows.

    shape [n, b], box [1:k, 0:b]        as [n*b]        [b:k*b]
    shape [n*b], box [s:t]              as [n, b]       around it: [s//b : (t + b - 1)//b, 0:b]
"""

from __future__ import annotations

from collections.abc import Sequence

from allocsafe.flow.views import is_whole_axis
from allocsafe.regions.box import Axis, Box, fewest, whole
from allocsafe.regions.exprs import ONE, ZERO, Lin, floordiv, mul

Shape = tuple[Lin, ...]


def reframed(box: Box, have: Shape, want: Shape, *, exact: bool) -> Box | None:
    """The box of a buffer seen as `have` in the coordinates of `want`; None where that cannot be said."""
    out: list[Axis] = []
    i = j = 0
    while i < len(have) or j < len(want):
        if all(is_whole_axis(axis, size) for axis, size in zip(box[i:], have[i:], strict=True)):
            return (*out, *whole(want[j:]))  # whole rows: whatever a row is counted in
        if i < len(have) and j < len(want) and have[i] == want[j]:
            out.append(box[i])
            i, j = i + 1, j + 1
        elif j < len(want) and want[j] == ONE:
            out.append(Axis(ZERO, (ONE,)))
            j += 1
        elif i < len(have) and have[i] == ONE and is_whole_axis(box[i], ONE):
            i += 1
        elif i >= len(have) or j >= len(want):
            return None
        elif (many := _run(have[i:], want[j])) is not None:
            joined = _joined(box[i : i + many], have[i : i + many], exact)
            if joined is None:
                return None
            out.append(joined)
            i, j = i + many, j + 1
        elif (many := _run(want[j:], have[i])) is not None:
            parts = _split(box[i], want[j : j + many], exact)
            if parts is None:
                return None
            out += parts
            i, j = i + 1, j + many
        else:
            return None
    return tuple(out)


def _run(sizes: Sequence[Lin], total: Lin) -> int | None:
    """How many leading sizes have this product."""
    product = ONE
    for number, size in enumerate(sizes, 1):
        product = mul(product, size)
        if product == total and number > 1:
            return number
    return None


def _joined(axes: Sequence[Axis], sizes: Sequence[Lin], exact: bool) -> Axis | None:
    """Several axes as one: single indices, then one range, then whole axes."""
    strides = [ONE] * len(sizes)
    for number in range(len(sizes) - 2, -1, -1):
        strides[number] = mul(strides[number + 1], sizes[number + 1])
    base, stops = ZERO, []
    for number, (axis, size, stride) in enumerate(zip(axes, sizes, strides, strict=True)):
        if exact and number and not axis.start.nonneg():
            return None  # an index below 0 is no element here, and one of the row before there
        stops += [base + mul(stop, stride) for stop in (*axis.stops, size)]
        base = base + mul(axis.start, stride)
        single = number < len(sizes) - 1 and any((stop - axis.start) == ONE for stop in axis.stops)
        if single:
            continue  # its stops empty the whole where it lies past the end
        if any(not is_whole_axis(a, s) for a, s in zip(axes[number + 1 :], sizes[number + 1 :], strict=True)):
            return None
        return None if axis.step != 1 and stride != ONE else Axis(base, fewest(stops), axis.step)
    return None


def _split(axis: Axis, sizes: Shape, exact: bool) -> list[Axis] | None:
    """One axis as several: whole rows of it, or the rows around it."""
    row = ONE
    for size in sizes[1:]:
        row = mul(row, size)
    if exact and axis.step != 1:
        return None
    start, stops = floordiv(axis.start, row), tuple(floordiv(stop + row - 1, row) for stop in axis.stops)
    if exact and not (
        mul(start, row) == axis.start and all(mul(a, row) == b for a, b in zip(stops, axis.stops, strict=True))
    ):
        return None
    return [Axis(start, stops), *(Axis(ZERO, (size,)) for size in sizes[1:])]


__all__ = ["reframed"]
