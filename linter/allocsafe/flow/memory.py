"""Memory events: what the meaning of a step comes down to once the values are known.

*Claim.* Every access to a followed buffer becomes an entry that says the elements it may touch (the box) and whether
it touches all of them. *Why that suffices.* A may-read needs every element, a sure write only those it surely writes.
*What it gives up.* Accesses through a mask or an index tensor are `some` of the box; which elements those are is not
known.
"""

from __future__ import annotations

from collections.abc import Sequence

from allocsafe.flow.buffers import Buffer, Entry, Origin
from allocsafe.flow.counters import past, widened
from allocsafe.flow.cpp_memory import assume_size, in_c
from allocsafe.flow.holders import direct
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import Alts, Array, Closure, Method, Opaque, Partial, Ref, TupleOf, Value, View, Zipped
from allocsafe.flow.views import view_of_shape
from allocsafe.ir.nodes import Step
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span
from allocsafe.verdict import Consequence, EventKind

OPEN_AXES = 4
"""Axes that a buffer of unknown rank is given; more would only be whole."""


def allocate(
    m: Machine, span: Span, what: str, shape: tuple[Lin, ...] | None, filled: bool, like: Opaque | None = None
) -> Array:
    """A fresh buffer at the current turn of the loops around. `like`: rank unknown, lengths named after that value."""
    open_rank = False
    if shape is None and like is not None:
        key = like.key
        if (
            isinstance(key, tuple) and key[0] == "ambiguous"
        ):  # one integer or a sequence: its first length has one name either way
            first = m.symbol(("int", key[1]), like.text, nonneg=True)
            rest = [m.symbol(("shape", key[1], i), f"{like.text}[{i}]", nonneg=True) for i in range(1, OPEN_AXES)]
            shape = (first, *rest)
        else:
            m.tensors.add(key)
            shape = tuple(m.size_of(key, i, like.text) for i in range(OPEN_AXES))
        open_rank = True
    for size in shape or ():
        m.assume_nonneg(size)
        if in_c(m):
            assume_size(m, size)
    turns = m.turns if shape is not None else ()
    outer: list[Axis] = []
    outer_shape: list[Lin] = []
    for turn in turns:  # one instance a turn: the turns are leading axes of one buffer
        var = Lin.of(turn.loop.var)
        outer.append(Axis(var, (var + 1,)))
        outer_shape.append(turn.loop.stop if turn.loop.step > 0 else turn.loop.start + 1)
    buffer = Buffer(
        len(m.buffers), span, what, None if shape is None else tuple(outer_shape) + shape, filled, m.pos, m.turns
    )
    buffer.outer = len(outer)
    buffer.open = open_rank
    named = like is not None and not (isinstance(like.key, tuple) and like.key[0] == "ambiguous")
    buffer.like = like.key if open_rank and like is not None and named else None
    buffer.phase = m.phase
    buffer.rehearsed = bool(m.dry)
    buffer.cond = m.state.path
    buffer.stack = m.stack
    m.buffers.append(buffer)
    return Array(buffer.ident, view_of_shape(shape, outer, open_rank=open_rank))


def copy_of(
    m: Machine,
    array: Array,
    span: Span,
    note: str,
    *,
    gather: bool = False,
    maybe_alias: bool = False,
    view: View | None = None,
) -> Array:
    """A fresh buffer whose elements are those of `array` now: what is unwritten there is unwritten here."""
    if array.buf < 0:
        return array
    shape = None
    open_rank = False
    dims = (view or array.view).dims
    what = m.buffers[array.buf].what
    if array.buf in m.native:
        from allocsafe.flow.cpp_memory import real

        log(m, array, "read", span, note)
        array = real(m, array)
        if array.buf < 0:
            return array
    if dims is not None:
        shape = tuple(d.size for d in dims)
        open_rank = (view or array.view).open
    source = m.buffers[array.buf]
    buffer = Buffer(len(m.buffers), source.site, what, shape, False, m.pos, m.turns)
    buffer.symbol = source.symbol
    buffer.open = open_rank
    buffer.phase = m.phase
    buffer.origin = Origin(array, m.pos, m.state.path, m.turns, gather, maybe_alias, span, note)
    m.buffers.append(buffer)
    return Array(buffer.ident, view_of_shape(shape, (), open_rank=open_rank))


