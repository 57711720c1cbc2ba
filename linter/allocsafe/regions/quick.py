"""Answers that need no library: most reads are whole, or of the very slice that was written before.

Three proofs, each by `le` alone:

- no write counts: the hole is what is read, and it is there as soon as every axis has an index;
- one write covers: on every axis it starts no later and ends no earlier, at every turn;
- a chain covers: on one axis `[0:p]`, `[p:n]`, ... meet end to start, and each covers the other axes.

A loop is first folded into the box where turns lie end to end:

    for i in range(m):               start(i) = i*p, stop(i) = i*p + p = start(i + 1)
        x[i*p:(i + 1)*p] = ...       all turns: [0:m*p]

which also saves products of a turn and an unknown size from being opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from allocsafe.regions.box import Access, Axis, Box, Loop, Write, fewest
from allocsafe.regions.exprs import Lin, Sym, at_most, floordiv, maximum
from allocsafe.regions.system import shared_depth

# Sizes from here on are generic. Empty, one-element and two-element buffers, and "all but the first and the last" of
# those, are the degenerate cases that real runs of code do not live on; a hole that only they close is a hole.
K = 4


def folded(access: Access, keep: int, used: frozenset[Sym]) -> Access:
    """The access without the loops, from depth `keep` on, whose turns lie end to end on one axis.

    `used` are symbols that somebody else needs: their loops stay.
    """
    if access.box is None:
        return access
    loops, box = list(access.loops), list(access.box)
    for at in range(len(loops) - 1, keep - 1, -1):
        loop = loops[at]
        if loop.var in used or any(loop.var in x.all_syms() for x in _others(access, loops, at)):
            continue
        touched = [a for a, axis in enumerate(box) if _uses(axis, loop.var)]
        if len(touched) == 1 and (axis := _joined(box[touched[0]], loop)) is not None:
            box[touched[0]] = axis
            del loops[at]
    return access._replace(box=tuple(box), loops=tuple(loops)) if len(loops) < len(access.loops) else access


def _others(access: Access, loops: Sequence[Loop], at: int) -> Iterable[Lin]:
    yield from access.when
    for inner in loops[at + 1 :]:
        yield inner.start
        yield inner.stop


def _uses(axis: Axis, var: Sym) -> bool:
    return any(var in x.all_syms() for x in (axis.start, *axis.stops))


def _joined(axis: Axis, loop: Loop) -> Axis | None:
    """The axis over all turns, if one of its stops is the next turn's start and the others do not move."""
    moving = [stop for stop in axis.stops if loop.var in stop.all_syms()]
    if axis.step != 1 or len(moving) != 1:
        return None
    var, pace = Lin.of(loop.var), abs(loop.step)
    width = moving[0] - axis.start
    if axis.start.substitute({loop.var: var + pace}) != moving[0] or not width.nonneg():
        return None
    span = loop.stop - loop.start if loop.step > 0 else loop.start - loop.stop
    turns = floordiv(span + (pace - 1), Lin(pace))
    if loop.var in width.all_syms():  # then the width is proved for turns that exist only; else no turn gives [s:s-w]
        turns = maximum(turns, Lin(0))
    first = loop.start if loop.step > 0 else loop.start - (turns - 1) * pace
    start = axis.start.substitute({loop.var: first})
    stop = axis.start.substitute({loop.var: first + turns * pace})
    return Axis(start, fewest((stop, *(s for s in axis.stops if s is not moving[0]))))


# ---------------------------------------------------------------- coverage


def covers(write: Axis, start: Lin, stops: tuple[Lin, ...], step: int) -> bool:
    """The axis holds all of { start, start + step, ... below `stops` }."""
    if write.step != 1 and (write.step != step or write.start != start):
        return False
    return at_most(write.start, start) and all(any(at_most(s, stop) for s in stops) for stop in write.stops)


def surely_covered(read: Access, shape: tuple[Lin, ...] | None, writes: Sequence[Write]) -> bool:
    """Proved: every element that the read touches is written, at every turn."""
    boxes: list[Box] = []
    for write in writes:
        access = write.access
        if not write.before_in_turn or len(access.loops) > shared_depth(read, access):
            continue
        if not all(row.nonneg() or row in read.when for row in access.when):
            continue
        if access.box is None:
            return True
        if read.box is not None and len(access.box) == len(read.box):
            boxes.append(access.box)
    if read.box is None or not boxes or (shape is not None and len(shape) != len(read.box)):
        return False
    wanted = [(axis.start, axis.stops + (() if shape is None else (shape[a],))) for a, axis in enumerate(read.box)]

    def open_axes(box: Box) -> list[int]:
        return [a for a, (start, stops) in enumerate(wanted) if not covers(box[a], start, stops, _step(read, a))]

    left: dict[int, list[Axis]] = {}
    for box in boxes:
        open_here = open_axes(box)
        if not open_here:
            return True
        if len(open_here) == 1:
            left.setdefault(open_here[0], []).append(box[open_here[0]])
    return any(len(axes) > 1 and _chain(*wanted[a], axes) for a, axes in left.items())


def _step(read: Access, axis: int) -> int:
    return read.box[axis].step if read.box is not None else 1


def _chain(start: Lin, stops: tuple[Lin, ...], axes: list[Axis]) -> bool:
    """Each next axis starts no later than every stop of the one before that lies below the end."""
    ends: list[Lin] = [start]
    axes = [axis for axis in axes if axis.step == 1]
    while axes:
        following = next((x for x in axes if all(at_most(x.start, end) for end in ends)), None)
        if following is None:
            return False
        axes.remove(following)
        ends = [end for end in following.stops if not any(at_most(stop, end) for stop in stops)]
        if not ends:
            return True
    return False


def surely_apart(box: Box, read: Box, shape: tuple[Lin, ...] | None) -> bool:
    """Proved: the boxes have no element in common, for all values of the symbols in them."""
    for a, (x, y) in enumerate(zip(box, read, strict=False)):
        if any(at_most(stop, y.start) for stop in x.stops) or any(at_most(stop, x.start) for stop in y.stops):
            return True
        if shape is not None and at_most(shape[a], x.start):
            return True
    return False


# ---------------------------------------------------------------- the hole is the read


def surely_empty(box: Box, shape: tuple[Lin, ...]) -> bool:
    """Proved: the box has no element of the buffer."""
    return any(at_most(stop, axis.start) for a, axis in enumerate(box) for stop in (*axis.stops, shape[a]))


def surely_there(box: Box, shape: tuple[Lin, ...], shifted: Callable[[Lin], Lin]) -> bool:
    """Proved: the first index of every axis exists whenever all sizes are at least K (`shifted` puts size + K)."""
    return all(
        axis.start.nonneg() and all(shifted(stop - axis.start - 1).nonneg() for stop in (*axis.stops, shape[a]))
        for a, axis in enumerate(box)
    )
