"""Lists, dicts and sets as cells.

A list knows its length as a term and its items by position: `("item", k)` for constant positions, `("at", term)` for
an append in a loop, whose term moves with the loop variable; reading item `j` solves the term for the variable. A
dict has strong cells for constant keys; computed keys go to one log, in order, and never mix with constant keys:
`self.meta[bs]` and `self.meta["page_table"]` are different things. What cannot be told apart is picked from: one of
several values, nobody knows which.
"""

from __future__ import annotations

from collections.abc import Hashable

from allocsafe.flow import presence
from allocsafe.flow.carried import CARRIED
from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.listed import at_turn
from allocsafe.flow.machine import Machine, step_meaning
from allocsafe.flow.memory import keep, read
from allocsafe.flow.state import State, alternatives, choose, choose_few, few, merge, plain, under
from allocsafe.flow.values import NONE, Alts, Array, Const, Num, Opaque, RangeOf, Ref, Truth, TupleOf, Value, Zipped
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span


def owner(ref: Ref) -> tuple[str, int]:
    return ("obj", ref.obj)


@step_meaning(ir.New)
def new(m: Machine, step: ir.New) -> None:
    if step.kind == "tuple":
        items: list[Value] = []
        known = True
        for item in step.items:
            value = m.get(item.value)
            spread = spread_items(m, value) if item.star else [value]
            if spread is None:  # an unknown number of items: none of them has a place any more
                known = False
                spread = all_items(m, value) if isinstance(value, Ref) else [value]
            items += spread
        if known:
            m.put(step.dst, TupleOf(tuple(items)))
            return
        loose = m.new_object("list", step.span)
        for value in items:
            m.write_cell((owner(loose), ("some", m.fresh())), value)
        m.put(step.dst, loose)
        return
    ref = m.new_object("list" if step.kind == "set" else step.kind, step.span)
    if step.kind != "dict":
        m.write_cell((owner(ref), "len"), Num(Lin.of(0)))
    if step.kind == "dict" and _plain_display(m, ref, step):
        m.put(step.dst, ref)
        return
    for item in step.items:
        value = m.get(item.value)
        if step.kind == "dict":
            if item.star:
                merge_dict(m, ref, value)
            else:
                assert item.key is not None
                put_key(m, ref, m.get(item.key), value)
        elif item.star:
            extend_in_place(m, ref, value, step.span)
        else:
            append(m, ref, value)
    m.put(step.dst, ref)


def _plain_display(m: Machine, ref: Ref, step: ir.New) -> bool:
    """A dict written with constant keys alone: what `put_key` would do key by key, at once."""
    from allocsafe.flow.attributes import name_buffer

    names = [None if item.star or item.key is None else const_key(m.get(item.key)) for item in step.items]
    if None in names:
        return False
    for name, item in zip(names, step.items, strict=True):
        value = m.get(item.value)
        if isinstance(value, (Array, Opaque)) and isinstance(name, str):
            name_buffer(m, value, f'["{name}"]')
        m.write_cell((owner(ref), ("key", name)), value)
    presence.note_all(m, ref, names)
    return True


def spread_items(m: Machine, value: Value) -> list[Value] | None:
    """The items of `*value` if they are known one by one."""
    if isinstance(value, TupleOf):
        return list(value.items)
    if isinstance(value, Ref):
        return known_items(m, value)
    if isinstance(value, Opaque) and isinstance(value.key, tuple) and value.key[0] == "shape-of":
        known = m.shapes.get(value.key[1])
        return [Num(size) for size in known] if known is not None else None
    return None


@step_meaning(ir.Append)
def append_step(m: Machine, step: ir.Append) -> None:
    target = m.get(step.target)
    if isinstance(target, Ref):
        append(m, target, m.get(step.src))


def list_length(m: Machine, ref: Ref) -> Lin | None:
    size = m.read_cell((owner(ref), "len"))
    return size.lin if isinstance(size, Num) else None


def append(m: Machine, ref: Ref, value: Value) -> None:
    """One more item at the end."""
    size = list_length(m, ref)
    if size is None:
        m.write_cell((owner(ref), ("some", m.fresh())), value)
        presence.uncounted(m, ref)
        return
    number = size.as_int()
    m.write_cell((owner(ref), ("item", number) if number is not None else ("at", size)), value)
    m.write_cell((owner(ref), "len"), Num(size + 1))


