"""Which keys a dict has, and how many items a container has when nobody can count them.

*Claim.* The cell `keys` of a dict holds the constant keys that were stored and not taken out, as a tuple; it is there
from the start, so a branch that stores nothing says so, and the two arms of a branch join as any other value does.
*Why that suffices.* A value under a key is only half of what `get`, `in`, `values()` and a loop ask: without the other
half a key that one arm stored would be in the dict on both. *What it gives up.* Which keys a loop stored under a
condition of its turn; then a key is in the dict or is not, nobody knows which.

    d = {}             keys ()
    if c: d["a"] = x   keys ("a",) when c, () otherwise
    d.get("a", o)      x when c, o otherwise
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.state import choose
from allocsafe.flow.values import Alts, Const, Num, Opaque, Ref, TupleOf, Value
from allocsafe.regions.exprs import Lin

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

KEYS = "keys"
FEW_DOUBTS = 3
"""Rows that may or may not be there: up to so many, each combination is an alternative of its own."""


def start(m: Machine, ref: Ref) -> None:
    """A new dict has no key."""
    m.write_cell((_owner(ref), KEYS), TupleOf(()))
    m.write_cell((_owner(ref), "computed"), TupleOf(()))


def note(m: Machine, ref: Ref, name: Hashable) -> None:
    """A constant key is there now."""
    if has(m, ref, name) != TRUE:
        _change(m, ref, lambda keys: keys if Const(name) in keys else (*keys, Const(name)))


def note_all(m: Machine, ref: Ref, names: Sequence[Hashable]) -> None:
    """The same for the keys of a new dict, all at once."""
    m.versions[_owner(ref)] = m.fresh()
    m.write_cell((_owner(ref), KEYS), TupleOf(tuple(Const(name) for name in dict.fromkeys(names))))


def forget(m: Machine, ref: Ref, name: Hashable) -> None:
    """A constant key is gone."""
    _change(m, ref, lambda keys: tuple(key for key in keys if key != Const(name)))


def _change(m: Machine, ref: Ref, act: Callable[[tuple[Value, ...]], tuple[Value, ...]]) -> None:
    m.versions[_owner(ref)] = m.fresh()
    held = m.read_cell((_owner(ref), KEYS))
    if isinstance(held, TupleOf):
        m.write_cell((_owner(ref), KEYS), TupleOf(act(held.items)))
        return
    options = held.options if isinstance(held, Alts) else ((TRUE, held),)
    made: list[tuple[Condition, Value]] = []
    for cond, option in options:
        if isinstance(option, TupleOf):
            made.append((cond, TupleOf(act(option.items))))
        else:
            made.append((cond, m.unknown("the keys")))
    m.write_cell((_owner(ref), KEYS), choose(m.conds, made) or m.unknown("the keys"))


def has(m: Machine, ref: Ref, name: Hashable) -> Condition:
    """Under which condition the constant key is in the dict, on this path."""
    held = m.read_cell((_owner(ref), KEYS))
    options = held.options if isinstance(held, Alts) else ((TRUE, held),)
    out = FALSE
    for cond, option in options:
        if isinstance(option, TupleOf):
            if Const(name) in option.items:
                out = m.conds.either(out, cond)
        else:
            key = ("has", ref.obj, name, m.version(_owner(ref)))
            out = m.conds.either(out, m.conds.both(cond, m.decide(key, f"{name!r} is a key of the dict", "unknown")))
    return TRUE if m.conds.implies(m.state.path, out) else out


def rows_of(m: Machine, rows: list[tuple[Value, Condition]]) -> Value | None:
    """The rows of a dict as a tuple, or as alternatives of tuples; None if too many may or may not be there."""
    path = m.state.path
    sure = [m.conds.implies(path, when) for _, when in rows]
    if sum(not s for s in sure) > FEW_DOUBTS:
        return None
    options: list[tuple[Condition, tuple[Value, ...]]] = [(TRUE, ())]
    for (value, when), certain in zip(rows, sure, strict=True):
        if certain:
            options = [(cond, (*items, value)) for cond, items in options]
            continue
        options = [
            (both, (*items, value) if there else items)
            for cond, items in options
            for there in (True, False)
            if (both := m.conds.both(cond, when if there else m.conds.no(when))) != FALSE
        ]
    return choose(m.conds, [(cond, TupleOf(items)) for cond, items in options])


def begins(key: Value) -> str | None:
    """What a text surely begins with: all of a constant, or an f-string's characters before its first field."""
    if isinstance(key, Const):
        return key.value if isinstance(key.value, str) else None
    if isinstance(key, Opaque) and isinstance(key.key, tuple) and key.key[0] == "text":
        found = re.match(r"[fF]([\"'])((?:(?!\1)[^{}\\])*)\{(?!\{)", str(key.key[1]))
        return found[2] if found is not None and not found[2].startswith(found[1]) else None
    return None


def uncounted(m: Machine, ref: Ref) -> None:
    """How many items there are is not known any more."""
    m.versions[_owner(ref)] = m.fresh()
    size = m.symbol(("len", _owner(ref), m.version(_owner(ref))), "its length", nonneg=True)
    m.write_cell((_owner(ref), "len"), Num(size))


def loosen(m: Machine, ref: Ref, *, count: bool = False) -> None:
    """No item has a place any more: each is one of all. `count`: there are as many as before."""
    from allocsafe.flow.containers import all_items

    owner = _owner(ref)
    values = all_items(m, ref)
    for name, _ in m.state.cells.of(owner):
        if isinstance(name, tuple) and name[0] in ("item", "at", "some", "key"):
            m.state.cells.forget((owner, name))
    for value in values:
        m.write_cell((owner, ("some", m.fresh())), value)
    if m.objects[ref.obj].kind == "dict":
        m.write_cell((owner, "computed"), TupleOf(()))
        m.write_cell((owner, KEYS), m.unknown("the keys"))
        m.versions[owner] = m.fresh()
    elif not count:
        uncounted(m, ref)


def filled(m: Machine, ref: Ref, size: Value | None) -> Condition:
    """Whether a container whose length is one of several has an item at all."""
    if isinstance(size, Alts) and all(isinstance(option, Num) for _, option in size.options):
        out = FALSE
        for cond, option in size.options:
            if isinstance(option, Num):
                out = m.conds.either(out, m.conds.both(cond, m.conds.no(m.equal_zero(option.lin))))
        return out
    return m.decide(("truth", _owner(ref), m.version(_owner(ref))), "it is not empty")


def count_of(m: Machine, ref: Ref) -> Value:
    """How many keys a dict has."""
    owner = _owner(ref)
    held = m.read_cell((owner, KEYS))
    loose = any(isinstance(name, tuple) and name[0] in ("some", "carried") for name, _ in m.state.cells.of(owner))
    if m.read_cell((owner, "computed")) == TupleOf(()) and not loose:
        if isinstance(held, TupleOf):
            return Num(Lin.of(len(held.items)))
        if isinstance(held, Alts) and all(isinstance(option, TupleOf) for _, option in held.options):
            sizes = [(c, Num(Lin.of(len(o.items)))) for c, o in held.options if isinstance(o, TupleOf)]
            return choose(m.conds, list(sizes)) or sizes[0][1]
    return Num(m.symbol(("len", owner, m.version(owner)), "its length", nonneg=True))


def _owner(ref: Ref) -> tuple[str, int]:
    return ("obj", ref.obj)


__all__ = [
    "KEYS",
    "begins",
    "count_of",
    "filled",
    "forget",
    "has",
    "loosen",
    "note",
    "note_all",
    "rows_of",
    "start",
    "uncounted",
]
