"""`x[i]` and `x[i] = v`, by what `x` is: an array, a tuple, a list, a dict, or something opaque.

On an array an integer, slice, None or `...` makes a view; a tensor, list or mask makes a copy when it is read and
writes an unknown part when it is assigned. An index of unknown type may be either: what is read is exact for both,
what is written is surely the selected place and maybe more.

    x[1:]        view                 x[1:] = v      writes [1:n]
    x[idx]       copy, origin x       x[idx] = v     writes some of x
    x[mask]      copy, origin x       x[mask] = v; x[~mask] = w    writes all of x
"""

from __future__ import annotations

from collections.abc import Hashable

from allocsafe.flow.alternatives import per_index
from allocsafe.flow.arithmetic import is_array, mask_key
from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.listed import some_turn
from allocsafe.flow.machine import Machine, step_meaning
from allocsafe.flow.memory import copy_of, keep, log, read
from allocsafe.flow.state import alternatives, choose
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    Closure,
    Const,
    Num,
    Opaque,
    RangeOf,
    Ref,
    Truth,
    TupleOf,
    Value,
    View,
    Zipped,
    brief,
)
from allocsafe.flow.views import Pick, index, some_of
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

C_LANGUAGES = ("cpp", "cuda")


_MISSING = frozenset({"KeyError", "IndexError", "LookupError"})


@step_meaning(ir.GetItem)
def get_item(m: Machine, step: ir.GetItem) -> None:
    if m.catching and isinstance(m.get(step.obj), Opaque):
        from allocsafe.flow.control import may_fail

        may_fail(m, step.span, "the look-up", _MISSING)
    m.put(step.dst, m.each(m.get(step.obj), lambda v: item_of(m, v, step.index, step.span)))


@step_meaning(ir.SetItem)
def set_item(m: Machine, step: ir.SetItem) -> None:
    src = None if step.src is None else m.get(step.src)

    def act(value: Value) -> Value:
        store_item(m, value, step.index, src, step.span)
        return NONE

    m.each(m.get(step.obj), act)


def item_of(m: Machine, value: Value, idx: ir.Index, span: Span) -> Value:
    """The value of `value[idx]`."""
    if isinstance(value, Array):
        return per_index(m, idx, lambda: array_item(m, value, idx, span))
    if isinstance(value, TupleOf):
        return _tuple_item(m, value, idx, span)
    if isinstance(value, RangeOf):
        at = _only(m, idx)
        lin = None if at is None else m.as_lin(at)
        return m.unknown("an item of a range") if lin is None else Num(value.start + lin * value.step)
    if isinstance(value, Ref):
        from allocsafe.flow.containers import object_item

        return object_item(m, value, idx, span)
    if isinstance(value, Closure):
        from allocsafe.flow import launches

        if launches.is_kernel(value):
            return launches.launcher(value)
    if value == NONE:
        m.state.path = FALSE  # None has no items: this path ends in an error
        return NONE
    return opaque_item(m, m.to_opaque(value), idx, span)


def _only(m: Machine, idx: ir.Index) -> Value | None:
    """The value of a one-item index that is no slice."""
    if len(idx.items) == 1 and not idx.is_tuple and isinstance(idx.items[0], ir.At):
        return m.get(idx.items[0].reg)
    return None


def key_of(m: Machine, idx: ir.Index) -> Value:
    """The index as a dictionary key."""
    only = _only(m, idx)
    if only is not None:
        return only
    parts = [m.get(i.reg) if isinstance(i, ir.At) else m.unknown("a slice") for i in idx.items]
    return TupleOf(tuple(parts))