def known_items(m: Machine, ref: Ref) -> list[Value] | None:
    """The items of a list whose length is a number and whose items were all put one by one."""
    size = list_length(m, ref)
    count = size.as_int() if size is not None else None
    if count is None or count > 64 or m.objects[ref.obj].kind == "dict" or _loose(m, ref):
        return None
    out = []
    for k in range(count):
        value = m.read_cell((owner(ref), ("item", k)))
        if value is None:
            return None
        out.append(value)
    return out


def _loose(m: Machine, ref: Ref) -> bool:
    return any(isinstance(name, tuple) and name[0] == "some" for name, _ in m.state.cells.of(owner(ref)))


def all_items(m: Machine, ref: Ref) -> list[Value]:
    """Everything the container may hold."""
    out: list[Value] = []
    for name, value in m.state.cells.of(owner(ref)):
        if isinstance(name, tuple) and name[0] in ("item", "at", "some", "key", "carried"):
            out.append(value)
    return out + [value for _, value in _computed(m, ref)]


def item_number(m: Machine, ref: Ref, at: Lin) -> Value:
    """Item `at` of a list."""
    from allocsafe.flow.items import picked

    if m.objects[ref.obj].kind == "vector":
        from allocsafe.flow import cpp_vectors

        return cpp_vectors.item(m, ref, at, m.objects[ref.obj].span)

    number = at.as_int()
    size = list_length(m, ref)
    if number is not None and number < 0 and size is not None:
        at = size + number
        number = at.as_int()
    if number is not None:
        value = m.read_cell((owner(ref), ("item", number)))
        if value is not None and not _loose(m, ref):
            return value
    one = _by_number(m, ref, at) if number is None else None
    if one is not None:
        return one
    if number is not None and number < 0:  # from an end that nobody knows
        return picked(m, all_items(m, ref), "the list")
    held = [(name, value) for name, value in m.state.cells.of(owner(ref)) if isinstance(name, tuple)]
    put = [(name[1], value) for name, value in held if name[0] == "at"]
    if len(put) == 1 and not _loose(m, ref):  # one loop has put them, at consecutive places
        term, value = put[0]
        if len(term.terms) == 1 and term.terms[0][1] == 1:
            value = at_turn(m, value, term.terms[0][0], at - term.const)
            before = [v for name, v in held if name[0] == "item"]
            first = term.const if before else 0
            rest = TRUE
            options: list[tuple[Condition, Value]] = []
            if not m.surely_nonneg(at):  # below zero it counts from the end
                rest = m.at_least_zero(at)
                options.append((m.conds.no(rest), picked(m, all_items(m, ref), "the list")))
            behind = m.conds.both(rest, m.at_least_zero(at - first)) if before else rest
            options.append((behind, value))
            if before:
                options.append((m.conds.both(rest, m.conds.no(behind)), picked(m, before, "the list")))
            return choose(m.conds, options) or value
    return picked(m, all_items(m, ref), "the list")


MOST_NUMBERED = 3
"""Items of a list up to which an unknown index is asked for its value: `offsets[rank]`."""


def _by_number(m: Machine, ref: Ref, at: Lin) -> Value | None:
    """Item `at` of a short list of plain values, by what the index is; None for any other list. An index that is none
    of its places raises.
    """
    items = known_items(m, ref)
    if not items or len(items) > MOST_NUMBERED or m.handlers or not all(isinstance(v, Num) for v in items):
        return None
    if m.born_of(at) or any(turn.loop.var in at.all_syms() for turn in m.turns):
        return None
    options: list[tuple[Condition, Value]] = []
    inside = FALSE
    for place, value in enumerate(items):
        here = m.conds.either(m.equal_zero(at - place), m.equal_zero(at - place + len(items)))
        options.append((m.conds.both(here, m.conds.no(inside)), value))
        inside = m.conds.either(inside, here)
    m.state.path = m.conds.both(m.state.path, inside)
    return choose(m.conds, options)


