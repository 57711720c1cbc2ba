"""`a[i]`, `*p`, `p + i`, `&x`: C++ pointers as views of the memory that they point into.

*Claim.* A pointer is the view from where it points to the end of its array; moving it moves the start, and no access
needs more. `a[i]` reads or writes one element, at `start + i` whatever the sign of `i`. *What it gives up.* A pointer
moved by something that is no integer term points somewhere into its memory. What is stored in memory as a pointer is
not followed out of it again: it escapes there.

    float* q = p + 2       [2:n]
    q[-1] = 0              write [1]
"""

from __future__ import annotations

from allocsafe.flow.cpp_faults import fault
from allocsafe.flow.cpp_memory import is_pointer, is_zero, real
from allocsafe.flow.machine import Machine, step_meaning
from allocsafe.flow.memory import escape, holds_array, log, read
from allocsafe.flow.values import NONE, Alts, Array, Dim, Num, Opaque, Ref, Truth, Value, View
from allocsafe.flow.views import some_of
from allocsafe.ir import nodes as ir
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

SOMEWHERE = View(None, None, None, extent="some")


def element_view(view: View, at: Lin | None) -> View:
    """The elements at index `at` of the first visible axis, which goes."""
    if view.box is None or not view.dims or view.dims[0].axis < 0 or at is None:
        rest = view.dims[1:] if view.dims else ()
        return some_of(
            View(
                view.frame,
                view.box if view.dims and view.dims[0].axis < 0 else None,
                rest if view.box is not None and at is None else (),
            )
        )
    dim = view.dims[0]
    box = list(view.box)
    start = box[dim.axis].start + at * box[dim.axis].step
    box[dim.axis] = Axis(start, (start + 1,))
    return View(view.frame, tuple(box), view.dims[1:], extent=view.extent)


def index_of(m: Machine, idx: ir.Index, span: Span) -> list[Lin | None]:
    """The integers between the brackets; what is an array there is read, as an index."""
    out: list[Lin | None] = []
    for item in idx.items:
        value = m.get(item.reg) if isinstance(item, ir.At) else NONE
        if holds_array(m, value):
            read(m, value, span, "used as an index", "index")
            out.append(None)
        else:
            out.append(m.as_lin(value))
    return out


def at_index(array: Array, indices: list[Lin | None]) -> Array:
    for at in indices:
        array = Array(array.buf, element_view(array.view, at))
    return array


def item(m: Machine, array: Array, idx: ir.Index, span: Span) -> Value:
    """`array[idx]`: a row of an array of arrays, or the value of an element, which is read."""
    return element(m, at_index(array, index_of(m, idx, span)), span)


def element(m: Machine, array: Array, span: Span) -> Value:
    """The value at a place: a row is a pointer again."""
    if array.view.dims:
        return array
    log(m, array, "read", span, "element read")
    name = m.buffers[array.buf].symbol if array.buf >= 0 else ""
    return m.unknown(f"{name or 'the array'}[...]", ("element", array.buf, array.view.box))


def store(m: Machine, array: Array, idx: ir.Index, src: Value | None, span: Span) -> None:
    """`array[idx] = src`."""
    write_element(m, at_index(array, index_of(m, idx, span)), src, span)


def write_element(m: Machine, array: Array, src: Value | None, span: Span) -> None:
    """One element is written. A pointer or object that is stored there escapes."""
    if src is not None and holds_array(m, src):
        if any(is_pointer(m, leaf) or isinstance(leaf, Ref) for _, leaf in m.leaves(src)):
            escape(m, [src], span, "stored in an array of pointers", "container", "what reads it from there")
        else:
            read(m, src, span, "copied from")
    log(m, array, "write", span, "assigned", some=bool(array.view.dims))
    if is_zero(src):
        m.zero_writes.add(m.pos)


