"""What syntax makes, and the sizes of things: `T a[n]`, `new T[n]`, `std::vector<T> v(n)`, `sizeof`, casts, counted
loops, launches.

*Claim.* Memory of numbers and pointers starts as the language says: without a value, or all zero. Memory of anything
else is made by constructors and is not followed. `sizeof` gives bytes as terms, so that `n * sizeof(T)` is `n`
elements again where bytes are counted. *What it gives up.* A plain variable is no memory that is followed: whether it
is set before its use is another tool's question.
"""

from __future__ import annotations

from allocsafe.flow import cpp_pointers, cpp_vectors
from allocsafe.flow.containers import append, owner
from allocsafe.flow.cpp_faults import fault
from allocsafe.flow.cpp_memory import Native, bare, in_elements, is_pointer, is_zero, look_at, size_of_type
from allocsafe.flow.machine import Machine, step_meaning
from allocsafe.flow.memory import allocate, escape, holds_array, log, read
from allocsafe.flow.values import NONE, Alts, Array, Const, Num, Opaque, RangeOf, Ref, Truth, Value
from allocsafe.flow.views import product, sizes_of, view_of_shape
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin, mul
from allocsafe.source import Span


@step_meaning(ir.Alloc)
def alloc(m: Machine, step: ir.Alloc) -> None:
    m.put(step.dst, allocated(m, step))


def allocated(m: Machine, step: ir.Alloc) -> Value:
    """The memory that one `Alloc` makes."""
    items = [m.get(reg) for reg in step.items]
    extents = [_extent(m, m.get(reg), step.span) for reg in step.extents]
    if step.kind == "scalar":
        return m.unknown("a variable without a value")
    if step.kind == "vector" or step.init == "copy":
        return _container(m, step, items, extents)
    number = cpp_vectors.is_number(step.element)
    if not m.follows(step.span) or (not number and step.init != "none"):
        for value in items:
            _taken(m, value, step.span)
        made = m.unknown(f"an array of {step.element}")
        if m.follows(step.span):
            m.note_filled(step.span, step.kind, {}, made)
        return made
    shape = tuple(e if e is not None else _unknown_size(m) for e in extents)
    # `{a, b}` gives the first elements a value and the rest zero; one zero, or nothing, gives all of them zero
    default = (step.init == "value" and all(is_zero(v) for v in items)) or (
        step.init == "list" and all(is_zero(v) for v in items)
    )
    array = allocate(m, step.span, step.kind, shape, step.init in ("value", "list") and not default)
    m.native[array.buf] = Native(
        "heap" if step.kind == "new" else "automatic",
        step.element,
        size_of_type(m, step.element),
        m.frame.ident,
        default,
    )
    for value in items:
        _taken(m, value, step.span)
    if not number:
        log(m, array, "write", step.span, f"the constructor of {step.element}", some=True)
    return array


def _extent(m: Machine, value: Value, span: Span) -> Lin | None:
    """A length; an array in its place is read."""
    read(m, value, span, "used as a length", "index")
    _check_count(m, value, span)
    if isinstance(value, Alts):
        return None
    return m.as_lin(value, nonneg=True)


def _unknown_size(m: Machine) -> Lin:
    return m.symbol(("extent", m.fresh()), "its length", nonneg=True)


def _taken(m: Machine, value: Value, span: Span) -> None:
    """A value is put into memory: a pointer or object may come out of it anywhere."""
    if holds_array(m, value):
        escape(m, [value], span, "stored in an array", "container", "what reads it from there")


def _container(m: Machine, step: ir.Alloc, items: list[Value], extents: list[Lin | None]) -> Value:
    if step.init == "copy":
        return m.each(items[0], lambda v: _copy(m, v, step))
    number = cpp_vectors.is_number(step.element)
    if number and m.follows(step.span):
        if step.init == "list":
            ref = cpp_vectors.make(m, step.span, step.element, Lin.of(len(items)), Const("listed"))
            for value in items:
                _taken(m, value, step.span)
            return ref
        size = (extents[0] if extents[0] is not None else _unknown_size(m)) if extents else Lin.of(0)
        for value in items:
            _taken(m, value, step.span)
        return cpp_vectors.make(m, step.span, step.element, size, items[0] if items else None)
    ref = m.new_object("list", step.span)
    m.write_cell((owner(ref), "len"), Num(Lin.of(0)))
    if step.init == "list":
        for value in items:
            append(m, ref, value)
    elif extents:
        m.write_cell((owner(ref), "len"), Num(extents[0] if extents[0] is not None else _unknown_size(m)))
        for value in items:
            m.write_cell((owner(ref), ("some", 0)), value)
    _note_list(m, ref, step.span)
    return ref