def object_item(m: Machine, ref: Ref, idx: ir.Index, span: Span) -> Value:
    """`container[idx]`."""
    from allocsafe.flow.items import key_of, picked

    info = m.objects[ref.obj]
    if info.kind == "vector":
        from allocsafe.flow import cpp_vectors

        return cpp_vectors.item(m, ref, m.as_lin(key_of(m, idx)), span)
    if info.kind == "instance" and (owner(ref), "len") not in m.state.cells:  # a named tuple knows its length
        from allocsafe.flow.attributes import attribute
        from allocsafe.flow.calls import call_value

        getter = attribute(m, ref, "__getitem__", span)
        return call_value(m, getter, [key_of(m, idx)], {}, span)
    if info.kind == "dict":
        return dict_item(m, ref, key_of(m, idx))
    if len(idx.items) == 1 and isinstance(idx.items[0], ir.Slice):
        items = known_items(m, ref)
        part = idx.items[0]
        bounds = [None if r is None else m.as_lin(m.get(r)) for r in (part.lo, part.hi, part.step)]
        given = [r is not None for r in (part.lo, part.hi, part.step)]
        numbers = [None if b is None else b.as_int() for b in bounds]
        if (
            items is not None
            and all(n is not None for n, g in zip(numbers, given, strict=False) if g)
            and numbers[2] != 0
        ):
            return TupleOf(tuple(items[slice(*numbers)]))
        copy = m.new_object("list", span)
        for value in all_items(m, ref):
            m.write_cell((owner(copy), ("some", m.fresh())), value)
        return copy
    key = key_of(m, idx)
    at = m.as_lin(key)
    if at is None:
        return picked(m, all_items(m, ref), "the list")
    return item_number(m, ref, at)


def dict_item(m: Machine, ref: Ref, key: Value, default: Value | None = None) -> Value:
    """The value under a key. A key that was surely stored gives exactly that value."""
    from allocsafe.flow.items import picked

    if isinstance(key, Alts):
        path, logged = m.state.path, m.logged
        several = m.each(key, lambda k: dict_item(m, ref, k, default))
        return several if m.logged != logged else _anywhere(m, several, path)
    name = const_key(key)
    loose = _loose(m, ref)
    rows = [(stored, m.state.cells[at], presence.has(m, ref, at[1][1])) for stored, at in _rows(m, ref)]
    rows += _stored(m, ref)
    if name is not None and not loose:
        held = m.read_cell((owner(ref), ("key", name)))
        if held is not None and presence.has(m, ref, name) == TRUE:
            return held
    for stored, value, when in rows:
        if stored == key and not loose and m.conds.implies(m.state.path, when):
            return under(m.conds, value, m.state.path) or value
    if loose or CARRIED in (name for name, _ in m.state.cells.of(owner(ref))):
        return picked(m, [*all_items(m, ref), *([] if default is None else [default])], "the dict")
    options: list[tuple[Condition, Value]] = []
    rest = TRUE
    for stored, value, when in reversed(rows):
        same = m.conds.both(rest, m.conds.both(when, same_key(m, stored, key)))
        rest = m.conds.both(rest, m.conds.no(same))
        options.append((same, value))
    earlier = m.conds.both(rest, m.lasting.get(ref.obj, FALSE))
    if earlier != FALSE:  # what another call has stored
        there = holds_key(m, ref, key, m.frame.function.span)
        earlier = m.conds.both(earlier, there)
        options.append((earlier, m.unknown("an item of an earlier call")))
        rest = m.conds.both(rest, m.conds.no(earlier))
    if default is not None:
        options.append((rest, default))
    elif all(same == FALSE for same, _ in options):
        return m.unknown("a missing key")
    else:
        narrowed = m.conds.both(m.state.path, m.conds.no(rest))  # otherwise a KeyError
        if narrowed == FALSE:
            m.state.path = FALSE
            return NONE
        if len(m.conds.support(rest) - m.conds.support(m.state.path)) > MANY_PARTS:  # the wider path only adds reads
            m.passed(m.state.path, narrowed)
            options.append((rest, m.unknown("a missing key")))
        else:
            m.state.path = narrowed
    found = choose(m.conds, options)
    found = narrow(m, found) if found is not None else None
    return (under(m.conds, found, m.state.path) or found) if found is not None else m.unknown("a missing key")


