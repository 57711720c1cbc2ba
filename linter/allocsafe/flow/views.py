"""Geometry: which elements `x[1:, None, -1]`, `x.t()` or `x.view(n, -1)` are, as a `View` of the same buffer.

*Claim.* Every function returns a view whose box holds all the elements the result can reach, and with extent ``all``
exactly those. *Why that suffices.* A may-read uses the box, a sure write needs ``all``. *What it gives up.* A reshape
is followed where it keeps leading dimensions and regroups trailing ones that are whole (a new *frame*), or where the
whole buffer is seen; otherwise the coordinates are lost: what covered the whole buffer still does, a part becomes
``some``.

    x: [n, d]                 box                 dims
    x[1:]                     [1:n, 0:d]          axis 0, axis 1
    x[1:, 0]                  [1:n, 0:1]          axis 0
    x[1:, 0][None]            [1:n, 0:1]          none, axis 0
    x.view(-1)                frame [n*d], [0:n*d]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from allocsafe.flow.values import Dim, View
from allocsafe.regions.box import Axis, Box, compose, length, slice_axis, whole
from allocsafe.regions.exprs import Lin, floordiv, le, maximum, mul

ONE = Lin.of(1)
ZERO = Lin.of(0)


class Pick(NamedTuple):
    """One resolved index item: ``int`` (at), ``slice`` (lo, hi, step), ``new``, ``dots``, or ``lost`` (a slice nobody
    can bound).
    """

    kind: str
    at: Lin | None = None
    lo: Lin | None = None
    hi: Lin | None = None
    step: int = 1
    below: int = 0
    """Which of its integers are negative although nothing proves it, as a sum: 1 lo, 2 hi, 4 at."""


def view_of_shape(shape: tuple[Lin, ...] | None, outer: Sequence[Axis] = (), *, open_rank: bool = False) -> View:
    """All of a fresh buffer; `outer` are its leading axes at the current turns of the loops that make it."""
    if shape is None:
        return View(None, None, None)
    box = tuple(outer) + whole(shape)
    dims = tuple(Dim(i + len(outer), size) for i, size in enumerate(shape))
    return View(None, box, dims, open_rank)


def lost(view: View, dims: tuple[Dim, ...] | None = None) -> View:
    """The same elements (or some of them) in unknown coordinates."""
    extent = view.extent if view.box is None else "some"
    if view.box is not None:
        return View(view.frame, view.box, None if dims is None else tuple(Dim(-1, d.size) for d in dims), extent="some")
    return View(None, None, None if dims is None else tuple(Dim(-1, d.size) for d in dims), extent=extent)


def some_of(view: View) -> View:
    """An unknown part of the view."""
    return View(view.frame, view.box, view.dims, view.open, "some")


def index(view: View, picks: Sequence[Pick]) -> View:
    """`view[picks]` for picks that make views."""
    if view.dims is None:
        if all(
            p.kind in ("dots", "new") or (p.kind == "slice" and p.lo is None and p.hi is None and p.step in (1, -1))
            for p in picks
        ):
            return view
        return some_of(View(view.frame, view.box, None))
    dims = list(view.dims)
    used = sum(p.kind in ("int", "slice", "lost") for p in picks)
    if used > len(dims):
        return some_of(View(view.frame, view.box, None))
    box = list(view.box) if view.box is not None else None
    extent = view.extent
    out: list[Dim] = []
    at = 0
    dotted = any(p.kind == "dots" for p in picks)
    if (
        dotted
        and view.open
        and any(p.kind in ("int", "slice", "lost") for p in picks[[p.kind for p in picks].index("dots") :])
    ):
        return some_of(View(view.frame, view.box, None))  # the last axes of an unknown rank
    for number, pick in enumerate(picks):
        if pick.kind == "new":
            out.append(Dim(-1, ONE))
        elif pick.kind == "dots":
            rest = sum(p.kind in ("int", "slice", "lost") for p in picks[number + 1 :])
            while len(dims) - at > rest:
                out.append(dims[at])
                at += 1
        else:
            dim = dims[at]
            at += 1
            size, exact = _pick(box, dim, pick)
            if not exact:
                extent = "some"
            if size is not None:
                out.append(Dim(dim.axis, size))
    out += dims[at:]
    return View(view.frame, tuple(box) if box is not None else None, tuple(out), view.open, extent)


def _pick(box: list[Axis] | None, dim: Dim, pick: Pick) -> tuple[Lin | None, bool]:
    """Narrows `box` at `dim`; the new size (None: the dimension goes) and whether the box is still exact."""
    if pick.kind == "lost":
        return dim.size, False
    if pick.kind == "int":
        assert pick.at is not None
        at = dim.size + pick.at if pick.at.neg() or pick.below & 4 else pick.at
        if dim.axis < 0 or box is None:
            return None, dim.axis < 0 and (box is not None or le(dim.size, ONE) is True)
        inner = Axis(at, (at + 1,))
        exact = True
    else:
        lo = maximum(dim.size + pick.lo, ZERO) if pick.below & 1 and pick.lo is not None else pick.lo
        hi = maximum(dim.size + pick.hi, ZERO) if pick.below & 2 and pick.hi is not None else pick.hi
        axis, exact = slice_axis(dim.size, lo, hi, pick.step)
        if axis is None:
            return dim.size, False
        if dim.axis < 0 or box is None:
            new = length(axis)
            return new, exact and (new == dim.size or (dim.axis < 0 and box is not None and le(ONE, new) is True))
        inner = axis
    outer = box[dim.axis]
    joined = compose(outer, inner)
    if joined is None:
        return (None if pick.kind == "int" else length(inner)), False
    box[dim.axis] = joined
    return (None if pick.kind == "int" else length(inner)), exact


def _axis(view: View, dim: int) -> int | None:
    """`dim` as a position among the visible dimensions, negative ones from the end."""
    if view.dims is None or (view.open and dim < 0):
        return None
    at = dim + len(view.dims) if dim < 0 else dim
    return at if 0 <= at < len(view.dims) else None


def narrow(view: View, dim: int | None, lo: Lin | None, hi: Lin | None, step: int = 1) -> View:
    """The slice `lo:hi:step` of one dimension; `dim` None: nobody knows which."""
    at = None if dim is None else _axis(view, dim)
    if at is None:
        return some_of(View(view.frame, view.box, None))
    return index(view, [Pick("slice")] * at + [Pick("slice", lo=lo, hi=hi, step=step)])


def select(view: View, dim: int | None, at: Lin | None) -> View:
    """One index of one dimension, which goes."""
    axis = None if dim is None else _axis(view, dim)
    if axis is None or at is None:
        return some_of(View(view.frame, view.box, None))
    return index(view, [Pick("slice")] * axis + [Pick("int", at=at)])


def permute(view: View, order: Sequence[int] | None) -> View:
    """The dimensions in another order (None: unknown, coordinates are lost)."""
    if view.dims is None:
        return View(view.frame, view.box, None, True, view.extent)  # open: not known to be in the order of the memory
    if order is None or view.open or len(order) != len(view.dims):
        return (
            lost(view)
            if view.box is not None and not is_whole(view)
            else View(view.frame, view.box, None, extent=view.extent)
        )
    return View(view.frame, view.box, tuple(view.dims[i] for i in order), extent=view.extent)


def transpose(view: View, a: int, b: int) -> View:
    """Two dimensions exchanged."""
    first, second = _axis(view, a), _axis(view, b)
    if view.dims is None or first is None or second is None:
        return permute(view, None)
    dims = list(view.dims)
    dims[first], dims[second] = dims[second], dims[first]
    return View(view.frame, view.box, tuple(dims), view.open, view.extent)


def reverse(view: View) -> View:
    """`.T`, `.t()`: all dimensions in reverse."""
    if view.dims is None or view.open:
        return permute(view, None)
    return permute(view, range(len(view.dims) - 1, -1, -1))


def unsqueeze(view: View, dim: int | None) -> View:
    """A new dimension of length one before `dim`."""
    if view.dims is None or dim is None:
        return View(view.frame, view.box, None, extent=view.extent)
    at = dim + len(view.dims) + 1 if dim < 0 else dim
    if view.open and dim < 0:
        return View(view.frame, view.box, None, extent=view.extent)
    dims = list(view.dims)
    dims.insert(at, Dim(-1, ONE))
    return View(view.frame, view.box, tuple(dims), view.open, view.extent)


def squeeze(view: View, dim: int | None) -> View:
    """Without dimension `dim` if it has length one (None: without all such). Unknown lengths lose the rank, not the
    elements.
    """
    if view.dims is None:
        return view
    if dim is None:
        sizes = [d.size.as_int() for d in view.dims]
        if None in sizes or view.open:
            return View(view.frame, view.box, None, extent=view.extent)
        return View(
            view.frame, view.box, tuple(d for d, n in zip(view.dims, sizes, strict=False) if n != 1), extent=view.extent
        )
    at = _axis(view, dim)
    if at is None or view.dims[at].size.as_int() is None:
        return View(view.frame, view.box, None, extent=view.extent)
    dims = list(view.dims)
    if dims[at].size.as_int() == 1:
        dims.pop(at)
    return View(view.frame, view.box, tuple(dims), view.open, view.extent)


def expand(view: View, sizes: Sequence[Lin] | None) -> View:
    """Length-one dimensions repeated; the elements stay the same."""
    if view.dims is None or sizes is None or view.open:
        return View(view.frame, view.box, None, extent=view.extent)
    extra = len(sizes) - len(view.dims)
    if extra < 0:
        return View(view.frame, view.box, None, extent=view.extent)
    dims = [Dim(-1, s) for s in sizes[:extra]]
    for dim, size in zip(view.dims, sizes[extra:], strict=False):
        dims.append(dim if size.as_int() == -1 or size == dim.size else Dim(-1, size))
    return View(view.frame, view.box, tuple(dims), extent=view.extent)


def halves(view: View) -> View:
    """Each element as two, in an axis of its own: no coordinate tells them apart."""
    return View(view.frame, view.box, None, extent=view.extent)


def pairs(view: View) -> View:
    """Two elements as one: the last axis, of length two, goes."""
    if view.dims is None or view.open or not view.dims:
        return View(view.frame, view.box, None, extent=view.extent)
    return View(view.frame, view.box, view.dims[:-1], extent=view.extent)


def is_whole_axis(axis: Axis, size: Lin) -> bool:
    """Whether the axis surely holds every index below `size`."""
    return axis.step == 1 and axis.start == ZERO and all(stop == size or le(size, stop) is True for stop in axis.stops)


def is_whole(view: View, native: tuple[Lin, ...] | None = None) -> bool:
    """Whether the view surely shows every element of its frame's visible axes, each once, in order."""
    if view.extent != "all":
        return False
    if view.box is None:
        return True
    shape = view.frame if view.frame is not None else native
    if shape is None or view.dims is None:
        return False
    return len(shape) == len(view.box) and all(is_whole_axis(a, s) for a, s in zip(view.box, shape, strict=False))


