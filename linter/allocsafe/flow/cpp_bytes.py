"""`memset`, `memcpy`, `std::fill`, `malloc`: memory told by bytes or by iterators.

*Claim.* A byte count covers that many bytes from the pointer, in elements of the memory below: a write covers the whole
elements in it, a read touches those it covers in part too. *What it gives up.* A count that is no multiple of an
element of unknown size covers some unknown part.

    float a[n]
    memset(a, 0, n * sizeof(float))    [0:n]
    memset(a, 0, n)                    [0:n//4]
"""

from __future__ import annotations

from allocsafe.effects.summary import Summary
from allocsafe.flow import cpp_borrowed, cpp_pointers
from allocsafe.flow.cpp_alloc import check_count, typed
from allocsafe.flow.cpp_memory import Native, is_pointer, is_zero, real
from allocsafe.flow.cpp_memory import in_elements as as_elements
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import allocate, escape, holds_array, log, read
from allocsafe.flow.values import NONE, Alts, Array, Const, Num, Value, View
from allocsafe.flow.views import product, sizes_of, some_of
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin, floordiv, mul
from allocsafe.source import Span

LETTER = {"W": ("write",), "R": ("read",), "I": ("read",), "C": ("read",), "M": ("read", "write")}


def native_call(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """A call whose line has one of the specials about bytes and iterators. None: let the letters of the line decide."""
    act = {
        "memset": _memset,
        "memcpy": _memcpy,
        "memcmp": _memcmp,
        "bytes": _bytes,
        "calloc": _bytes,
        "out_bytes": _out_bytes,
        "iterators": _iterators,
        "iterator_count": _iterator_count,
        "iterator_copy": _iterator_copy,
        "iterator_copy_n": _iterator_copy,
        "free": _free,
        "from_blob": cpp_borrowed.from_blob,
    }.get(summary.special)
    return act(m, summary, bound, span) if act is not None else None


def _count(m: Machine, value: Value | None, span: Span) -> Lin | None:
    if value is None or isinstance(value, (Alts, Const)):
        return None
    read(m, value, span, "used as a count", "index")
    return m.as_lin(value, nonneg=True) if not holds_array(m, value) else None


def first_bytes(m: Machine, pointer: Array, count: Lin | None, *, up: bool) -> Array:
    """The first `count` bytes behind a pointer."""
    native = m.native.get(pointer.buf)
    if native is None or count is None:
        return Array(pointer.buf, some_of(pointer.view))
    below = _below(native, pointer)
    if below is not None:
        return first_bytes(m, below, count, up=up)
    sizes = sizes_of(pointer.view)
    if sizes is not None and len(sizes) > 1:
        if mul(product(sizes), native.size) == count:
            return pointer
        row = as_elements(count, mul(product(sizes[1:]), native.size), up=up)
        return (
            first_elements(pointer, row.elements)
            if row is not None and row.exact
            else Array(pointer.buf, some_of(pointer.view))
        )
    share = as_elements(count, native.size, up=up)
    if share is None:
        return Array(pointer.buf, some_of(pointer.view))
    return first_elements(pointer, share.elements)


def _below(native: Native, pointer: Array) -> Array | None:
    """A pointer to bytes of something as a pointer to that, if it points to the start of an element."""
    view = pointer.view
    if (
        native.storage != "pointer"
        or native.source is None
        or native.per_source == 1
        or view.box is None
        or len(view.box) != 1
        or view.extent != "all"
    ):
        return None
    start, k = view.box[0].start, native.per_source
    at = floordiv(start, Lin.of(k))
    source = native.source
    if (
        at * k != start
        or source.view.box is None
        or not source.view.dims
        or len(source.view.dims) != 1
        or source.view.dims[0].axis < 0
    ):
        return None
    axis = source.view.dims[0].axis
    box = list(source.view.box)
    box[axis] = Axis(box[axis].start + at, box[axis].stops, box[axis].step)
    return Array(source.buf, View(source.view.frame, tuple(box), source.view.dims, extent=source.view.extent))


def first_elements(pointer: Array, count: Lin | None) -> Array:
    """The first `count` elements behind a pointer."""
    view = pointer.view
    if count is None or view.box is None or not view.dims or view.dims[0].axis < 0:
        return Array(pointer.buf, some_of(view))
    axis = view.dims[0].axis
    box = list(view.box)
    start = box[axis].start
    if view.dims[0].size == count and box[axis].step == 1:
        return pointer
    box[axis] = Axis(start, (start + count,), 1)
    return Array(pointer.buf, View(view.frame, tuple(box), view.dims, extent=view.extent))


def _access(
    m: Machine,
    value: Value,
    kind: str,
    span: Span,
    note: str,
    part: Lin | None,
    *,
    as_bytes: bool,
    compare: bool = False,
) -> None:
    """Reads or writes a part of every followed memory that `value` points to."""
    for cond, array in m.arrays(value):
        if not is_pointer(m, array):
            log(m, array, kind, span, note, some=True, cond=cond)
            continue
        where = first_bytes(m, array, part, up=kind == "read") if as_bytes else first_elements(array, part)
        log(m, where, kind, span, note, cond=cond, consequence="compare" if compare else "data")


def _memset(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    count = _count(m, bound.get("count"), span)
    check_count(m, count, span)
    target = bound.get("dest", NONE)
    fill = bound.get("ch", bound.get("value"))
    if fill is not None:
        read(m, fill, span, f"read by `{summary.name}`")
    _access(m, target, "write", span, f"`{summary.name}`", count, as_bytes=True)
    if is_zero(fill):
        m.zero_writes.add(m.pos)
    return target


def _memcpy(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    count = _count(m, bound.get("count"), span)
    misused = check_count(m, count, span)
    target = bound.get("dest", NONE)
    if not misused:
        _access(m, bound.get("src", NONE), "read", span, f"read by `{summary.name}`", count, as_bytes=True)
    _access(m, target, "write", span, f"`{summary.name}`", count, as_bytes=True)
    m.bump(target)
    return target


def _memcmp(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    count = _count(m, bound.get("count"), span)
    check_count(m, count, span)
    for name in ("lhs", "rhs"):
        _access(
            m, bound.get(name, NONE), "read", span, f"compared by `{summary.name}`", count, as_bytes=True, compare=True
        )
    return m.unknown("a comparison")


def _bytes(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """`malloc(bytes)`, `calloc(n, size)`: bytes until a cast says of what."""
    size = _count(m, bound.get("size"), span)
    check_count(m, size, span)
    if "num" in bound:
        times = _count(m, bound["num"], span)
        size = mul(times, size) if times is not None and size is not None else None
    if not m.follows(span):
        return m.unknown("memory")
    return raw(m, span, summary.name, size, default=summary.special == "calloc")


def raw(m: Machine, span: Span, what: str, size: Lin | None, *, default: bool = False) -> Array:
    """Fresh bytes."""
    shape = (size if size is not None else m.symbol(("bytes", m.fresh()), "its size", nonneg=True),)
    array = allocate(m, span, what, shape, False)
    m.native[array.buf] = Native("heap", "", Lin.of(1), m.frame.ident, default)
    return array


def _out_bytes(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """`cudaMalloc(&p, bytes)`: the variable behind the first argument holds the new address."""
    target = bound.get("ptr", NONE)
    size = _count(m, bound.get("size"), span)
    check_count(m, size, span)
    variable = cpp_pointers.behind(m, target)
    if variable is None or not m.follows(span):
        if holds_array(m, target):
            escape(
                m, [target], span, f"given another address by `{summary.name}`", "address", "a plain pointer variable"
            )
        m.bump(target)
        return m.unknown("a status")
    array = raw(m, span, summary.name, size)
    ctype = cpp_pointers.declared_type(target)
    if ctype.endswith("*") and not ctype.startswith("void"):
        array = typed(m, array, ctype.removeprefix("const ").rstrip("*").strip()) if not ctype.endswith("**") else array
    m.buffers[array.buf].symbol = variable[1]
    m.write_cell(variable, array)
    return m.unknown("a status")


def _free(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    return NONE


def _letters(summary: Summary, name: str) -> tuple[str, ...]:
    effect = next((p.effect for p in summary.params if p.name == name), "-")
    return LETTER.get(effect, ())


def _iterators(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """From `first` to before `last`."""
    name = summary.params[0].name
    first, last = bound.get(name, NONE), bound.get(summary.params[1].name, NONE)
    if not holds_array(m, first):
        return None
    count = cpp_pointers.apart(m, first, last)
    zero = summary.name == "std::fill" and is_zero(bound.get("value"))
    for kind in _letters(summary, name):
        _access(
            m,
            first,
            kind,
            span,
            f"`{summary.name}`" if kind == "write" else f"read by `{summary.name}`",
            count,
            as_bytes=False,
        )
        if zero:
            m.zero_writes.add(m.pos)
    for param in summary.params[2:]:
        if param.name in bound and param.effect in "RC":
            read(m, bound[param.name], span, f"read by `{summary.name}`")
    return m.unknown(f"{summary.name}(...)")


def _iterator_count(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """`count` elements from `first`."""
    first = bound.get("first", NONE)
    if not holds_array(m, first):
        return None
    count = _count(m, bound.get("count"), span)
    check_count(m, count, span)
    for kind in _letters(summary, "first"):
        _access(m, first, kind, span, f"`{summary.name}`", count, as_bytes=False)
        if is_zero(bound.get("value")):
            m.zero_writes.add(m.pos)
    return m.unknown(f"{summary.name}(...)")


def _iterator_copy(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """As many elements as there are from `first` to `last` (or `count`) go to `d_first`."""
    first, last = bound.get("first", NONE), bound.get("last")
    target = bound.get("d_first", bound.get("result", NONE))
    if last is None:
        count = _count(m, bound.get("count"), span)
        check_count(m, count, span)
    else:
        count = cpp_pointers.apart(m, first, last)
        if count is None:
            count = _opaque_distance(m, first, last)
    _access(m, first, "read", span, f"read by `{summary.name}`", count, as_bytes=False)
    _access(m, target, "write", span, f"`{summary.name}`", count, as_bytes=False)
    m.bump(target)
    return m.unknown(f"{summary.name}(...)")


def _opaque_distance(m: Machine, first: Value, last: Value) -> Lin | None:
    """`p + n` minus `p` for a pointer that is not followed."""
    from allocsafe.flow.values import Opaque

    if isinstance(last, Opaque) and isinstance(first, Opaque) and not holds_array(m, first):
        x, y = m.as_lin(first), m.as_lin(last)
        return (
            y - x
            if x is not None and y is not None and len((y - x).terms) <= 2 and not (y - x).syms() & x.syms()
            else None
        )
    if isinstance(last, Num) and isinstance(first, Opaque):
        x = m.as_lin(first)
        gap = last.lin - x if x is not None else None
        return gap if gap is not None and x is not None and not gap.syms() & x.syms() else None
    return None


__all__ = ["native_call", "raw", "real"]
