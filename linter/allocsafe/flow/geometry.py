"""The specials of the tables: the shape of a fresh tensor, the geometry of a view.

Each special is a name that `allocsafe_rules/effects/README.md` defines. One that is not here gives a view of unknown
geometry: may-reads reach all of the argument, sure writes nothing.
"""

from __future__ import annotations

import itertools
import re

from allocsafe.effects.summary import Summary
from allocsafe.flow import views
from allocsafe.flow.dtypes import itemsize, surely_real
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import NONE, Array, Const, Known, Num, Opaque, Ref, TupleOf, Value, View
from allocsafe.flow.views import Pick
from allocsafe.regions.exprs import Lin, floordiv, minimum

Shape = tuple[Lin, ...]


def integers(m: Machine, value: Value | None, *, nonneg: bool = False) -> list[Lin] | None:
    """The integers of a size argument: a star of integers, one sequence, one integer."""
    if value is None or value == NONE:
        return None
    if isinstance(value, TupleOf):
        if len(value.items) == 1 and isinstance(value.items[0], (TupleOf, Ref)):
            return integers(m, value.items[0], nonneg=nonneg)
        out = []
        for item in value.items:
            lin = m.as_lin(item, nonneg=nonneg)
            if lin is None:
                return None
            out.append(lin)
        return out
    if isinstance(value, Ref):
        from allocsafe.flow.containers import known_items

        items = known_items(m, value)
        return None if items is None else integers(m, TupleOf(tuple(items)), nonneg=nonneg)
    if isinstance(value, Num):
        return [value.lin]
    return None


def one_opaque(value: Value | None) -> Opaque | None:
    """The single opaque thing that a size argument is, if it is one."""
    if isinstance(value, TupleOf) and len(value.items) == 1:
        value = value.items[0]
    if isinstance(value, Known):
        return Opaque(("known", value.name), value.name)
    return value if isinstance(value, Opaque) else None


def fresh_shape(m: Machine, summary: Summary, bound: dict[str, Value]) -> tuple[Shape | None, Opaque | None]:
    """The shape of a fresh tensor, or the opaque value that its lengths are named after."""
    special = summary.special
    if special in ("size", "strided", "constructor", "shape", "randint"):
        value = bound.get("size", bound.get("shape", bound.get("args", bound.get("sizes"))))
        if special == "randint" and isinstance(value, TupleOf) and "size" not in bound:
            value = value.items[-1] if value.items else None
        if special == "shape" and isinstance(value, TupleOf) and value.items:  # numpy's is one argument: so many axes
            given = integers(m, value, nonneg=True)
            return (None if given is None else tuple(given)), None
        return size_argument(m, value)
    if special == "like":
        for param in summary.params:
            like = bound.get(param.name)
            if isinstance(like, Array):
                sizes = views.sizes_of(like.view)
                if sizes is not None:
                    return sizes, None
                return None, Opaque(("view", like.buf, like.view), m.buffers[like.buf].symbol or "x")
            if like is not None:
                opaque = m.to_opaque(like)
                known = m.shapes.get(opaque.key)
                return (known, None) if known is not None else (None, m.shape_root(opaque))
        return None, None
    if special == "count":
        for name in ("steps", "num", "n", "window_length", "size"):
            lin = m.as_lin(bound[name]) if name in bound else None
            if lin is not None:
                return (lin,), None
        return None, None
    if special == "arange":
        start, end = (
            m.as_lin(bound.get("start", NONE)),
            m.as_lin(bound["end"]) if bound.get("end", NONE) != NONE else None,
        )
        end = end if end is not None else m.as_lin(bound["stop"]) if bound.get("stop", NONE) != NONE else None
        step = m.as_lin(bound["step"]) if "step" in bound else Lin.of(1)
        if start is None or step is None or step.as_int() != 1:
            return None, None
        return ((start,) if end is None else (end - start,)), None
    if special == "scalar":
        return (), None
    if special == "square":
        n = m.as_lin(bound.get("n", bound.get("N", NONE)))
        return ((n, n) if n is not None else None), None
    return None, None


