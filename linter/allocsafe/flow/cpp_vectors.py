"""`std::vector` and its kin: a size that moves, elements that are never garbage, and the three ways to get them wrong.

*Claim.* Element `i < size` of a vector always has a value; a vector of numbers starts with zeros. So nothing can read
garbage from inside one; what can go wrong is what the array that it replaced allowed: an element behind the end,
`sizeof` the handle, an address kept while it grows. *What it gives up.* Behind the end is claimed only where that is
proved. Growth inside reserved room is taken to move nothing. A reference to an element that is kept across growth is
spelled as the element and not seen.

A vector of numbers is an object with the cells `len`, `data` (its elements as a buffer), `gen` (how often it may have
moved) and `reserved`. A vector of anything else is a list.
"""

from __future__ import annotations

import re

from allocsafe.flow import cpp_pointers
from allocsafe.flow.buffers import Buffer
from allocsafe.flow.conditions import FALSE, TRUE
from allocsafe.flow.cpp_faults import fault
from allocsafe.flow.cpp_memory import SIZES, Native, bare, is_pointer, is_zero, look_at, size_of_type
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import allocate, copy_of, escape, log
from allocsafe.flow.state import alternatives
from allocsafe.flow.values import NONE, Array, Num, Opaque, Ref, Truth, Value, View
from allocsafe.flow.views import view_of_shape
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

ZERO = Lin.of(0)
_SIMD = re.compile(r"__m(?:128|256|512)\w*|(?:vector|__vector) \w+|u?int\d+x\d+_t|float\d+x\d+_t")


def cell(ref: Ref, name: str) -> tuple[tuple[str, int], str]:
    return (("obj", ref.obj), name)


def is_vector(m: Machine, value: Value) -> bool:
    return isinstance(value, Ref) and m.objects[value.obj].kind == "vector"


def is_bits(m: Machine, ref: Ref) -> bool:
    data = m.read_cell(cell(ref, "data"))
    return isinstance(data, Array) and data.buf in m.native and m.native[data.buf].element == "bool"


def make(m: Machine, span: Span, element: str, size: Lin, value: Value | None = None) -> Ref:
    """A vector of `size` numbers, each `value` (None: zero)."""
    array = allocate(m, span, "std::vector", (size,), False)
    return wrap(m, span, array, element, size, value)


def wrap(m: Machine, span: Span, array: Array, element: str, size: Lin, value: Value | None) -> Ref:
    """A vector object around a fresh buffer."""
    native = Native("vector", element, size_of_type(m, element), m.frame.ident, default=value is None or is_zero(value))
    m.native[array.buf] = native
    if not native.default:
        m.buffers[array.buf].filled = True
    ref = m.new_object("vector", span)
    native.vector = ref
    m.write_cell(cell(ref, "len"), Num(size))
    m.write_cell(cell(ref, "data"), array)
    m.write_cell(cell(ref, "gen"), Num(ZERO))
    return ref


def copied(m: Machine, ref: Ref, span: Span) -> Value:
    """A vector that starts as a copy of another."""
    data = m.read_cell(cell(ref, "data"))
    if not isinstance(data, Array):
        return m.unknown("a copy of a vector")
    old = m.native.get(data.buf)
    copy = copy_of(m, whole(m, ref, data), span, "copied")
    out = wrap(m, span, copy, old.element if old is not None else "", ZERO, None)
    m.write_cell(cell(out, "len"), m.read_cell(cell(ref, "len")) or m.unknown("its length"))
    return out


def length(m: Machine, ref: Ref) -> Lin | None:
    """`v.size()` as a term."""
    held = m.read_cell(cell(ref, "len"))
    return m.as_lin(held, nonneg=True) if held is not None else None


def set_length(m: Machine, ref: Ref, size: Lin | None) -> None:
    m.write_cell(cell(ref, "len"), Num(size) if size is not None else m.unknown("its length"))
    data = m.read_cell(cell(ref, "data"))
    if isinstance(data, Array) and data.buf >= 0:
        free_shape(m.buffers[data.buf], size)


def free_shape(buffer: Buffer, size: Lin | None) -> None:
    """A buffer whose size has moved: its accesses say their own bounds."""
    if buffer.shape is not None and (size is None or buffer.shape[-1] != size):
        buffer.shape = None


def whole(m: Machine, ref: Ref, data: Array) -> Array:
    """All elements that the vector has now."""
    size = length(m, ref)
    view = data.view
    if size is None or view.box is None:
        return Array(data.buf, View(None, None, None))
    box = (*view.box[:-1], Axis(ZERO, (size,)))
    dims = view_of_shape((size,), view.box[:-1]).dims
    return Array(data.buf, View(None, box, dims))


def surely_behind(m: Machine, at: Lin, size: Lin) -> bool:
    """Whether index `at` is behind the end for every turn of the loops around."""
    if size.as_int() == 0:
        return True
    lowest = at - size
    for turn in m.turns:
        coef = dict(lowest.terms).get(turn.loop.var, 0)
        if coef > 0 and turn.loop.step > 0:
            lowest = lowest.substitute({turn.loop.var: turn.loop.start})
    return lowest.nonneg()