def _tuple_item(m: Machine, value: TupleOf, idx: ir.Index, span: Span) -> Value:
    only = _only(m, idx)
    if only is not None:
        at = m.as_lin(only)
        number = None if at is None else at.as_int()
        if number is not None:
            if -len(value.items) <= number < len(value.items):
                return value.items[number]
            m.state.path = FALSE
            return NONE
        return picked(m, list(value.items), "the tuple")
    if len(idx.items) == 1 and isinstance(idx.items[0], ir.Slice):
        bounds = [
            None if r is None else m.as_lin(m.get(r)) for r in (idx.items[0].lo, idx.items[0].hi, idx.items[0].step)
        ]
        numbers = [None if b is None else b.as_int() for b in bounds]
        given = [r is not None for r in (idx.items[0].lo, idx.items[0].hi, idx.items[0].step)]
        if all(n is not None for n, g in zip(numbers, given, strict=False) if g) and numbers[2] != 0:
            return TupleOf(value.items[slice(*numbers)])
    del span
    return picked(m, list(value.items), "the tuple")


def picked(m: Machine, values: list[Value], what: str) -> Value:
    """One of several values, nobody knows which; what turns that are over have made is that of one of them."""
    return one_of(m, [some_turn(m, value) for value in values], what)


def one_of(m: Machine, values: list[Value], what: str) -> Value:
    """One of several values as they are."""
    from allocsafe.flow.state import FEW, alternatives, plain

    if len(values) > 1 and sum(len(alternatives(v)) for v in values) > FEW:
        values = [option for v in values for _, option in alternatives(v)]
    held = [v for v in dict.fromkeys(values) if not plain(v)]
    if len(held) < len(values) and len(values) > 1:  # what nothing can be reached through is one unknown value
        held.append(m.unknown(f"an item of {what}"))
    values = held or values
    if not values:
        return m.unknown(f"an item of {what}")
    rest = TRUE
    options = []
    for number, value in enumerate(values[:-1]):
        key = ("picked", m.fresh())
        m.note_born(key)  # another one in every turn
        asked = m.decide(key, f"item {number} of {what} is picked", "unknown")
        options.append((m.conds.both(rest, asked), value))
        rest = m.conds.both(rest, m.conds.no(asked))
    options.append((rest, values[-1]))
    from allocsafe.flow.state import choose

    return choose(m.conds, options) or m.unknown(what)


class Picked:
    """A resolved index: the picks, whether it copies, whether that is not known, and the mask if it is one."""

    __slots__ = ("copies", "mask", "maybe_copies", "picks", "tensors")

    def __init__(self) -> None:
        self.picks: list[Pick] = []
        self.copies = False
        self.maybe_copies = False
        self.tensors = False  # by what is declared a tensor; one of no axes would be a view, which nobody calls so
        self.mask: tuple[Hashable, bool] | None = None


def resolve(m: Machine, idx: ir.Index, span: Span) -> Picked:
    """What an index means for an array. Index arrays are read here, as indices."""
    out = Picked()
    single = len(idx.items) == 1
    items: list[ir.IndexItem | Value] = []
    for item in idx.items:
        if isinstance(item, ir.At):
            value = m.get(item.reg)
            if isinstance(value, TupleOf) and (item.star or single):
                items += list(value.items)
                continue
            items.append(value)
        else:
            items.append(item)
    for part in items:
        if isinstance(part, ir.Slice):
            out.picks.append(_slice(m, part, span))
        elif isinstance(part, Num):
            out.picks.append(Pick("int", at=part.lin))
        elif isinstance(part, Const) and part.value is None:
            out.picks.append(Pick("new"))
        elif isinstance(part, Const) and part.value is Ellipsis:
            out.picks.append(Pick("dots"))
        elif isinstance(part, (Array, Alts)) and is_array(part):
            read(m, part, span, "used as an index", "index")
            out.picks.append(Pick("lost"))
            out.copies = True
        elif isinstance(part, (Ref, TupleOf, RangeOf, Alts)):
            read(m, part, span, "used as an index", "index")  # a list of indices
            out.picks.append(Pick("lost"))
            out.copies = True
        elif isinstance(part, Truth):
            out.picks.append(Pick("lost"))
            out.copies = True
            out.mask = (part.cond, True) if single else None
        elif isinstance(part, Opaque):
            known = m.masks.get(part.key)
            if known is not None:
                out.picks.append(Pick("lost"))
                out.copies = True
                out.mask = known if single else None
            else:
                at = m.as_lin(part)
                out.picks.append(Pick("int", at=at) if at is not None else Pick("lost"))
                out.maybe_copies = True
                out.tensors |= part.key in m.tensors
                out.mask = (mask_key(m, part.key), True) if single else None
        else:
            at = m.as_lin(part) if not isinstance(part, ir.At) else None
            out.picks.append(Pick("lost") if at is None else Pick("int", at=at))
    return out