def product(sizes: Sequence[Lin]) -> Lin:
    """The number of elements."""
    total = ONE
    for size in sizes:
        total = mul(total, size)
    return total


def reshape(view: View, wanted: Sequence[Lin] | None, native: tuple[Lin, ...] | None, outer: int) -> View:
    """`view` with dimensions `wanted` (one may be -1). `native` is the buffer's shape, its first `outer` axes are
    loop turns.
    """
    whole_now = view.extent == "all" and view.box is None
    if wanted is None:
        if whole_now or is_whole(view, native):
            return View(None, None, None)
        return lost(view)
    sizes = list(wanted)
    holes = [i for i, s in enumerate(sizes) if s.as_int() == -1]
    if holes:
        if view.dims is None or view.open or len(holes) > 1:
            sizes_known = None
        else:
            others = product([s for i, s in enumerate(sizes) if i != holes[0]])
            sizes_known = _divide(
                [d.size for d in view.dims], [s for i, s in enumerate(sizes) if i != holes[0]], others
            )
        if sizes_known is None:
            if whole_now or is_whole(view, native):
                return View(None, None, None)
            return lost(view)
        sizes[holes[0]] = sizes_known
    dims = tuple(Dim(-1, s) for s in sizes)
    if whole_now and native is None:
        return View(tuple(sizes), whole(tuple(sizes)), tuple(Dim(i, s) for i, s in enumerate(sizes)))
    shape = view.frame if view.frame is not None else native
    if view.box is None or view.dims is None or shape is None or view.open:
        return lost(view, dims)
    same = _regroup(view, shape, sizes)
    if same is None:
        return lost(view, dims)
    frame, box, new = same
    if view.frame is None or frame == native:
        frame_now = None if frame == native else frame
    else:
        frame_now = frame
    return View(frame_now, box, new, extent=view.extent)