def _anywhere(m: Machine, found: Value, path: Condition) -> Value:
    """Where what was found leads to no memory, that one of very many keys is there need not narrow the path."""
    if m.state.path in (FALSE, path) or not all(plain(value) for _, value in alternatives(found)):
        return found
    there = m.conds.within(m.state.path, path)
    if len(m.conds.support(there)) <= MANY_PARTS:
        return found
    m.passed(path, m.state.path)
    m.state.path = path
    missing = m.unknown("a missing key")
    return choose_few(m.conds, [(there, found), (m.conds.no(there), missing)], lambda: missing) or missing


def _rows(m: Machine, ref: Ref) -> list[tuple[Value, tuple[Hashable, tuple[str, Hashable]]]]:
    """The constant keys of a dict, each with its cell."""
    from allocsafe.flow.arithmetic import literal

    return [
        (literal(name[1]), (owner(ref), name))
        for name, _ in m.state.cells.of(owner(ref))
        if isinstance(name, tuple) and name[0] == "key"
    ]


def same_key(m: Machine, a: Value, b: Value) -> Condition:
    """Whether two keys are equal. A number and a text never are; what is neither for sure may be either."""
    if a == b:
        return TRUE
    first, second = const_key(a), const_key(b)
    if first is not None and second is not None:
        return TRUE if first == second else FALSE
    if isinstance(a, Num) and isinstance(b, Num):
        return _equal(m, a.lin, b.lin)
    texts = [isinstance(key, Const) and isinstance(key.value, str) for key in (a, b)]
    if any(texts) and any(
        isinstance(key, (Num, TupleOf, Truth)) or (isinstance(key, Opaque) and key.key in m.numbers) for key in (a, b)
    ):
        return FALSE
    if not any(texts):
        numbers = set(m.numbers)
        x, y = m.as_lin(a), m.as_lin(b)
        m.numbers = numbers
        if x is not None and y is not None:
            return _equal(m, x, y)
    head, start = presence.begins(a), presence.begins(b)
    if head is not None and start is not None:
        size = min(len(head), len(start))
        if head[:size] != start[:size]:
            return FALSE
    one, other = m.to_opaque(a), m.to_opaque(b)
    return m.decide(("same key", one.key, other.key), f"{one.text} == {other.text}", "unknown")


def _equal(m: Machine, x: Lin, y: Lin) -> Condition:
    """Whether two numbers are one key. What two entry points were given is for whoever calls them to say."""
    keys = [s.key[1] for s in (x - y).all_syms() if isinstance(s.key, tuple) and s.key[0] == "int"]
    entries = {key[4] for key in keys if isinstance(key, tuple) and key[0] == "param" and len(key) == 5}
    if len(entries) > 1:
        return m.decide(("same key", x, y), "two calls are given the same key", "order")
    return m.equal_zero(x - y)


def const_key(key: Value) -> object:
    """A constant key as a Python value, or None."""
    if isinstance(key, Const) and key.value is not None:
        return key.value
    if isinstance(key, Num):
        return key.lin.as_int()
    if isinstance(key, Truth) and key.cond in (0, 1):
        return bool(key.cond)
    return None


def _computed(m: Machine, ref: Ref) -> list[tuple[Value, Value]]:
    return [(key, value) for key, value, _ in _stored(m, ref)]


def _stored(m: Machine, ref: Ref) -> list[tuple[Value, Value, Condition]]:
    """What computed keys hold, in the order in which it was stored, each with the condition under which it was."""
    held = m.read_cell((owner(ref), "computed"))
    options = held.options if isinstance(held, Alts) else ((TRUE, held),) if held is not None else ()
    out: dict[tuple[Value, Value], Condition] = {}
    for cond, option in options:
        if isinstance(option, TupleOf):
            for pair in option.items:
                if isinstance(pair, TupleOf):
                    row = (pair.items[0], pair.items[1])
                    out[row] = m.conds.either(out.get(row, FALSE), cond)
    return [(key, value, when) for (key, value), when in out.items()]


MANY_PARTS = 16
"""Questions on which it may depend whether a key is there, for that to narrow the path."""

MOST_ROWS = 8
"""Computed keys told apart; past it every key may hold what any of them does."""


def narrow(m: Machine, value: Value) -> Value:
    """`value`, or one unknown value in the place of many that nothing can be reached through."""
    return few(m.conds, value, lambda: m.unknown("a value of the dict"))


