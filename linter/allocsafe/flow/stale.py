"""A fill that was taken out of memory that lives on: from there on it is as unwritten as fresh memory, but *stale*.

*Claim.* Two marks stand where the fill stood. The first makes the memory behind a name or attribute a fresh followed
buffer, the second says which part of it the fill wrote: everything else is written at that moment. Every later read
of that part that no write comes before meets what an earlier step left. *Why that suffices.* The fill wrote those
elements at that very moment on the old side, so a read that meets the hole now had a value of this step then; a read
that meets none has one now. Whatever held the same value by the same key holds the buffer from now on, so names and
attributes that share the memory go on sharing it. *What it gives up.* A part picked by an index array or a loop that
is gone counts as all that it may be. Views that were taken earlier under another key are not rebound: `aliases` names
what may be one, and the caller of this analysis must not say `safe` then.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from allocsafe.flow.buffers import Buffer
from allocsafe.flow.memory import allocate, keep, log
from allocsafe.flow.state import choose
from allocsafe.flow.values import NONE, Alts, Array, Method, Opaque, TupleOf, Value, View
from allocsafe.flow.views import is_whole_axis, view_of_shape
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

LEFT = "__allocsafe_left__"
GAP = "__allocsafe_gap__"
STALE = "what an earlier step left"
"""The `what` of a buffer that stands for memory that lives on."""


def marked(m: Machine, name: str, args: list[Value], span: Span) -> Value:
    """The value of a call of one of the marks."""
    if name == LEFT:
        return _left(m, args[0], span) if args else NONE
    if len(args) == 2:
        for _, array in m.arrays(args[0]):
            if m.buffers[array.buf].what == STALE:
                _gap(m, m.buffers[array.buf], args[1], span)
    return NONE


def _left(m: Machine, value: Value, span: Span) -> Value:
    """`x = mark(x)`: the memory of `x` from now on."""
    if isinstance(value, Alts):
        made = [(cond, _left(m, option, span)) for cond, option in value.options]
        return choose(m.conds, made) or value
    if isinstance(value, Array):
        return _again(m, value, span) if value.buf >= 0 else value
    if not isinstance(value, Opaque):
        if value != NONE:
            m.left.other.append(type(value).__name__)
        return value
    site = m.filled.get(value.key)
    if site is not None and not _lasts(m, value, site.pos):
        if site.unwritten is None:
            m.left.fresh.append(site.span)
            return value
        if site.unwritten != value.key or any(k == value.key or _inside(value.key, k) for k in m.versions):
            m.left.other.append("memory of this step that may be written in part")
            return value
        m.left.made += 1
    array = _stale(m, span, m.shapes.get(m.shape_root(value).key), value)
    if m.frames and _is_argument(m, value):
        m.buffers[array.buf].attrs["argument"] = value.text
    _rebind(m, value, array)
    return array


def _stale(m: Machine, span: Span, shape: tuple[Lin, ...] | None, like: Opaque) -> Array:
    m.left.stale += 1
    array = allocate(m, span, STALE, shape, False, like=m.shape_root(like))
    m.buffers[array.buf].symbol = like.text
    return array


def _again(m: Machine, value: Array, span: Span) -> Value:
    """A followed buffer: of this call of the function, or one that an earlier step may have written."""
    buffer = m.buffers[value.buf]
    if buffer.what != STALE and not _lasts(m, value, buffer.pos):
        m.left.followed.add(value.buf)
        return value
    dims = value.view.dims
    if buffer.outer or dims is None or value.view != view_of_shape(buffer.shape, (), open_rank=buffer.open):
        m.left.other.append("a part of a buffer")
        return value
    text = buffer.symbol or "the buffer"
    array = _stale(m, span, buffer.shape, Opaque(("stale", buffer.ident), text))
    m.buffers[array.buf].open = buffer.open
    array = Array(array.buf, value.view)
    m.buffers[array.buf].attrs.update({k: v for k, v in buffer.attrs.items() if k == "argument"})
    _rebind(m, value, array)
    return array


def _lasts(m: Machine, value: Opaque | Array, made: int) -> bool:
    """Whether memory was there before the function was called, and an object or a module holds it."""
    if m.frames and made >= m.frame.start:
        return False
    for (where, name), held in m.state.cells.items():
        lasting = isinstance(name, tuple) or (isinstance(where, tuple) and where[0] in ("module", "class", "obj"))
        if lasting and any(
            leaf == value or (isinstance(leaf, Array) and isinstance(value, Array) and leaf.buf == value.buf)
            for _, leaf in m.leaves(held)
        ):
            return True
    return False


def _is_argument(m: Machine, value: Opaque) -> bool:
    """Whether the memory came in as an argument: a caller can reach it when the function is done."""
    return isinstance(value.key, tuple) and value.key[0] in ("param", "arg")


def _rebind(m: Machine, old: Opaque | Array, new: Array) -> None:
    """Everything that holds the value by this key, or a part of the buffer, holds the new buffer now, on this path."""
    path = m.state.path

    def swapped(value: Value, depth: int = 4) -> Value:
        if isinstance(value, Array) and isinstance(old, Array) and value.buf == old.buf:
            return Array(new.buf, value.view, value.scalar)
        if isinstance(value, Opaque) and isinstance(old, Opaque):
            if value.key == old.key:
                return new
            if _memory(value) and _inside(old.key, value.key):
                m.left.aliases.add(value.text)
            return value
        if isinstance(value, Alts) and depth:
            inner = [(cond, swapped(option, depth - 1)) for cond, option in value.options]
            return (
                value
                if all(a is b for (_, a), (_, b) in zip(inner, value.options, strict=True))
                else choose(m.conds, inner) or value
            )
        if isinstance(value, TupleOf) and depth:
            items = tuple(swapped(item, depth - 1) for item in value.items)
            return value if all(a is b for a, b in zip(items, value.items, strict=True)) else TupleOf(items)
        if isinstance(value, Method) and depth:
            recv = swapped(value.recv, depth - 1)
            return value if recv is value.recv else Method(recv, value.name)
        return value

    for cell, held in list(m.state.cells.items()):
        if (
            isinstance(held, Opaque)
            and isinstance(old, Opaque)
            and isinstance(cell[1], str)
            and _memory(held)
            and _inside(held.key, old.key)
        ):
            m.left.parents |= set() if m.plain_integer(held) else {cell[1]}
        made = swapped(held)
        if made is not held:
            m.state.cells[cell] = choose(m.conds, [(path, made), (m.conds.no(path), held)]) or made
            if isinstance(cell[1], tuple) and cell[1][0] == "attr":
                keep(m, new, m.buffers[new.buf].site, str(cell[1][1]))
    for frame in m.frames:
        for reg, held in list(frame.regs.items()):
            made = swapped(held)
            if made is not held:
                frame.regs[reg] = choose(m.conds, [(path, made), (m.conds.no(path), held)]) or made


def _memory(value: Opaque) -> bool:
    """Whether an opaque value may be memory: not a length or another plain number of it."""
    return not (isinstance(value.key, tuple) and value.key[0] in ("shape-of", "shape", "int", "len"))


def _inside(part: Hashable, whole: Hashable) -> bool:
    """Whether the key of a view mentions the key of what it is a view of."""
    return isinstance(whole, tuple) and any(item == part or _inside(part, item) for item in whole)


def _gap(m: Machine, buffer: Buffer, value: Value, span: Span) -> None:
    """Only the part `value` of the buffer was filled here: the rest is taken as written."""
    views = [a.view for _, a in m.arrays(value) if a.buf == buffer.ident]
    if len(views) != 1 or views[0].extent != "all" or views[0].box is None or views[0].frame is not None:
        return
    shape = buffer.shape
    box = views[0].box
    if shape is None or len(shape) != len(box):
        return
    for number, (axis, size) in enumerate(zip(box, shape, strict=True)):
        ends = [stop for stop in axis.stops if stop != size]
        if is_whole_axis(axis, size) or axis.step != 1 or len(ends) > 1:
            continue
        for start, stop in ((Lin.of(0), axis.start), (ends[0] if ends else size, size)):
            around = tuple(Axis(start, (stop,)) if i == number else a for i, a in enumerate(_whole(buffer)))
            log(m, Array(buffer.ident, View(None, around, None)), "write", span, "outside of the fill")


def _whole(buffer: Buffer) -> tuple[Axis, ...]:
    return tuple(Axis(Lin.of(0), (size,)) for size in buffer.shape or ())


def finish(m: Machine, span: Span) -> None:
    """The entry point returns: what came in as an argument is in the caller's hands again."""
    for buffer in m.buffers:
        if buffer.what == STALE and "argument" in buffer.attrs and buffer.phase == m.phase:
            everything = Array(buffer.ident, View(None, None, None))
            log(m, everything, "return", span, f"left in {buffer.attrs['argument']}", consequence="return")


__all__ = ["GAP", "LEFT", "STALE", "finish", "marked"]