def _divide(have: list[Lin], known: list[Lin], others: Lin) -> Lin | None:
    left = list(have)
    for size in known:  # equal factors cancel whatever they are
        if size in left:
            left.remove(size)
        elif size.as_int() == 1:
            continue
        else:
            return floordiv(product(have), others) if others.as_int() != 0 else None
    return product(left)


def _regroup(
    view: View, shape: tuple[Lin, ...], sizes: list[Lin]
) -> tuple[tuple[Lin, ...], Box, tuple[Dim, ...]] | None:
    """The frame in which the reshaped view has coordinates: leading dimensions stay, trailing whole ones are
    regrouped.
    """
    assert view.dims is not None and view.box is not None
    old = [d for d in view.dims if not (d.axis < 0 and d.size.as_int() == 1)]
    if any(d.axis < 0 for d in old):
        return None
    keep: list[Dim] = []
    new = list(sizes)
    out: list[Dim | None] = []
    while new:
        if new[0].as_int() == 1 and not (old and old[0].size == new[0]):
            out.append(Dim(-1, ONE))
            new.pop(0)
        elif old and old[0].size == new[0]:
            out.append(old[0])
            keep.append(old.pop(0))
            new.pop(0)
        else:
            break
    if not new and all(d.size.as_int() == 1 for d in old):
        return shape, view.box, tuple(d for d in out if d is not None)
    ones = len(new) > 0 and not old and all(s.as_int() == 1 for s in new)
    if ones:
        return shape, view.box, tuple(d for d in out if d is not None) + tuple(Dim(-1, ONE) for _ in new)
    rest = [d.axis for d in old]
    first = len(shape) - len(rest)
    if rest != list(range(first, len(shape))) or not all(is_whole_axis(view.box[a], shape[a]) for a in rest):
        return None
    if not new:
        return None
    frame = shape[:first] + tuple(new)
    box = view.box[:first] + whole(tuple(new))
    dims = [d for d in out if d is not None] + [Dim(first + i, s) for i, s in enumerate(new)]
    return frame, box, tuple(dims)


def flatten(view: View, start: int, end: int, native: tuple[Lin, ...] | None, outer: int) -> View:
    """Dimensions `start` to `end` (inclusive) as one."""
    if view.dims is None or view.open:
        return reshape(view, None, native, outer)
    first, last = _axis(view, start), _axis(view, end)
    if first is None or last is None or first > last:
        return reshape(view, None, native, outer)
    sizes = [d.size for d in view.dims]
    return reshape(view, [*sizes[:first], product(sizes[first : last + 1]), *sizes[last + 1 :]], native, outer)


def sizes_of(view: View) -> tuple[Lin, ...] | None:
    """The visible shape, or None when the rank is not known."""
    return None if view.dims is None or view.open else tuple(d.size for d in view.dims)