def _slice(m: Machine, part: ir.Slice, span: Span) -> Pick:
    bounds: list[Lin | None] = []
    for reg in (part.lo, part.hi, part.step):
        value = None if reg is None else m.get(reg)
        if value is None or value == NONE:
            bounds.append(None)
            continue
        if is_array(value):
            read(m, value, span, "used as a slice bound", "index")
            return Pick("lost")
        lin = m.as_lin(value, nonneg=True)
        if lin is None:
            return Pick("lost")
        bounds.append(lin)
    step = 1
    if bounds[2] is not None:
        number = bounds[2].as_int()
        if number is None or number == 0:
            return Pick("lost")
        step = number
    return Pick("slice", lo=bounds[0], hi=bounds[1], step=step)


def by_sign(m: Machine, view: View, picks: list[Pick]) -> list[tuple[Condition, list[Pick]]]:
    """The picks with their integers told apart by sign: `x[:k]` with `k < 0` is another region. One symbol alone is
    taken as >= 0, and listed.
    """
    if m.frame.function.language in C_LANGUAGES:
        return [(TRUE, picks)]
    out: list[tuple[Condition, list[Pick]]] = [(TRUE, picks)]
    sizes = [d.size for d in view.dims or ()]
    for number, pick in enumerate(picks):
        for bit, bound in ((1, pick.lo), (2, pick.hi), (4, pick.at)):
            if (
                bound is None
                or bound.as_int() is not None
                or (-bound).nonneg()
                or any(bound == size - 1 for size in sizes)
            ):
                continue
            if m.surely_nonneg(bound):
                continue
            if bound.const >= 0 and all(coef > 0 for _, coef in bound.terms):
                for part in bound.all_syms():
                    if not isinstance(part.key, tuple) or part.key[0] != "loop":
                        m.assume_nonneg(Lin.of(part))
                if m.surely_nonneg(bound):
                    continue
            if m.conds.implies(m.state.path, m.at_least_zero(bound)):
                continue
            positive = m.sign_of(bound)
            if pick.step < 0 or len(out) >= MOST_SIGNS:
                out = [(cond, [*row[:number], Pick("lost"), *row[number + 1 :]]) for cond, row in out]
                break
            negative = m.conds.no(positive)
            below = [
                (
                    m.conds.both(cond, negative),
                    [*row[:number], row[number]._replace(below=row[number].below | bit), *row[number + 1 :]],
                )
                for cond, row in out
            ]
            out = [(m.conds.both(cond, positive), row) for cond, row in out] + below
    return out


MOST_SIGNS = 4
"""Alternatives of one index; bounds beyond that are lost."""