def _note_list(m: Machine, ref: Ref, span: Span) -> None:
    """A container of objects is a site that starts constructed."""
    if m.follows(span):
        made = Opaque(("list", ref.obj), "a vector")
        m.write_cell((owner(ref), "site"), made)
        m.note_filled(span, "std::vector", {}, made)


def _copy(m: Machine, value: Value, step: ir.Alloc) -> Value:
    if cpp_vectors.is_vector(m, value):
        assert isinstance(value, Ref)
        return cpp_vectors.copied(m, value, step.span)
    if isinstance(value, Ref):
        from allocsafe.flow.containers import container_method

        return container_method(m, value, "copy", [], {}, step.span) or value
    if isinstance(value, Array):
        read(m, value, step.span, "copied")
    made = m.unknown("a copy")
    if m.follows(step.span):
        m.note_filled(step.span, "std::vector" if step.kind == "vector" else step.kind, {}, made)
    return made


def passed(m: Machine, value: Value, annotation: str, span: Span) -> Value:
    """An argument as the callee gets it: a container that is taken by value is a copy."""
    if not isinstance(value, Ref) or "&" in annotation or "*" in annotation or not annotation or "auto" in annotation:
        return value
    if cpp_vectors.is_vector(m, value) and "vector" in annotation:
        return cpp_vectors.copied(m, value, span)
    return value


# ---------------------------------------------------------------- sizes and casts


@step_meaning(ir.SizeOf)
def size_of(m: Machine, step: ir.SizeOf) -> None:
    if step.ctype is not None:
        m.put(step.dst, _size_of_type(m, step.ctype))
        return
    value = m.get(step.obj) if step.obj is not None else NONE
    m.put(step.dst, m.each(value, lambda v: _size_of_value(m, v)))


def _size_of_type(m: Machine, ctype: str) -> Value:
    from allocsafe.frontends.cpp import cpptypes

    if cpptypes.is_vector(ctype):
        return Opaque(("sizeof-container", -1, ctype), f"sizeof({ctype})")
    return Num(size_of_type(m, ctype))


def _size_of_value(m: Machine, value: Value) -> Value:
    if cpp_vectors.is_vector(m, value):
        assert isinstance(value, Ref)
        data = m.read_cell((("obj", value.obj), "data"))
        name = m.buffers[data.buf].symbol if isinstance(data, Array) and data.buf >= 0 else "vector"
        return Opaque(("sizeof-container", value.obj, 0), f"sizeof({name})")
    if is_pointer(m, value):
        assert isinstance(value, Array)
        native = m.native[value.buf]
        sizes = sizes_of(value.view)
        if native.storage == "automatic" and sizes is not None:
            return Num(mul(product(sizes), native.size))
        return Num(Lin.of(8))
    return m.unknown("sizeof(...)")


def containers_in(lin: Lin) -> set[int]:
    """The vectors whose handle's size is part of a number."""
    out: set[int] = set()
    for symbol in lin.all_syms():
        key = symbol.key
        if (
            isinstance(key, tuple)
            and key[0] == "int"
            and isinstance(key[1], tuple)
            and key[1]
            and key[1][0] == "sizeof-container"
        ):
            out.add(key[1][1])
    return out


def check_count(m: Machine, count: Lin | None, span: Span) -> bool:
    """Whether a count is made of the size of a vector's handle, which is a fault of that vector."""
    found = containers_in(count) if count is not None else set()
    for obj in found:
        data = m.read_cell((("obj", obj), "data")) if obj >= 0 else None
        if isinstance(data, Array) and data.buf >= 0:
            name = m.buffers[data.buf].symbol or "the vector"
            fault(
                m,
                data.buf,
                span,
                "container",
                f"`sizeof({name})` is the size of the handle, not of the elements, and is used as their count",
            )
    return bool(found)


def _check_count(m: Machine, value: Value, span: Span) -> None:
    if isinstance(value, (Num, Opaque)):
        check_count(m, m.as_lin(value), span)