def size_argument(m: Machine, value: Value | None) -> tuple[Shape | None, Opaque | None]:
    """The shape that a size argument gives, or the opaque value that its lengths are named after."""
    lone = one_opaque(value)
    if lone is not None:
        key = lone.key
        if isinstance(key, tuple) and key and key[0] == "shape-of":
            known = m.shapes.get(key[1])
            return (known, None) if known is not None else (None, Opaque(key[1], str(key[2])))
        if m.plain_integer(lone):
            lin = m.as_lin(lone, nonneg=True)
            return ((lin,) if lin is not None else None), None
        known = m.shapes.get(key)
        return (known, None) if known is not None else (None, Opaque(("ambiguous", key), lone.text))
    sizes = integers(m, value, nonneg=True)
    if sizes is None:
        return None, None
    return tuple(sizes), None


def _int(m: Machine, value: Value | None) -> int | None:
    lin = m.as_lin(value) if value is not None and value != NONE else None
    return lin.as_int() if lin is not None else None


def view_results(
    m: Machine, summary: Summary, array: Array, bound: dict[str, Value]
) -> tuple[list[View] | None, bool, bool]:
    """The views a call makes of `array`; whether a "maybe" surely shares here; whether the geometry is known."""
    special = summary.special
    view = array.view
    buffer = m.buffers[array.buf] if array.buf >= 0 else None
    native = buffer.shape if buffer is not None else None
    outer = buffer.outer if buffer is not None else 0
    dim = _int(m, bound.get("dim", bound.get("axis", bound.get("dimension"))))
    dim_given = (
        bool({"dim", "axis", "dimension"} & bound.keys())
        and bound.get("dim", bound.get("axis", bound.get("dimension"))) != NONE
    )

    def lin(name: str) -> Lin | None:
        value = bound.get(name)
        return m.as_lin(value, nonneg=True) if value is not None and value != NONE else None

    at = dim if dim_given else 0
    if special in ("same", "data"):
        shares = summary.name.endswith((".contiguous", ".pin_memory_")) and views.is_whole(view, native)
        return [view], shares and _in_order(view), True
    if special == "narrow":
        start, size = lin("start"), lin("length")
        if start is None or size is None:
            return [views.some_of(view)], True, True
        return [views.narrow(view, dim, start, start + size)], True, True
    if special == "select":
        return [views.select(view, dim, lin("index"))], True, True
    if special == "slice":
        return [views.narrow(view, at, lin("start"), lin("end"), _int(m, bound.get("step")) or 1)], True, True
    if special in ("split", "chunk", "tensor_split", "hsplit", "vsplit", "unbind", "iterate"):
        return _pieces(m, summary, view, bound, at), True, True
    if special in ("view", "reshape", "reshape_as", "view_as"):
        if special.endswith("_as"):
            from allocsafe.flow.operators import shape_of

            shape = shape_of(m, bound["other"]) if "other" in bound else None
            sizes = None if shape is None else list(shape)
        else:
            given = bound.get("args", bound.get("shape", bound.get("size")))
            dtype = _dtype(m, bound.get("dtype")) or _dtype(m, given)
            if dtype is not None:
                return [_retyped(m, array, dtype)], True, True
            lone = one_opaque(given)
            sizes = integers(m, given)
            if lone is not None:
                shape2, _ = size_argument(m, given)
                sizes = list(shape2) if shape2 is not None else None
        return [views.reshape(view, sizes, native, outer)], special.startswith("view") or _in_order(view), True
    if special == "flatten":
        first = _int(m, bound.get("start_dim")) if "start_dim" in bound else 0
        last = _int(m, bound.get("end_dim")) if "end_dim" in bound else -1
        flat = views.flatten(view, first if first is not None else 0, last if last is not None else -1, native, outer)
        return [flat], _in_order(view), True
    if special == "unflatten":
        return [_unflatten(m, view, bound, dim, native, outer)], True, True
    if special == "t":
        if view.dims is not None and not view.open and len(view.dims) < 2:
            return [view], True, True
        return (
            [views.reverse(view) if view.dims is not None and not view.open else views.permute(view, None)],
            True,
            True,
        )
    if special == "T":
        return [views.reverse(view)], True, True
    if special == "mT":
        return [views.transpose(view, -2, -1)], True, True
    if special == "transpose":
        pair = [_int(m, bound.get(n)) for n in ("dim0", "dim1", "axis0", "axis1", "axis2") if n in bound]
        if len(pair) == 2 and pair[0] is not None and pair[1] is not None:
            return [views.transpose(view, pair[0], pair[1])], True, True
        return [views.permute(view, None)], True, True
    if special in ("permute", "movedim"):
        order = integers(m, bound.get("dims", bound.get("axes"))) if special == "permute" else None
        numbers = [o.as_int() for o in order] if order is not None else None
        if numbers is not None and view.dims is not None and all(n is not None for n in numbers):
            return [views.permute(view, [n % len(view.dims) for n in numbers if n is not None])], True, True
        if special == "permute" and order is None and summary.name.startswith("numpy"):
            return [views.reverse(view)], True, True
        return [views.permute(view, None)], True, True
    if special == "unsqueeze":
        return [views.unsqueeze(view, dim)], True, True
    if special == "squeeze":
        return [views.squeeze(view, dim if dim_given else None)], True, True
    if special in ("expand", "expand_as"):
        sizes = integers(m, bound.get("size", bound.get("shape")))
        return [views.expand(view, sizes)], True, True
    if special in ("storage",):
        if buffer is not None and view.box is None:
            return [view], True, True
        return [views.some_of(View(None, None, None))], True, False
    if special in ("flip", "fliplr", "flipud", "rot90", "roll", "repeat"):
        return [View(view.frame, view.box, None, extent=view.extent)], False, True
    if special == "dtype":
        dtype = _dtype(m, bound.get("dtype")) or ""
        return [views.some_of(view) if "offset" in bound else _retyped(m, array, dtype)], True, True
    if special == "view_as_real":
        return [views.halves(view)], True, True
    if special == "view_as_complex":
        return [views.pairs(view)], True, True
    if special in ("parameter", "from_blob"):
        return [view], True, True
    if special in ("real", "first", "last", "at", "deref"):
        same = special == "real" and buffer is not None and surely_real(buffer.attrs.get("dtype"), buffer.what)
        return [view if same else views.some_of(view)], True, True
    if special == "atleast":
        return [View(view.frame, view.box, None, extent=view.extent)], True, True
    return [views.some_of(View(view.frame, view.box, None))], False, False