def place(m: Machine, ref: Ref, at: Lin | None, span: Span) -> Array | None:
    """Element `at`; None when the elements are not followed."""
    data = m.read_cell(cell(ref, "data"))
    if not isinstance(data, Array):
        return None
    size = length(m, ref)
    if at is not None and size is not None and surely_behind(m, at, size):
        room = m.read_cell(cell(ref, "reserved")) is not None
        why = f"element [{at}] of a vector of size {size} is used" + (
            "; `reserve` makes room and no elements" if room else ""
        )
        fault(m, data.buf, span, "container", why)
    return Array(data.buf, cpp_pointers.element_view(whole(m, ref, data).view, at))


def item(m: Machine, ref: Ref, at: Lin | None, span: Span) -> Value:
    """The value of `v[at]`."""
    where = place(m, ref, at, span)
    return cpp_pointers.element(m, where, span) if where is not None else m.unknown("an element")


def store(m: Machine, ref: Ref, at: Lin | None, src: Value | None, span: Span) -> None:
    """`v[at] = src`."""
    where = place(m, ref, at, span)
    if where is not None:
        cpp_pointers.write_element(m, where, src, span)
    elif src is not None:
        escape(m, [src], span, "stored in a vector", "container", "what reads it from there")


def pointer(m: Machine, ref: Ref, span: Span, at: Lin | None = ZERO) -> Value:
    """`v.data()`, `v.begin()`, `&v[at]`: an address that is good until the vector grows."""
    data = m.read_cell(cell(ref, "data"))
    if not isinstance(data, Array):
        return m.unknown("an address")
    size = length(m, ref)
    if size is not None and size.as_int() == 0 and m.read_cell(cell(ref, "reserved")) is not None:
        fault(
            m,
            data.buf,
            span,
            "container",
            "the elements of an empty vector are pointed to; `reserve` makes room and no elements",
        )
    source = whole(m, ref, data)
    native = m.native[data.buf]
    out = look_at(
        m, source, span, "pointer", "vector.data", (size,) if size is not None else None, native.size, native.element
    )
    m.native[out.buf].vector = ref
    m.native[out.buf].generation = m.read_cell(cell(ref, "gen"))
    return cpp_pointers.moved(m, out, Num(at), "+") if at is not None and at != ZERO else out


def check_fresh(m: Machine, native: Native, span: Span, cond: int) -> None:
    """A fault if the vector may have moved since the address was taken, which is the one used under `cond`."""
    if native.vector is None or native.generation is None or native.source is None:
        return
    now = m.read_cell(cell(native.vector, "gen"))
    if now is None or now == native.generation:
        return
    for tag, value in alternatives(now):
        when = m.conds.both(cond, tag)
        if value == native.generation or not m.conds.meets(when, m.state.path):
            continue
        if isinstance(value, Num) and isinstance(native.generation, Num):
            when = m.conds.both(when, m.conds.no(m.equal_zero(value.lin - native.generation.lin, span)))
            if when != FALSE:
                fault(
                    m,
                    native.source.buf,
                    span,
                    "container",
                    "an address taken before the vector grew is used after it",
                    when,
                )
            continue
        when = m.conds.both(when, m.decide(("moved", m.fresh()), "the vector grew", "unknown", span))
        fault(m, native.source.buf, span, "container", "an address is used after the vector may have grown", when)


def grown(m: Machine, ref: Ref, sure: bool) -> None:
    """The elements may have moved (`sure`: take it that they have)."""
    if m.read_cell(cell(ref, "reserved")) is not None and sure:
        return
    held = m.read_cell(cell(ref, "gen"))
    m.write_cell(
        cell(ref, "gen"), Num(held.lin + 1) if sure and isinstance(held, Num) else m.unknown("how often it grew")
    )


def forget(m: Machine, ref: Ref) -> None:
    """Code that is not in view may have changed it."""
    set_length(m, ref, None)
    grown(m, ref, False)
    m.state.cells.forget(cell(ref, "reserved"))


# ---------------------------------------------------------------- methods