@step_meaning(ir.Cast)
def cast(m: Machine, step: ir.Cast) -> None:
    m.put(step.dst, m.each(m.get(step.src), lambda v: cast_value(m, v, step.ctype, step.span)))


def cast_value(m: Machine, value: Value, ctype: str, span: Span) -> Value:
    """`(ctype) value`."""
    name = bare(ctype)
    if not name or not isinstance(value, Array):
        if (
            isinstance(value, Const)
            and isinstance(value.value, float)
            and name in ("int", "long", "int64_t", "size_t", "int32_t")
        ):
            return Num(Lin.of(int(value.value))) if abs(value.value) < 2**62 else m.unknown("a number")
        return value
    if not is_pointer(m, value):
        return value
    native = m.native[value.buf]
    if not name.endswith("*"):
        if name == "bool":
            return Truth(cpp_pointers.truth(m, value, span))
        if name in ("auto", "decltype(auto)"):
            return value
        escape(m, [value], span, "turned into a number", "address", "what is done with the address")
        return m.unknown("an address")
    target = name[:-1].strip()
    if target in ("void", "auto", native.element):
        return value
    if not native.element:
        return typed(m, value, target)
    size = size_of_type(m, target)
    if size == native.size:
        return value
    own, other = size.as_int(), native.size.as_int()
    sizes = sizes_of(value.view)
    count = product(sizes) if sizes is not None else None
    shape = None
    if count is not None:
        share = in_elements(mul(count, native.size), size)
        shape = (share.elements,) if share is not None and share.exact else None
    out = look_at(m, value, span, "pointer", "pointer", shape, size, target)
    look = m.native[out.buf]
    if own and other and other % own == 0:
        look.per_source = other // own
    elif own and other and own % other == 0:
        look.per_own = own // other
    else:
        return Array(out.buf, cpp_pointers.SOMEWHERE)
    return out


def typed(m: Machine, raw: Array, element: str) -> Array:
    """Raw bytes seen as `element`s for the first time: from now on they are counted in those."""
    buffer, native = m.buffers[raw.buf], m.native[raw.buf]
    size = size_of_type(m, element)
    count = buffer.shape[-1] if buffer.shape is not None else None
    share = in_elements(count, size) if count is not None else None
    if buffer.entries or share is None or raw.view.box is None:
        out = look_at(m, raw, Span("", 0, 0, 0, 0), "pointer", "pointer", None, size, element)
        return Array(out.buf, cpp_pointers.SOMEWHERE)
    native.element, native.size = element, size
    m.assume_nonneg(share.elements)
    assert buffer.shape is not None
    buffer.shape = (*buffer.shape[:-1], share.elements)
    return Array(raw.buf, view_of_shape((share.elements,), raw.view.box[:-1]))


# ---------------------------------------------------------------- loops and launches


@step_meaning(ir.Range)
def turns(m: Machine, step: ir.Range) -> None:
    bounds: list[Lin | None] = []
    for reg in (step.start, step.stop, step.stride):
        value = m.get(reg)
        if holds_array(m, value) and not is_pointer(m, value):
            read(m, value, step.span, "used as a loop bound", "index")
        _check_count(m, value, step.span)
        bounds.append(None if isinstance(value, Alts) else m.as_lin(value))
    start, stop, stride = bounds
    number = stride.as_int() if stride is not None else None
    if start is None or stop is None or not number:
        m.put(step.dst, m.unknown("the turns of a loop"))
        return
    m.put(step.dst, RangeOf(start, stop, number))


@step_meaning(ir.Launch)
def launch(m: Machine, step: ir.Launch) -> None:
    name = m.to_opaque(m.get(step.func)).text.rsplit("::", 1)[-1]
    func = m.get(step.func)
    stub = getattr(func, "function", None)
    name = stub.name if stub is not None else name
    values = [m.get(arg.reg) for arg in step.args]
    for reg in (step.grid, step.block):
        read(m, m.get(reg), step.span, "used as a launch size", "index")
    escape(
        m,
        [v for v in values if holds_array(m, v)],
        step.span,
        f"handed to the kernel {name}",
        "kernel",
        f"which elements {name} stores",
    )
    for value in values:
        m.bump(value)


__all__ = ["alloc", "cast_value", "check_count", "log", "passed", "typed"]
