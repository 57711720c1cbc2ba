"""The store of one point of the program: a path condition, and cells.

Everything that can be assigned is a cell: `(frame, name)` for variables, `(object, "attribute")`, `(object, key)` for
dict items. A branch walks each arm on its own copy; `merge` keeps what both agree on and tags the rest with the
condition of its arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from allocsafe.flow.cells import Cell, Cells, differing, parted
from allocsafe.flow.conditions import FALSE, TRUE, Condition, Conditions
from allocsafe.flow.values import NONE, Alts, Const, Known, Num, Opaque, RangeOf, Truth, TupleOf, Value


class State:
    """A path condition and the cells that hold there. Copying is a dict copy."""

    __slots__ = ("cells", "path")

    def __init__(self, path: Condition = TRUE, cells: Mapping[Cell, Value] | None = None) -> None:
        self.path = path
        self.cells = cells if isinstance(cells, Cells) else Cells(cells or {})

    def copy(self) -> State:
        return State(self.path, self.cells.copy())


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
MANY_ATOMS = 48
"""Questions that the alternatives of one value may depend on, all in all. Past it each alternative is there or not,
nobody knows when: reads and writes through it are doubtful, so nothing is proved by them and no hole is shown by them.
"""


def plain(value: Value) -> bool:
    """Whether nothing can be reached through a value: numbers, texts, truths, opaque things."""
    if isinstance(value, TupleOf):
        return all(plain(item) for item in value.items)
    return isinstance(value, (Num, Const, Truth, Opaque, Known, RangeOf))


def few(conds: Conditions, value: Value, fresh: Callable[[], Value]) -> Value:
    """`value`, or fewer alternatives in the place of many: plain ones become one unknown value; what something can be
    reached through is kept, but which of it is there is left open.
    """
    if not isinstance(value, Alts) or len(value.options) < 2:
        return value
    most = 2 * FEW if any(option == NONE for _, option in value.options) else FEW  # a later `is None` is worth more
    held = [option for _, option in value.options if not plain(option)]
    if not held:
        if len(value.options) <= most and all(len(conds.support(cond)) <= 2 * most for cond, _ in value.options):
            return value
        return _mixed(conds, value.options, fresh)
    if len(value.options) <= 2 * FEW and sum(len(conds.support(cond)) for cond, _ in value.options) <= MANY_ATOMS:
        return value
    if conds.doubt is None:
        return value
    if len(held) < len(value.options):
        held.append(NONE if all(v == NONE or not plain(v) for _, v in value.options) else fresh())
    options: list[tuple[Condition, Value]] = []
    rest = TRUE
    for option in held[:-1]:
        asked = conds.doubt()
        options.append((conds.both(rest, asked), option))
        rest = conds.both(rest, conds.no(asked))
    return Alts((*options, (rest, held[-1])))


def _mixed(conds: Conditions, options: Sequence[tuple[Condition, Value]], fresh: Callable[[], Value]) -> Value:
    """A value in the place of all alternatives, which hangs together with what chose among them: it is true where one
    that is true was chosen.
    """
    value = fresh()
    if isinstance(value, Opaque):
        conds.mixed[value.key] = frozenset().union(*(conds.support(cond) for cond, _ in options))
        if conds.truth is not None and len(conds.mixed[value.key]) <= MANY_ATOMS:
            true = FALSE
            for cond, option in options:
                true = conds.either(true, conds.both(cond, conds.truth(option)))
            if len(conds.support(true)) <= FEW:
                conds.truths[value.key] = true
    return value


def choose_few(conds: Conditions, options: list[tuple[Condition, Value]], fresh: Callable[[], Value]) -> Value | None:
    """`few` of `choose`, without making the conditions of what is not kept apart anyway."""
    leaves = {leaf: None for cond, value in options if cond != FALSE for _, leaf in alternatives(value)}
    if len(leaves) > (2 * FEW if NONE in leaves else FEW) and all(plain(leaf) for leaf in leaves):
        flat = [(conds.both(cond, inner), leaf) for cond, value in options for inner, leaf in alternatives(value)]
        return _mixed(conds, flat, fresh)
    if len(leaves) == 1:
        return next(iter(leaves))
    joined = choose(conds, options)
    return None if joined is None else few(conds, joined, fresh)


def under(conds: Conditions, value: Value, path: Condition) -> Value | None:
    """`value` as it is seen on `path`: options the path excludes are gone."""
    if not isinstance(value, Alts) or path == TRUE:
        return value
    left = [(cond, option) for cond, option in value.options if conds.meets(cond, path)]
    if len(left) == len(value.options):
        return value
    if not left:
        return None
    return left[0][1] if len(left) == 1 else Alts(tuple(left))


def covers(conds: Conditions, value: Alts) -> bool:
    """Whether one of the alternatives is there on every path."""
    rest = TRUE
    for cond, _ in value.options:
        rest = conds.both(rest, conds.no(cond))
    return rest == FALSE


def merge(conds: Conditions, states: list[State], care: Condition, path: Condition | None = None) -> State:
    """One state for several that exclude each other. `care` is the path before they parted: tags are simplified under
    it. `path`: where one of them is, if that is known.
    """
    live = [s for s in states if s.path != FALSE]
    if not live:
        return State(FALSE, states[0].cells.copy() if states else None)
    if len(live) == 1:
        return State(live[0].path, live[0].cells)
    if path is None:
        path = FALSE
        for state in live:
            path = conds.either(path, state.path)
    met = parted([s.cells for s in live])
    first = live[0].cells
    out = first.copy()
    changed: dict[Cell, None] = {}
    for state in live[1:]:
        changed.update(dict.fromkeys(differing(first, state.cells)))
        maybe_gone = first if met is None else met[1]
        changed.update((key, None) for key in maybe_gone if key in first and key not in state.cells)
    tags = [conds.within(s.path, care) for s in live]
    for key in changed:
        options = [(tag, s.cells[key]) for tag, s in zip(tags, live, strict=False) if key in s.cells]
        joined = choose_few(conds, options, conds.unknown) if conds.unknown is not None else choose(conds, options)
        if joined is None:
            out.forget(key)
        else:
            out[key] = joined
    if met is not None:
        out.joins(*met)
    return State(path, out)