def put_key(m: Machine, ref: Ref, key: Value, value: Value) -> None:
    """`dict[key] = value`."""
    from allocsafe.flow.attributes import name_buffer

    name = const_key(key)

    def replaced(stored: Value, held: Value) -> Value:
        same = same_key(m, stored, key)
        return narrow(m, choose(m.conds, [(same, value), (m.conds.no(same), held)]) or held)

    more: tuple[Value, ...] = ()
    if name is None:
        for stored, place in _rows(m, ref):
            m.write_cell(place, replaced(stored, m.state.cells[place]))
        more = (TupleOf((key, value)),)
        m.versions[owner(ref)] = m.fresh()
    else:
        if isinstance(value, (Array, Opaque)) and isinstance(name, str):
            name_buffer(m, value, f'["{name}"]')
        m.write_cell((owner(ref), ("key", name)), value)
        presence.note(m, ref, name)
    held = m.read_cell((owner(ref), "computed"))
    made: list[tuple[Condition, Value]] = []
    for cond, option in held.options if isinstance(held, Alts) else ((TRUE, held),):
        rows = option.items if isinstance(option, TupleOf) else ()
        old = [r.items for r in rows if isinstance(r, TupleOf) and r.items[0] != key]
        pairs = [TupleOf((stored, replaced(stored, value_then))) for stored, value_then in old]
        made.append((cond, TupleOf((*pairs, *more))))
    m.write_cell((owner(ref), "computed"), choose(m.conds, made) or TupleOf(more))
    if sum(len(option.items) for _, option in made if isinstance(option, TupleOf)) > MOST_ROWS:
        presence.loosen(m, ref)


def merge_dict(m: Machine, ref: Ref, other: Value) -> None:
    """`dict.update(other)`."""
    if isinstance(other, Alts):
        m.each(other, lambda v: _merged(m, ref, v))
        return
    if not isinstance(other, Ref) or m.objects[other.obj].kind != "dict":
        for value in all_items(m, other) if isinstance(other, Ref) else ():
            m.write_cell((owner(ref), ("some", m.fresh())), value)
        m.write_cell((owner(ref), ("some", m.fresh())), other)
        presence.loosen(m, ref)
        return
    rows = [(stored, m.state.cells[at], presence.has(m, other, at[1][1])) for stored, at in _rows(m, other)]
    rows += _stored(m, other)
    doubted = [key for key, _, when in rows if const_key(key) is None and not m.conds.implies(m.state.path, when)]
    loose = _loose(m, other) or bool(doubted)
    for key, value, when in rows if not loose else ():
        path = m.state.path
        if m.conds.implies(path, when):
            put_key(m, ref, key, value)
        elif m.conds.meets(path, when):  # on the other path nothing is put
            before = State(m.conds.both(path, m.conds.no(when)), m.state.cells.copy())
            m.state.path = m.conds.both(path, when)
            put_key(m, ref, key, value)
            m.state = merge(m.conds, [m.state, before], path)
    if loose:
        for value in all_items(m, other):
            m.write_cell((owner(ref), ("some", m.fresh())), value)
        presence.loosen(m, ref)


def _merged(m: Machine, ref: Ref, other: Value) -> Value:
    merge_dict(m, ref, other)
    return NONE


def store_object_item(m: Machine, ref: Ref, idx: ir.Index, src: Value | None, span: Span) -> None:
    """`container[idx] = src`."""
    from allocsafe.flow.items import key_of

    info = m.objects[ref.obj]
    key = key_of(m, idx)
    if info.kind == "vector":
        from allocsafe.flow import cpp_vectors

        cpp_vectors.store(m, ref, m.as_lin(key), src, span)
        return
    if info.kind == "instance":
        from allocsafe.flow.attributes import attribute
        from allocsafe.flow.calls import call_value

        setter = attribute(m, ref, "__setitem__", span)
        call_value(m, setter, [key, src or NONE], {}, span)
        return
    if src is None:
        if info.kind == "dict":
            take_out(m, ref, key)
        elif info.kind == "list":
            presence.loosen(m, ref)
        return
    if info.kind == "dict":
        put_key(m, ref, key, src)
        return
    at = m.as_lin(key)
    number = at.as_int() if at is not None else None
    size = list_length(m, ref)
    if number is not None and number < 0 and size is not None and size.as_int() is not None:
        number += size.as_int() or 0
    if number is not None and number >= 0 and (owner(ref), ("item", number)) in m.state.cells:
        m.write_cell((owner(ref), ("item", number)), src)
    else:
        m.write_cell((owner(ref), ("some", m.fresh())), src)