def moved(m: Machine, pointer: Array, by: Value, op: str) -> Value:
    """`pointer + by`, `pointer - by`."""
    lin = m.as_lin(by)
    if holds_array(m, by):
        read(m, by, NOWHERE_SPAN, "used as an offset", "index")
        lin = None
    view = pointer.view
    if lin is None or view.box is None or not view.dims or view.dims[0].axis < 0:
        return Array(pointer.buf, SOMEWHERE)
    dim = view.dims[0]
    step = view.box[dim.axis].step
    shift = lin if op == "+" else -lin
    box = list(view.box)
    box[dim.axis] = Axis(box[dim.axis].start + shift * step, box[dim.axis].stops, step)
    return Array(
        pointer.buf, View(view.frame, tuple(box), (Dim(dim.axis, dim.size - shift), *view.dims[1:]), extent=view.extent)
    )


NOWHERE_SPAN = Span("", 0, 0, 0, 0)


def start_of(m: Machine, value: Value) -> tuple[int, Lin] | None:
    """The memory and element that a pointer to one axis points to."""
    if not isinstance(value, Array):
        return None
    down = real(m, value)
    if down.view.box is None or down.view.frame is not None or down.view.extent != "all":
        return None
    axis = down.view.box[-1]
    return (down.buf, axis.start) if axis.step == 1 else None


def apart(m: Machine, first: Value, last: Value) -> Lin | None:
    """`last - first` of two pointers into one memory."""
    a, b = start_of(m, first), start_of(m, last)
    if a is None or b is None or a[0] != b[0]:
        return None
    return b[1] - a[1]


def combined(m: Machine, op: str, a: Value, b: Value) -> Value | None:
    """Pointer arithmetic; None where neither side is a pointer. Nothing is read."""
    if isinstance(a, Alts) or isinstance(b, Alts):
        return None
    left, right = is_pointer(m, a), is_pointer(m, b)
    if left and right and op == "-":
        gap = apart(m, b, a)
        return Num(gap) if gap is not None else m.unknown("a distance")
    if left and op in "+-" and not right:
        assert isinstance(a, Array)
        return moved(m, a, b, op)
    if right and op == "+" and not left:
        assert isinstance(b, Array)
        return moved(m, b, a, op)
    return m.unknown("an address") if left or right else None


def compared(m: Machine, op: str, a: Value, b: Value, span: Span) -> Value | None:
    """Comparing pointers reads nothing; None where neither is one."""
    if not (is_pointer(m, a) or is_pointer(m, b)):
        return None
    gap = apart(m, a, b)
    if gap is not None:
        if op == "==":
            return Truth(m.equal_zero(gap, span))
        wanted = {"<": gap - 1, "<=": gap, ">": -gap - 1, ">=": -gap}.get(op)
        if wanted is not None:
            return Truth(m.at_least_zero(wanted, span))
    pointer = a if is_pointer(m, a) else b
    assert isinstance(pointer, Array)
    name = m.buffers[pointer.buf].symbol if pointer.buf >= 0 else "it"
    other = b if pointer is a else a
    if other == NONE or (isinstance(other, Num) and other.lin.as_int() == 0):
        got = m.decide(("allocated", real(m, pointer).buf), name or "the pointer", span=span)
        return Truth(m.conds.no(got)) if op == "==" else Truth(got)
    return Truth(m.decide(("pointers", m.fresh()), f"two pointers compare {op}", "unknown", span))


def truth(m: Machine, pointer: Array, span: Span) -> int:
    """`if (p)`."""
    memory = real(m, pointer).buf
    name = m.buffers[memory].symbol if memory >= 0 else ""
    return m.decide(("allocated", memory), name or "the pointer", span=span)


# ---------------------------------------------------------------- addresses


@step_meaning(ir.AddressOf)
def address_of(m: Machine, step: ir.AddressOf) -> None:
    if step.name is None:
        assert step.obj is not None and step.index is not None
        idx = step.index
        m.put(step.dst, m.each(m.get(step.obj), lambda v: _item_address(m, v, idx, step.span)))
        return
    held = m.read_cell((m.frame.ident, step.name))
    for _, option in held.options if isinstance(held, Alts) else ((1, held),):
        if isinstance(option, Ref):
            m.put(step.dst, held if held is not None else NONE)  # a pointer to an object is used as the object
            return
        if isinstance(option, Array) and (
            not is_pointer(m, option)
            or (m.buffers[option.buf].what in ("array", "vla") and m.buffers[option.buf].symbol == step.name)
        ):
            m.put(step.dst, option)
            return
    m.put(step.dst, Opaque(("addr", m.frame.ident, step.name, step.ctype), f"&{step.name}"))