def array_item(m: Machine, array: Array, idx: ir.Index, span: Span) -> Value:
    """`array[idx]`: a view, a copy, or (C++) an element."""
    if array.buf in m.native and m.native[array.buf].storage != "blob":
        from allocsafe.flow import cpp_pointers

        return cpp_pointers.item(m, array, idx, span)
    if array.buf >= 0 and m.buffers[array.buf].what == "scalar" and array.view.dims == ():
        return m.unknown("an item")
    found = resolve(m, idx, span)
    signs = by_sign(m, array.view, found.picks)
    if len(signs) > 1 and not found.copies and not found.maybe_copies:
        from allocsafe.flow.state import choose

        dots = any(p.kind == "dots" for p in found.picks)
        views = [(cond, taken(m, Array(array.buf, index(array.view, picks)), span, dots)) for cond, picks in signs]
        return choose(m.conds, list(views)) or Array(array.buf, index(array.view, found.picks))
    view = index(array.view, found.picks)
    if len(signs) > 1:
        view = some_of(array.view)
    if found.copies:
        return copy_of(
            m,
            array if not found.mask else Array(array.buf, array.view),
            span,
            "copied out by index",
            gather=True,
            view=_without_rank(view),
        )
    out = Array(array.buf, view)
    if m.frame.function.language in C_LANGUAGES and not _is_torch(m, array) and view.dims == ():
        log(m, out, "read", span, "element read")
        return m.unknown(f"{m.buffers[array.buf].symbol or 'the array'}[...]")
    if found.tensors:
        lost = index(array.view, [p if p.kind != "int" else Pick("lost") for p in found.picks])
        return copy_of(m, array, span, "copied out by index", gather=True, view=_without_rank(lost))
    if found.maybe_copies or (_may_be_number(m, array) and any(p.kind == "new" for p in found.picks)):
        return copy_of(m, out, span, "taken out by an index", maybe_alias=True)
    return taken(m, out, span, any(p.kind == "dots" for p in found.picks))


def taken(m: Machine, out: Array, span: Span, dots: bool = False) -> Array:
    """What an index or a turn took out of an array. All indices of a numpy array integers (no `...`): a number, which
    a write never takes back to the array, unless torch has made the array a tensor in between.
    """
    if out.buf >= 0 and not dots and out.view.dims == () and m.buffers[out.buf].what.startswith("numpy."):
        return copy_of(m, out, span, "taken out by an index", maybe_alias=True)
    return out


def _may_be_number(m: Machine, array: Array) -> bool:
    """Whether a numpy array of unknown rank was indexed before, so that nothing may be left of its axes."""
    if array.buf < 0 or not array.view.open or not m.buffers[array.buf].what.startswith("numpy."):
        return False
    return all(dim.axis != m.buffers[array.buf].outer for dim in array.view.dims or ())


def _is_torch(m: Machine, array: Array) -> bool:
    return array.buf >= 0 and m.buffers[array.buf].what.startswith(("torch::", "at::", "torch."))


def _without_rank(view: View) -> View:
    return View(view.frame, view.box, None, extent="some")


def store_item(m: Machine, value: Value, idx: ir.Index, src: Value | None, span: Span) -> None:
    """`value[idx] = src` (src None: `del`)."""
    if isinstance(value, Array) and value.buf in m.native and m.native[value.buf].storage != "blob":
        from allocsafe.flow import cpp_pointers

        cpp_pointers.store(m, value, idx, src, span)
        return
    if isinstance(value, Array):
        per_index(m, idx, lambda: _store(m, value, idx, src, span))
        return
    if isinstance(value, Ref):
        from allocsafe.flow.containers import store_object_item

        store_object_item(m, value, idx, src, span)
        return
    if value == NONE:
        m.state.path = FALSE
        return
    opaque = m.to_opaque(value)
    for item in idx.items:
        for reg in (item.reg,) if isinstance(item, ir.At) else (item.lo, item.hi, item.step):
            if reg is not None:
                read(m, m.get(reg), span, "used as an index", "index")
    key = key_of(m, idx)
    _forget_item(m, opaque, key, src)
    if src is None:
        m.bump(opaque)
        return
    if is_array(src) or isinstance(src, (Ref, TupleOf, Alts)):
        if isinstance(key, Const):
            m.write_cell((opaque.key, ("key", key.value)), src)
            keep(m, src, span, f"{opaque.text}[{key.value!r}]")
        else:
            # an opaque target is a tensor that is assigned from (a read) or a container that keeps it
            for cond, array in m.arrays(src):
                if isinstance(src, Array) and _surely_tensor(m, opaque, idx):
                    log(m, array, "read", span, f"copied into {opaque.text}", cond=cond)
                else:
                    log(
                        m,
                        array,
                        "escape",
                        span,
                        f"stored in {opaque.text}",
                        some=True,
                        event="escaped",
                        step="container",
                        decides=f"what {opaque.text} is",
                        cond=cond,
                    )
    m.versions[opaque.key] = m.fresh()
    from allocsafe.flow.machine import root_of

    m.versions[root_of(opaque.key)] = m.fresh()