def extend_in_place(m: Machine, ref: Ref, other: Value, span: Span) -> None:
    """`list += other`, `list.extend(other)`."""
    del span
    if m.objects[ref.obj].kind == "dict":
        merge_dict(m, ref, other)
        return
    items = spread_items(m, other)
    if items is not None:
        for item in items:
            append(m, ref, item)
        return
    held = all_items(m, other) if isinstance(other, Ref) else [other]
    for value in held:
        m.write_cell((owner(ref), ("some", m.fresh())), value)
    presence.uncounted(m, ref)


def list_arithmetic(m: Machine, op: str, a: Value, b: Value, span: Span) -> Value:
    """`a + b`, `[x] * n`."""
    out = m.new_object("list", span)
    m.write_cell((owner(out), "len"), Num(Lin.of(0)))
    if op == "+" and (isinstance(a, (Ref, TupleOf)) or isinstance(b, (Ref, TupleOf))):
        extend_in_place(m, out, a, span)
        extend_in_place(m, out, b, span)
        return out
    if op == "*":
        ref, times = (a, b) if isinstance(a, Ref) else (b, a)
        items = known_items(m, ref) if isinstance(ref, Ref) else None
        count = m.as_lin(times)
        number = count.as_int() if count is not None else None
        if items is not None and number is not None and 0 <= number * len(items) <= 64:
            for item in items * number:
                append(m, out, item)
            return out
        for value in all_items(m, ref) if isinstance(ref, Ref) else []:
            m.write_cell((owner(out), ("some", m.fresh())), value)
        if items is not None and count is not None and len(items) == 1:
            m.write_cell((owner(out), "len"), Num(count))
        else:
            presence.uncounted(m, out)
        return out
    read(m, a, span, f"operand of `{op}`")
    read(m, b, span, f"operand of `{op}`")
    return m.unknown("a value")


def container_method(
    m: Machine, ref: Ref, name: str, args: list[Value], kwargs: dict[str, Value], span: Span
) -> Value | None:
    """A method of a list, dict or set; None when it is none of theirs."""
    from allocsafe.flow.items import picked

    info = m.objects[ref.obj]
    if info.kind == "instance" and name in ("_replace", "_asdict") and not args:
        from allocsafe.flow.records import as_dict, replaced

        return replaced(m, ref, kwargs, span) if name == "_replace" else as_dict(m, ref, span)
    if name in ("append", "add", "appendleft", "push_back", "emplace_back") and args:
        append(m, ref, args[0])
        return NONE
    if name in ("extend", "update") and info.kind != "dict":
        for value in args:
            extend_in_place(m, ref, value, span)
        return NONE
    if name == "insert" and len(args) == 2:
        m.write_cell((owner(ref), ("some", m.fresh())), args[1])
        presence.loosen(m, ref)
        return NONE
    if info.kind == "dict":
        return _dict_method(m, ref, name, args, kwargs, span)
    if name in ("pop", "popleft"):
        size = list_length(m, ref)
        if not args and name == "pop" and size is not None and size.as_int():
            value = item_number(m, ref, size - 1)
            m.state.cells.forget((owner(ref), ("item", (size - 1).as_int())))
            m.write_cell((owner(ref), "len"), Num(size - 1))
            return value
        values = all_items(m, ref)
        presence.loosen(m, ref)
        return picked(m, values, "the list")
    if name == "copy":
        out = m.new_object(info.kind, span)
        for key, value in m.state.cells.of(owner(ref)):
            m.write_cell((owner(out), key), value)
        return out
    if name == "clear":
        m.state.cells.drop(owner(ref))
        m.write_cell((owner(ref), "len"), Num(Lin.of(0)))
        return NONE
    if name in ("sort", "reverse"):
        values = all_items(m, ref)
        for key, _ in m.state.cells.of(owner(ref)):
            if key != "len":
                del m.state.cells[(owner(ref), key)]
        for value in values:
            m.write_cell((owner(ref), ("some", m.fresh())), value)
        return NONE
    if name in ("index", "count", "remove", "discard"):
        from allocsafe.flow.arithmetic import compared_inside

        compared_inside(m, [*args, ref], span)
        if name in ("remove", "discard"):
            presence.loosen(m, ref)
        return m.unknown("an index") if name in ("index", "count") else NONE
    return None