def _item_address(m: Machine, value: Value, idx: ir.Index, span: Span) -> Value:
    """`&value[idx]`."""
    if isinstance(value, Ref) and m.objects[value.obj].kind == "vector":
        from allocsafe.flow import cpp_vectors

        if cpp_vectors.is_bits(m, value):
            data = m.read_cell((("obj", value.obj), "data"))
            if isinstance(data, Array):
                fault(
                    m,
                    data.buf,
                    span,
                    "container",
                    "the address of an element of a vector<bool> is taken, which has none: its elements are bits",
                )
        value = cpp_vectors.pointer(m, value, span)
    if is_pointer(m, value):
        assert isinstance(value, Array)
        indices = index_of(m, idx, span)
        out = at_index(value, indices[:-1])
        last = indices[-1]
        return moved(m, out, Num(last), "+") if last is not None else Array(out.buf, SOMEWHERE)
    if isinstance(value, (Array, Ref)):
        escape(m, [value], span, "the address of an item is taken", "address", "what is done with the address")
    return m.unknown("an address")


def behind(m: Machine, value: Value) -> tuple[int, str] | None:
    """The variable that `&x` points to, as (frame, name)."""
    if isinstance(value, Opaque) and isinstance(value.key, tuple) and value.key[0] == "addr":
        return value.key[1], value.key[2]
    return None


def declared_type(value: Value) -> str:
    """The declared type of the variable that `&x` points to."""
    if isinstance(value, Opaque) and isinstance(value.key, tuple) and value.key[0] == "addr":
        return str(value.key[3])
    return ""


@step_meaning(ir.Deref)
def deref(m: Machine, step: ir.Deref) -> None:
    m.put(step.dst, m.each(m.get(step.ptr), lambda v: pointee(m, v, step.span)))


def pointee(m: Machine, value: Value, span: Span) -> Value:
    """`*value`."""
    if is_pointer(m, value):
        assert isinstance(value, Array)
        return element(m, Array(value.buf, element_view(value.view, Lin.of(0))), span)
    variable = behind(m, value)
    if variable is not None:
        held = m.read_cell(variable)
        return held if held is not None else m.unknown(f"*{value}")
    if isinstance(value, (Ref, Array)):
        return value  # a smart pointer or optional is used as what it holds
    if value == NONE:
        m.state.path = 0
        return NONE
    opaque = m.to_opaque(value)
    held = m.read_cell((opaque.key, ("attr", "*")))
    return held if held is not None else Opaque(("attr", opaque.key, "*", m.version(opaque.key)), f"*{opaque.text}")


@step_meaning(ir.StoreDeref)
def store_deref(m: Machine, step: ir.StoreDeref) -> None:
    src = m.get(step.src)

    def act(value: Value) -> Value:
        store_behind(m, value, src, step.span)
        return NONE

    m.each(m.get(step.ptr), act)


def store_behind(m: Machine, value: Value, src: Value, span: Span) -> None:
    """`*value = src`."""
    if is_pointer(m, value):
        assert isinstance(value, Array)
        write_element(m, Array(value.buf, element_view(value.view, Lin.of(0))), src, span)
        return
    variable = behind(m, value)
    if variable is not None:
        m.write_cell(variable, src)
        return
    if value == NONE:
        m.state.path = 0
        return
    if isinstance(value, (Ref, Array)):
        escape(m, [value], span, "assigned through a pointer", "address", "a plain assignment")
        if isinstance(value, Ref) and m.objects[value.obj].kind == "vector":
            from allocsafe.flow import cpp_vectors

            cpp_vectors.forget(m, value)  # it has another length now
    if holds_array(m, src):
        escape(m, [src], span, "stored through a pointer", "address", "what reads it from there")
    m.bump(value)