def _forget_item(m: Machine, opaque: Opaque, key: Value, src: Value | None) -> None:
    """Another value, or none, takes the place of what was stored in an opaque container under the key; a key that
    nobody knows may be any of those that were stored under.
    """
    if isinstance(key, Const):
        from allocsafe.flow.attributes import may_be_another

        m.state.cells.forget((opaque.key, ("key", key.value)))
        may_be_another(m, opaque, ("key", key.value), m.unknown("an item") if src is None else src)
        return
    for name, held in list(m.state.cells.of(opaque.key)):
        number = isinstance(key, (Num, Truth)) and isinstance(name, tuple) and isinstance(name[-1], str)
        if isinstance(name, tuple) and name[0] == "key" and not number:
            there = m.decide(("still there", m.fresh()), f"{opaque.text}[{name[1]!r}] is still there", "unknown")
            gone = m.unknown("an item")
            m.state.cells[(opaque.key, name)] = choose(m.conds, [(there, held), (m.conds.no(there), gone)]) or gone


def _store(m: Machine, value: Array, idx: ir.Index, src: Value | None, span: Span) -> Value:
    """`value[idx] = src` for an array and an index without alternatives."""
    found = resolve(m, idx, span)
    index(array_view(value), found.picks)
    if src is not None:
        read(m, src, span, "copied from")
    if found.copies:
        masked_write(m, value, found, span)
    else:
        for cond, picks in by_sign(m, value.view, found.picks):
            log(m, Array(value.buf, index(value.view, picks)), "write", span, "assigned", cond=cond)
        if found.maybe_copies:
            whole_axis = index(array_view(value), [p if p.kind != "int" else Pick("lost") for p in found.picks])
            log(m, Array(value.buf, some_of(whole_axis)), "write", span, "assigned", some=True)
            if found.mask is not None:
                masked_write(m, value, found, span)
    return NONE


def _surely_tensor(m: Machine, target: Opaque, idx: ir.Index) -> bool:
    """Whether `target[idx] = x` copies out of `x`: the target is declared a tensor, or the index is one that no
    container takes. A dict takes any number, and a tuple of numbers, as a key.
    """
    if target.key in m.tensors or target.key in m.shapes:
        return True
    return any(_only_tensors_take(m, item) for item in idx.items)


def _only_tensors_take(m: Machine, item: ir.IndexItem) -> bool:
    """A slice, `...`, an index array or a mask."""
    if isinstance(item, ir.Slice):
        return True
    value = m.get(item.reg)
    return is_array(value) or isinstance(value, Truth) or (isinstance(value, Const) and value.value is Ellipsis)


def array_view(array: Array) -> View:
    return array.view


def masked_write(m: Machine, array: Array, found: Picked, span: Span) -> None:
    """An unknown part is written; with a mask, the other part may be written by its complement."""
    log(m, Array(array.buf, some_of(array.view)), "write", span, "assigned through an index", some=True)
    if found.mask is None or m.dry or array.buf < 0:
        return
    key, positive = found.mask
    cell = (("mask", array.buf, array.view, key), positive)
    other = (("mask", array.buf, array.view, key), not positive)
    m.write_cell(cell, Truth(m.state.path))
    for cond, held in alternatives(m.read_cell(other) or NONE):
        if isinstance(held, Truth):  # the path on which the other part was written
            note = "assigned through a mask and its complement"
            log(m, array, "write", span, note, cond=m.conds.both(cond, held.cond))