def log(
    m: Machine,
    array: Array,
    kind: str,
    span: Span,
    note: str,
    *,
    consequence: Consequence = "data",
    some: bool = False,
    event: EventKind | None = None,
    accumulate: bool = False,
    step: str = "call",
    decides: str = "",
    cond: int | None = None,
    soft: int = -1,
) -> None:
    """One entry in the log of the array's buffer, on the current path."""
    if m.dry or array.buf < 0:
        return
    if array.buf in m.native and kind not in ("fault", "keep"):  # C++: the access lands in the memory that is looked at
        from allocsafe.flow.cplusplus import landed

        array = landed(m, array, kind, span, note, cond)
        if array.buf < 0:
            return
    buffer = m.buffers[array.buf]
    if buffer.filled and kind != "fault":
        return
    view = array.view
    if past(m, view.box):  # outside of its loop "item i" is some item: not the same one at the next access
        shape = view.frame if view.frame is not None else buffer.shape
        box = widened(m, view.box, shape, ())
        view = View(view.frame if box is not None else None, box, None, extent="some")
    born = _born(m, view)
    m.pos += 1
    path = m.state.path if cond is None else m.conds.both(m.state.path, cond)
    if not path:
        return
    extent = "some" if some else view.extent
    frame = view.frame
    entry = Entry(
        m.pos,
        kind,
        path,
        m.turns,
        frame,
        view.box,
        extent,
        span,
        note,
        consequence,
        born,
        m.phase,
        m.stack,
        event or ("written" if kind == "write" else "read"),
        accumulate,
        step,
        decides,
        soft,
        view.extent,
    )
    buffer.entries.append(entry)
    m.logged += 1
    if buffer.origin is not None and buffer.origin.maybe_alias and kind == "write":
        log(m, Array(buffer.origin.array.buf, buffer.origin.array.view), "write", span, note, some=True, cond=cond)


def _born(m: Machine, view: View) -> frozenset[int]:
    """The loops in whose turns the place changes other than by their variables: where it starts or ends, or where the
    loops do that it goes along.
    """
    bounds = [x for axis in view.box or () for x in (axis.start, *axis.stops)]
    along = [t.loop for t in m.turns if any(t.loop.var in x.all_syms() for x in bounds)]
    return frozenset().union(*(m.born_of(x) for x in (*bounds, *(b for a in along for b in (a.start, a.stop)))))


def read(
    m: Machine, value: Value, span: Span, note: str, consequence: Consequence = "data", *, accumulate: bool = False
) -> None:
    """Every followed array in `value` is read, all of it."""
    for cond, array in m.arrays(value):
        log(m, array, "read", span, note, consequence=consequence, accumulate=accumulate, cond=cond)


def write(m: Machine, value: Value, span: Span, note: str, *, some: bool = False) -> None:
    """Every followed array in `value` is written (`some`: an unknown part of it)."""
    for cond, array in m.arrays(value):
        log(m, array, "write", span, note, some=some, cond=cond)


def escape(m: Machine, values: Sequence[Value], span: Span, why: str, step: str, decides: str) -> None:
    """Anything may happen to what can be reached from `values`; a hole at this point cannot be followed further."""
    for value in values:
        for cond, array in m.arrays(value):
            log(m, array, "escape", span, why, some=True, event="escaped", step=step, decides=decides, cond=cond)
        if m.native:
            from allocsafe.flow.cplusplus import left_view

            left_view(m, value)
        m.bump(value)


def keep(m: Machine, value: Value, span: Span, where: str) -> None:
    """The value is put where code outside of the walk can find it."""
    for cond, array in direct(m, value):  # what an instance holds is reached by the names of its attributes
        log(m, array, "keep", span, where, event="kept", cond=cond)
    for _, array in m.arrays(value):
        if not m.dry:
            m.buffers[array.buf].kept_in.add(where)


def read_entry(m: Machine, buffer: Buffer, last: Entry | None) -> Entry:
    """A read of the whole buffer after everything that was walked, on the path of `last` if given."""
    cond = last.cond if last is not None else 1
    cond = m.conds.both(cond, m.ran.get(buffer.phase, 1))  # the buffer exists only if its entry point ran
    box = None
    turns = buffer.turns if buffer.outer else ()
    if buffer.shape is not None and buffer.outer:
        box = None
        turns = ()
    return Entry(
        m.pos + 1,
        "read",
        cond,
        turns,
        None,
        box,
        "all",
        buffer.site,
        "read by others",
        "data",
        frozenset(),
        0,
        (),
        "read",
    )


def holds_array(m: Machine, value: Value) -> bool:
    """Whether a followed array can be reached from `value`."""
    if isinstance(value, Array):
        return value.buf >= 0
    if isinstance(value, (Alts, TupleOf, Ref, Opaque, Method, Partial, Zipped, Closure)):
        return next(m.arrays(value), None) is not None
    return False


def span_of(step: Step) -> Span:
    return step.span
