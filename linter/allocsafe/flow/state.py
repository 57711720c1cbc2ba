"""The store of one point of the program: a path condition, and cells.

Everything that can be assigned is a cell: `(frame, name)` for variables, `(object, "attribute")`, `(object, key)` for
dict items. A branch walks each arm on its own copy; `merge` keeps what both agree on and tags the rest with the
condition of its arm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from allocsafe.flow.conditions import FALSE, TRUE, Condition, Conditions
from allocsafe.flow.values import NONE, Alts, Const, Known, Num, Opaque, RangeOf, Truth, TupleOf, Value

Cell = tuple[Hashable, Hashable]


class State:
    """A path condition and the cells that hold there. Copying is a dict copy."""

    __slots__ = ("cells", "path")

    def __init__(self, path: Condition = TRUE, cells: dict[Cell, Value] | None = None) -> None:
        self.path = path
        self.cells: dict[Cell, Value] = {} if cells is None else cells

    def copy(self) -> State:
        return State(self.path, dict(self.cells))


def alternatives(value: Value) -> tuple[tuple[Condition, Value], ...]:
    """The options of a value; a plain one has itself under TRUE."""
    return value.options if isinstance(value, Alts) else ((TRUE, value),)


def choose(conds: Conditions, options: list[tuple[Condition, Value]]) -> Value | None:
    """One value for guarded options: equal ones are joined, impossible ones dropped. None when nothing is left."""
    joined: dict[Value, Condition] = {}
    for cond, value in options:
        if cond == FALSE:
            continue
        for inner, leaf in alternatives(value):
            both = conds.both(cond, inner)
            if both != FALSE:
                joined[leaf] = conds.either(joined[leaf], both) if leaf in joined else both
    if not joined:
        return None
    if len(joined) == 1:
        return next(iter(joined))
    return Alts(tuple((cond, value) for value, cond in joined.items()))


FEW = 4
"""Plain alternatives kept apart; more of them say less than one unknown value, and cost every later branch."""


def plain(value: Value) -> bool:
    """Whether nothing can be reached through a value: numbers, texts, truths, opaque things."""
    if isinstance(value, TupleOf):
        return all(plain(item) for item in value.items)
    return isinstance(value, (Num, Const, Truth, Opaque, Known, RangeOf))


def few(conds: Conditions, value: Value, fresh: Callable[[], Value]) -> Value:
    """`value`, or one unknown value in the place of many plain alternatives."""
    if not isinstance(value, Alts) or len(value.options) < 2:
        return value
    if not all(plain(option) for _, option in value.options):
        return value
    most = 2 * FEW if any(option == NONE for _, option in value.options) else FEW  # a later `is None` is worth more
    if len(value.options) <= most and all(len(conds.support(cond)) <= 2 * most for cond, _ in value.options):
        return value
    return fresh()


def under(conds: Conditions, value: Value, path: Condition) -> Value | None:
    """`value` as it is seen on `path`: options the path excludes are gone, tags the path implies too."""
    if not isinstance(value, Alts):
        return value
    left = []
    for cond, option in value.options:
        here = conds.both(cond, path)
        if here != FALSE:
            left.append((conds.within(cond, path), option))
    if not left:
        return None
    if len(left) == 1:
        return left[0][1]
    return Alts(tuple(left))


def merge(conds: Conditions, states: list[State], care: Condition) -> State:
    """One state for several that exclude each other. `care` is the path before they parted: tags are simplified under
    it.
    """
    live = [s for s in states if s.path != FALSE]
    if not live:
        return State(FALSE, dict(states[0].cells) if states else {})
    if len(live) == 1:
        return State(live[0].path, live[0].cells)
    path = FALSE
    for state in live:
        path = conds.either(path, state.path)
    first = live[0].cells
    out = dict(first)
    changed = set()
    for state in live[1:]:
        cells = state.cells
        for key, value in cells.items():
            mine = first.get(key)
            if mine is not value and (mine is None or mine != value):
                changed.add(key)
        if len(cells) != len(first):
            changed |= first.keys() - cells.keys()
    tags = [conds.within(s.path, care) for s in live]
    for key in changed:
        options = [(tag, s.cells[key]) for tag, s in zip(tags, live, strict=False) if key in s.cells]
        joined = choose(conds, options)
        if joined is None:
            out.pop(key, None)
        else:
            out[key] = few(conds, joined, conds.unknown) if conds.unknown is not None else joined
    return State(path, out)