def _dtype(m: Machine, value: Value | None) -> str | None:
    """The name of the dtype that an argument is; "" for one without a name of its own, None for anything else."""
    lone = one_opaque(value)
    if lone is None or m.plain_integer(lone):
        return None
    if isinstance(lone.key, tuple) and lone.key[0] == "known":
        return lone.text
    return "" if re.search(r"d?type\b[^.]*$", lone.text) else None


def _retyped(m: Machine, array: Array, dtype: str) -> View:
    """The same bytes as elements of another dtype: the last axis scales."""
    had = m.buffers[array.buf].attrs.get("dtype", "") if array.buf >= 0 and array.view.frame is None else ""
    old, new = itemsize(had), itemsize(dtype)
    if had and had == dtype:
        old = new = 1
    native, outer = (m.buffers[array.buf].shape, m.buffers[array.buf].outer) if array.buf >= 0 else (None, 0)
    if old is not None and old == new:
        return array.view
    dims = array.view.dims
    if old is None or new is None or not dims or array.view.open or max(old, new) % min(old, new):
        return views.reshape(array.view, None, native, outer)
    last = dims[-1].size
    last = last * (old // new) if old > new else floordiv(last, Lin.of(new // old))
    return views.reshape(array.view, [*(d.size for d in dims[:-1]), last], native, outer)


def _in_order(view: View) -> bool:
    """Whether the visible dimensions walk memory in order without gaps, so that `reshape` shares."""
    if view.dims is None or view.box is None:
        return view.box is None and view.extent == "all" and not view.open
    axes = [d.axis for d in view.dims if d.axis >= 0]
    if axes != sorted(axes) or any(d.axis < 0 and d.size.as_int() != 1 for d in view.dims):
        return False
    partial = [i for i, a in enumerate(view.box) if not (a.step == 1 and a.start == Lin.of(0) and len(a.stops) == 1)]
    return all(i == 0 and view.box[i].step == 1 for i in partial)


def _pieces(m: Machine, summary: Summary, view: View, bound: dict[str, Value], at: int | None) -> list[View] | None:
    """The pieces of split, chunk, unbind and their kin, if their number is known."""
    special = summary.special
    if special in ("hsplit", "vsplit"):
        at = 1 if special == "hsplit" and view.dims is not None and len(view.dims) > 1 else 0
    axis = views._axis(view, at) if at is not None else None
    if axis is None or view.dims is None:
        return None
    size = view.dims[axis].size
    cuts: list[tuple[Lin, Lin]] = []
    if special in ("unbind", "iterate"):
        count = size.as_int()
        if count is None or count > 16:
            return None
        return [views.select(view, axis, Lin.of(k)) for k in range(count)]
    key = {"split": ("split_size_or_sections", "split_size", "split_sizes"), "chunk": ("chunks",)}.get(
        special, ("indices_or_sections", "sections", "indices")
    )
    value = next((bound[k] for k in key if k in bound), None)
    if special == "split":
        if isinstance(value, (TupleOf, Ref)):
            sizes = integers(m, value)
            if sizes is None:
                return None
            start = Lin.of(0)
            for length in sizes:
                cuts.append((start, start + length))
                start = start + length
        else:
            piece = m.as_lin(value) if value is not None else None
            total, number = size.as_int(), piece.as_int() if piece is not None else None
            if piece is None:
                return None
            if total is not None and number:
                cuts = [(Lin.of(k), Lin.of(min(k + number, total))) for k in range(0, total, number)]
            else:
                ratio = _times(size, piece)
                if ratio is None:
                    return None
                cuts = [(piece * k, piece * (k + 1)) for k in range(ratio)]
    elif special == "chunk":
        number = _int(m, value)
        if not number:
            return None
        piece = floordiv(size + (number - 1), Lin.of(number))
        exact = size.as_int()
        if exact is not None:
            p = -(-exact // number)
            cuts = [(Lin.of(k), Lin.of(min(k + p, exact))) for k in range(0, exact, p)] if p else []
        else:
            edges = [Lin.of(0), *(minimum(piece * k, size) for k in range(1, number + 1))]
            cuts = list(itertools.pairwise(edges))
    elif isinstance(value, (TupleOf, Ref)):
        places = integers(m, value)
        if places is None:
            return None
        edges = [Lin.of(0), *places, size]
        cuts = list(itertools.pairwise(edges))
    else:
        number, total = _int(m, value), size.as_int()
        if not number or total is None:
            return None
        base, extra = divmod(total, number)
        start_at = 0
        for k in range(number):
            end = start_at + base + (1 if k < extra else 0)
            cuts.append((Lin.of(start_at), Lin.of(end)))
            start_at = end
    return [views.narrow(view, axis, lo, hi) for lo, hi in cuts]


def _times(size: Lin, piece: Lin) -> int | None:
    for k in range(1, 17):
        if piece * k == size:
            return k
    return None


def _unflatten(
    m: Machine, view: View, bound: dict[str, Value], dim: int | None, native: Shape | None, outer: int
) -> View:
    sizes = integers(m, bound.get("sizes"))
    axis = views._axis(view, dim) if dim is not None else None
    if sizes is None or axis is None or view.dims is None or any(s.as_int() == -1 for s in sizes):
        return views.reshape(view, None, native, outer)
    whole = [d.size for d in view.dims]
    return views.reshape(view, [*whole[:axis], *sizes, *whole[axis + 1 :]], native, outer)


__all__ = ["Const", "Pick", "fresh_shape", "integers", "view_results"]