def opaque_item(m: Machine, value: Opaque, idx: ir.Index, span: Span) -> Value:
    """`opaque[idx]`: lengths for shapes, what was stored under a constant key, otherwise an opaque item."""
    only = _only(m, idx)
    keys: list[object] = []
    texts: list[str] = []
    for item in idx.items:
        if isinstance(item, ir.At):
            part = m.get(item.reg)
            read(m, part, span, "used as an index", "index")
            opaque = m.to_opaque(part)
            keys.append(opaque.key)
            texts.append(opaque.text)
        else:
            bounds = [None if r is None else m.get(r) for r in (item.lo, item.hi, item.step)]
            for bound in bounds:
                if bound is not None:
                    read(m, bound, span, "used as a slice bound", "index")
            keys.append(("slice", *(None if b is None else m.to_opaque(b).key for b in bounds)))
            texts.append(":".join("" if b is None else m.to_opaque(b).text for b in bounds[:2]))
    if only is not None:
        number = only.lin.as_int() if isinstance(only, Num) else None
        if number is not None and isinstance(value.key, tuple) and value.key[0] == "shape-of":
            return Num(shape_at(m, value, number))
        if isinstance(only, Const):
            held = m.read_cell((value.key, ("key", only.value)))
            if held is not None:
                return held
    from allocsafe.flow.machine import root_of

    version = (m.version(root_of(value.key)), m.version(value.key))
    return Opaque(("item", value.key, tuple(keys), version), brief(f"{value.text}[{', '.join(texts)}]"))


def shape_at(m: Machine, shape: Opaque, number: int) -> Lin:
    """`x.shape[number]` of an opaque `x`; the shape's key is ("shape-of", key of x, text of x)."""
    assert isinstance(shape.key, tuple)
    base, text = shape.key[1], shape.key[2]
    known = m.shapes.get(base)
    if known is not None and -len(known) <= number < len(known):
        return known[number]
    return m.size_of(base, number, text)


@step_meaning(ir.Unpack)
def unpack(m: Machine, step: ir.Unpack) -> None:
    value = m.get(step.src)
    count = len(step.dsts)
    if isinstance(value, Alts):
        split = m.each(value, lambda v: TupleOf(tuple(parts_of(m, v, count, step.star, step.span))))
        options = [(c, v) for c, v in (split.options if isinstance(split, Alts) else ((TRUE, split),))]
        for number, dst in enumerate(step.dsts):
            parts = [(c, v.items[number]) for c, v in options if isinstance(v, TupleOf) and len(v.items) == count]
            m.put(dst, choose(m.conds, parts) or m.unknown("an item"))
        return
    for dst, part in zip(step.dsts, parts_of(m, value, count, step.star, step.span), strict=False):
        m.put(dst, part)


def parts_of(m: Machine, value: Value, count: int, star: int | None, span: Span) -> list[Value]:
    """The `count` values that unpacking gives (the one at `star` is a list)."""
    if isinstance(value, Ref):
        from allocsafe.flow.containers import known_items

        items = known_items(m, value)
        if items is not None:
            value = TupleOf(tuple(items))
    if isinstance(value, TupleOf):
        if star is None and len(value.items) == count:
            return list(value.items)
        if star is not None and len(value.items) >= count - 1:
            after = count - 1 - star
            end = len(value.items) - after
            return [*value.items[:star], TupleOf(value.items[star:end]), *value.items[end:]]
    if isinstance(value, Array):
        out: list[Value] = [
            taken(m, Array(value.buf, index(value.view, [Pick("int", at=Lin.of(i))])), span) for i in range(count)
        ]
        if star is not None:
            out[star:] = [Array(value.buf, some_of(value.view)) for _ in range(count - star)]
        return out
    if isinstance(value, (Ref, Zipped)):
        return [
            picked(m, [v for _, v in m.leaves(value) if v != value] or [m.unknown("an item")], "the list")
            for _ in range(count)
        ]
    opaque = m.to_opaque(value)
    if isinstance(opaque.key, tuple) and opaque.key[0] == "shape-of" and star is None:
        known = m.shapes.get(opaque.key[1])
        if known is None:
            m.shapes[opaque.key[1]] = tuple(shape_at(m, opaque, i) for i in range(count))
        return [Num(shape_at(m, opaque, i)) for i in range(count)]
    del span
    return [Opaque(("item", opaque.key, i, count), f"{opaque.text}[{i}]") for i in range(count)]
