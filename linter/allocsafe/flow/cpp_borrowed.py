"""`from_blob`, and what leaves a function: tensors and pointers that borrow memory which dies.

*Claim.* A borrowing tensor is a look at its memory: what reads the tensor reads the memory. It, or a pointer, that is
returned while the memory below is a local array or the elements of a local vector, dangles. A copy (`clone`, `to`)
owns what it holds. *What it gives up.* `to` may return the tensor itself where nothing changes; a deleter is taken to
own the memory in a way that is not checked; both are no claim.
"""

from __future__ import annotations

from allocsafe.effects.summary import Summary
from allocsafe.flow.cpp_alloc import check_count
from allocsafe.flow.cpp_faults import fault
from allocsafe.flow.cpp_memory import Native, is_pointer, look_at, real, root
from allocsafe.flow.geometry import integers
from allocsafe.flow.machine import Machine, root_of
from allocsafe.flow.memory import escape, holds_array, read
from allocsafe.flow.values import Alts, Array, Closure, Num, Opaque, Ref, TupleOf, Value, View
from allocsafe.flow.views import product
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span


def from_blob(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value | None:
    """A tensor over the memory behind a pointer."""
    data = bound.get("data")
    sizes_value = bound.get("sizes")
    rest = bound.get("rest")
    extra = rest.items if isinstance(rest, TupleOf) else ()
    if data is None:
        return None
    if sizes_value is not None:
        read(m, sizes_value, span, "used as a shape", "index")
    sizes = integers(m, sizes_value, nonneg=True) if sizes_value is not None else None
    for size in sizes or ():
        check_count(m, size, span)
    if not m.follows(span):
        if holds_array(m, data):
            escape(m, [data], span, "wrapped by `from_blob` elsewhere", "address", "what the tensor is used for")
        return m.unknown("from_blob(...)")
    deleter = any(isinstance(value, Closure) for value in extra)
    return m.each(data, lambda v: _over(m, summary, v, tuple(sizes) if sizes is not None else None, deleter, span))


def _over(m: Machine, summary: Summary, data: Value, sizes: tuple[Lin, ...] | None, deleter: bool, span: Span) -> Value:
    if not is_pointer(m, data):
        if isinstance(data, Opaque) and not holds_array(m, data) and _comes_from_outside(data):
            made = m.unknown("from_blob(...)")
            if sizes is not None:
                m.shapes[made.key] = sizes
            m.note_filled(span, summary.name, {}, made)
            return made
        if holds_array(m, data):
            read(m, data, span, "borrowed by `from_blob`")
        return _blob(m, summary, Array(-1, View(None, None, None)), sizes, span, owner=deleter)
    assert isinstance(data, Array)
    source = data
    view = data.view
    if (
        sizes is not None
        and view.box is not None
        and view.dims is not None
        and len(view.dims) == 1
        and view.dims[0].axis >= 0
    ):
        axis = view.dims[0].axis
        start = view.box[axis].start
        total = product(sizes)
        box = list(view.box)
        box[axis] = Axis(start, (start + total,), 1)
        # one axis of sizes is the elements in order; several are a shape over the whole of them
        source = Array(
            data.buf, View(view.frame, tuple(box), view.dims if len(sizes) == 1 else None, extent=view.extent)
        )
    return _blob(m, summary, source, sizes, span, owner=deleter)


def _blob(
    m: Machine, summary: Summary, source: Array, sizes: tuple[Lin, ...] | None, span: Span, *, owner: bool
) -> Array:
    out = look_at(m, source, span, "blob", summary.name, sizes, Lin.of(0))
    m.native[out.buf].owner = owner
    return out


def _comes_from_outside(data: Opaque) -> bool:
    """Whether a pointer was handed in, or is a member's or a tensor's: its memory is not this function's."""
    top = root_of(data.key)
    while isinstance(top, tuple) and top and top[0] in ("attr", "item", "op", "int") and len(top) > 1:
        top = top[1]
    return isinstance(top, tuple) and bool(top) and top[0] in ("param", "obj", "global", "known")


def memory_dies(m: Machine, array: Array, frame: int | None) -> bool | None:
    """Whether the memory below dies with a frame (None: of any function). The answer None: nobody knows."""
    below = real(m, array)
    native = m.native.get(below.buf)
    if below.buf < 0:
        return None
    if native is None:
        return False
    local = native.storage in ("automatic", "vector") or (native.storage == "heap" and native.owner)
    return local and (frame is None or native.frame == frame)


def returned(m: Machine, value: Value, span: Span) -> None:
    """What a `return` of the function being walked hands out."""
    for cond, array in _plain(m, value, 1):
        native = m.native.get(array.buf)
        if native is None:
            continue
        blob = native.storage == "blob"
        dies = memory_dies(m, array, m.frame.ident)
        name = _name(m, array)
        if native.owner:
            if dies is not False:
                fault(
                    m,
                    array.buf,
                    span,
                    "lifetime",
                    f"returned over {name}; whether its deleter owns that memory is not followed",
                    cond,
                )
        elif dies:
            what = "a tensor that borrows" if blob else "the address of"
            fault(
                m,
                array.buf if blob else real(m, array).buf,
                span,
                "dangling",
                f"{what} {name} is returned, which dies with the function",
                cond,
            )
        elif dies is None:
            fault(m, array.buf, span, "lifetime", "returned over memory that is not followed", cond)


def _plain(m: Machine, value: Value, cond: int) -> list[tuple[int, Array]]:
    """The arrays that are handed out as they are: not those that a vector owns and takes along."""
    out: list[tuple[int, Array]] = []
    if isinstance(value, Alts):
        for inner, option in value.options:
            out += _plain(m, option, m.conds.both(cond, inner))
    elif isinstance(value, TupleOf):
        for item in value.items:
            out += _plain(m, item, cond)
    elif isinstance(value, Array):
        out.append((cond, value))
    elif isinstance(value, Ref) and m.objects[value.obj].kind == "list":
        for _, held in m.state.cells.of(("obj", value.obj)):
            if not isinstance(held, Ref):
                out += _plain(m, held, cond)
    return out


def _name(m: Machine, array: Array) -> str:
    below = real(m, array).buf
    return (m.buffers[below].symbol if below >= 0 else "") or "its memory"


def handed_over(m: Machine, array: Array, span: Span, why: str) -> None:
    """A borrower of local memory goes to code that is not in view, which may keep it."""
    native = m.native[array.buf]
    if native.storage == "blob" and memory_dies(m, array, None) is not False:
        fault(
            m,
            array.buf,
            span,
            "lifetime",
            f"it borrows {_name(m, array)} and is {why}: that may keep it longer than the memory lives",
        )


__all__ = ["Native", "Num", "from_blob", "handed_over", "memory_dies", "returned", "root"]