def _dict_method(
    m: Machine, ref: Ref, name: str, args: list[Value], kwargs: dict[str, Value], span: Span
) -> Value | None:
    from allocsafe.flow.items import picked

    if name == "get" and args:
        default = args[1] if len(args) > 1 else NONE
        return dict_item(m, ref, args[0], default)
    if name == "pop" and args:
        value = dict_item(m, ref, args[0], args[1] if len(args) > 1 else None)
        take_out(m, ref, args[0])
        return value
    if name == "setdefault" and args:
        value = dict_item(m, ref, args[0], args[1] if len(args) > 1 else NONE)
        put_key(m, ref, args[0], value)
        return value
    if name == "update":
        for value in args:
            merge_dict(m, ref, value)
        for label, value in kwargs.items():
            put_key(m, ref, Const(label), value)
        return NONE
    if name in ("items", "keys", "values"):
        return listing(m, ref, name, span)
    if name in ("copy",):
        out = m.new_object("dict", span)
        for key, value in m.state.cells.of(owner(ref)):
            m.write_cell((owner(out), key), value)
        return out
    if name == "clear":
        m.state.cells.drop(owner(ref))
        presence.start(m, ref)
        m.versions[owner(ref)] = m.fresh()
        return NONE
    del picked
    return None


def listing(m: Machine, ref: Ref, what: str, span: Span) -> Value:
    """The `keys`, `values` or `items` of a dict, in no order that counts."""
    rows = [(stored, m.state.cells[at], presence.has(m, ref, at[1][1])) for stored, at in _rows(m, ref)]
    rows = [row for row in rows + _stored(m, ref) if m.conds.meets(m.state.path, row[2])]
    told: list[tuple[Value, Condition]] = []
    for number, (k, v, when) in enumerate(rows):
        own = when
        for earlier, _, there in rows[:number]:  # one key, one row: every row of a key holds its value
            own = m.conds.both(own, m.conds.no(m.conds.both(there, same_key(m, earlier, k))))
        told.append((TupleOf((k, v)) if what == "items" else k if what == "keys" else v, own))
    loose = [v for n, v in m.state.cells.of(owner(ref)) if isinstance(n, tuple) and n[0] in ("some", "carried")]
    if not loose:
        known = presence.rows_of(m, told)
        if known is not None:
            return known
    out = m.new_object("list", span)
    for value in loose:
        some = m.unknown("a key")
        told.append((TupleOf((some, value)) if what == "items" else some if what == "keys" else value, TRUE))
    for row, _ in told:
        m.write_cell((owner(out), ("some", m.fresh())), row)
    return out


def holds_key(m: Machine, ref: Ref, key: Value, span: Span) -> Condition:
    """`key in dict`."""
    rows = [(stored, presence.has(m, ref, at[1][1])) for stored, at in _rows(m, ref)]
    rows += [(stored, when) for stored, _, when in _stored(m, ref)]
    out = FALSE
    for stored, when in rows:
        out = m.conds.either(out, m.conds.both(when, same_key(m, stored, key)))
    if any(isinstance(name, tuple) and name[0] in ("some", "carried") for name, _ in m.state.cells.of(owner(ref))):
        asked = ("in", owner(ref), m.version(owner(ref)), m.to_opaque(key).key)
        out = m.conds.either(out, m.decide(asked, "the key is in the dict", "unknown", span))
    if ref.obj in m.lasting:
        question = ("stored before", ref.obj, m.to_opaque(key).key)
        before = m.decide(question, "an earlier call stored it", "order", span)
        out = m.conds.either(out, m.conds.both(m.lasting[ref.obj], before))
    return out


def take_out(m: Machine, ref: Ref, key: Value) -> None:
    """`del dict[key]`, `dict.pop(key)`."""
    name = const_key(key)
    if name is not None and not _computed(m, ref) and not _loose(m, ref):
        m.state.cells.forget((owner(ref), ("key", name)))
        presence.forget(m, ref, name)
    else:
        presence.loosen(m, ref)


__all__ = ["RangeOf", "Zipped", "container_method", "dict_item", "keep", "known_items", "object_item"]