def method(m: Machine, ref: Ref, name: str, args: list[Value], span: Span) -> Value | None:
    """A method of a vector of numbers; None when it is none that is known."""
    size = length(m, ref)
    data = m.read_cell(cell(ref, "data"))
    if name == "size":
        return Num(size) if size is not None else m.unknown("its size")
    if name == "empty":
        return Truth(m.equal_zero(size, span)) if size is not None else m.unknown("whether it is empty")
    if name in ("capacity", "max_size", "get_allocator"):
        return m.unknown(name)
    if name in ("data", "begin", "cbegin"):
        if name == "data" and is_bits(m, ref) and isinstance(data, Array):
            fault(
                m, data.buf, span, "container", "`data()` of a vector<bool>: its elements are bits and have no address"
            )
        return pointer(m, ref, span)
    if name in ("end", "cend"):
        return pointer(m, ref, span, size)
    if name in ("at", "front", "back"):
        at = (
            m.as_lin(args[0])
            if name == "at" and args
            else ZERO
            if name == "front"
            else None
            if size is None
            else size - 1
        )
        return item(m, ref, at, span)
    if name in ("push_back", "emplace_back"):
        _append(m, ref, size, data, args[0] if args else None, span)
        return NONE
    if name == "pop_back":
        set_length(m, ref, None if size is None else size - 1)
        return NONE
    if name == "clear":
        set_length(m, ref, ZERO)
        return NONE
    if name == "reserve":
        m.write_cell(cell(ref, "reserved"), Truth(TRUE))
        return NONE
    if name == "resize" and args:

        def resized(to: Value) -> Value:
            _resize(m, ref, size, data, m.as_lin(to, nonneg=True), args[1] if len(args) > 1 else None, span)
            return NONE

        return m.each(args[0], resized)
    if name == "assign" and len(args) == 2:
        count = None if is_pointer(m, args[0]) else m.as_lin(args[0], nonneg=True)
        set_length(m, ref, count)
        grown(m, ref, count is not None and size is not None and count != size)
        _overwritten(m, ref, data, args[1] if count is not None else None, span)
        return NONE
    if name in ("insert", "erase", "emplace", "swap", "shrink_to_fit", "assign"):
        forget(m, ref)
        for value in args:
            if is_vector(m, value):
                assert isinstance(value, Ref)
                forget(m, value)
        _overwritten(m, ref, data, None, span)
        return m.unknown("an iterator")
    return None


def _append(m: Machine, ref: Ref, size: Lin | None, data: Value | None, src: Value | None, span: Span) -> None:
    if isinstance(data, Array):
        set_length(m, ref, None if size is None else size + 1)
        where = Array(data.buf, cpp_pointers.element_view(whole(m, ref, data).view, size))
        cpp_pointers.write_element(m, where, src, span)
    else:
        set_length(m, ref, None if size is None else size + 1)
    grown(m, ref, True)


def _resize(
    m: Machine, ref: Ref, old: Lin | None, data: Value | None, new: Lin | None, value: Value | None, span: Span
) -> None:
    set_length(m, ref, new)
    if old is None or new is None or old.as_int() != 0:
        longer = old is not None and new is not None and (new - old - 1).nonneg()
        shorter = old is not None and new is not None and (old - new).nonneg()
        if not shorter:
            grown(m, ref, longer)
    if value is not None and isinstance(data, Array):
        start = old if old is not None else ZERO
        box = whole(m, ref, data).view
        if box.box is not None:
            tail = (*box.box[:-1], Axis(start, box.box[-1].stops))
            log(
                m, Array(data.buf, View(None, tail, box.dims)), "write", span, "`resize` gives the new elements a value"
            )
            if is_zero(value):
                m.zero_writes.add(m.pos)


def _overwritten(m: Machine, ref: Ref, data: Value | None, value: Value | None, span: Span) -> None:
    """Every element has a value now that is no default."""
    if isinstance(data, Array):
        log(m, Array(data.buf, View(None, None, None)), "write", span, "the elements are replaced")
        if value is not None and is_zero(value):
            m.zero_writes.add(m.pos)


# ---------------------------------------------------------------- lists: vectors of anything else


def list_method(m: Machine, ref: Ref, name: str, args: list[Value], span: Span) -> Value | None:
    """A C++ method of a list that `containers` has no word for."""
    from allocsafe.flow.containers import append, item_number, list_length
    from allocsafe.flow.loops import length_of

    if name == "size":
        return Num(length_of(m, ref))
    if name == "empty":
        return Truth(m.equal_zero(length_of(m, ref), span))
    if name in ("at", "front", "back"):
        size = list_length(m, ref)
        at = (
            m.as_lin(args[0])
            if name == "at" and args
            else ZERO
            if name == "front"
            else None
            if size is None
            else size - 1
        )
        if at is None:
            from allocsafe.flow.containers import all_items
            from allocsafe.flow.items import picked

            return picked(m, all_items(m, ref), "the vector")
        return item_number(m, ref, at)
    if name == "emplace_back":
        append(m, ref, args[0] if len(args) == 1 else m.unknown("a new element"))
        if len(args) > 1:
            escape(m, args, span, "handed to a constructor", "call", "what the constructor does")
        return NONE
    if name in ("reserve", "shrink_to_fit"):
        return NONE
    if name == "resize":
        m.write_cell(
            (("obj", ref.obj), "len"), args[0] if args and isinstance(args[0], Num) else m.unknown("its length")
        )
        return NONE
    if name in ("capacity", "begin", "end", "cbegin", "cend", "data") and not args:
        if name != "capacity":
            escape(m, [ref], span, f"reached through `{name}`", "address", "a loop over the elements")
        return m.unknown(name)
    return None


def is_number(element: str) -> bool:
    """Whether a default-initialised `element` is a number or pointer, so that a vector of them starts with zeros."""
    from allocsafe.frontends.cpp import cpptypes

    name = bare(element)
    return (
        cpptypes.is_indeterminate(element, ())
        or name in SIZES
        or name == "T"
        or name.endswith("*")
        or bool(_SIMD.fullmatch(name))
    )


__all__ = ["Opaque", "is_number", "is_vector", "make", "method", "pointer"]
