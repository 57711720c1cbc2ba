"""What one turn of a loop leaves for the next.

*Claim.* At the head of a turn every cell holds all that it can hold there: what it held before the loop, or what some
earlier turn left. *Why that suffices.* The walk that counts starts from there, so it meets every array that a turn
can find, also one that came round through other names, containers or objects. *What it gives up.* What came round is
one of several values, nobody knows which; what grows from turn to turn in a way that two trial walks do not settle
(a chain of pairs, a list of lists) is let go: its arrays escape at the head of the loop.

    a, b, c = zeros, zeros, empty      a                          turns walked
    for _ in range(k):                 zeros                      1st trial
        use(a)                         zeros or b's               2nd trial: a new one
        a, b, c = b, c, a              zeros, b's or c's          3rd trial: nothing new; the walk that counts

A variable that every turn assigns before it reads it is not carried: `exposed` names the others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from allocsafe.flow.cells import Cell, Cells, differing
from allocsafe.flow.conditions import TRUE, Condition
from allocsafe.flow.state import State, choose, plain
from allocsafe.flow.values import (
    Alts,
    Array,
    Closure,
    Const,
    Known,
    Method,
    Num,
    Opaque,
    Partial,
    Ref,
    Truth,
    TupleOf,
    Value,
    View,
    Zipped,
)
from allocsafe.flow.views import some_of
from allocsafe.ir import nodes as ir

if TYPE_CHECKING:
    from allocsafe.flow.buffers import Turn
    from allocsafe.flow.machine import Machine

REFLECTIVE = frozenset({"locals", "eval", "exec", "vars", "globals"})
MOST_ROUNDS = 3
"""Trial walks that may still find something new."""
WHOLE = some_of(View(None, None, None))
Sign: TypeAlias = tuple[Hashable, ...]
CARRIED = ("carried", 0)
"""The cell of a container for what earlier turns put in, while a turn is walked. It is gone behind the loop."""


# ---------------------------------------------------------------- which variables the next turn can see


def exposed(block: ir.Block, function: ir.Function) -> frozenset[str] | None:
    """The local names that a walk of the block may read before it assigns them; None: any."""
    if function.names & REFLECTIVE:
        return None
    out: set[str] = set()
    _flow(block, set(), out)
    return frozenset(out) | _inner_names(function.body)


def _inner_names(block: ir.Block) -> frozenset[str]:
    """Names that functions made in the block use, or that something in it takes the address of."""
    out: frozenset[str] = frozenset()
    for step in block:
        if isinstance(step, ir.MakeFunction):
            out |= step.function.names
        elif isinstance(step, ir.AddressOf) and step.name is not None:
            out |= {step.name}
        for inner in _blocks(step):
            out |= _inner_names(inner)
    return out


def _blocks(step: ir.Step) -> Iterator[ir.Block]:
    for name in ("test", "then", "body", "update", "orelse", "final"):
        inner = getattr(step, name, None)
        if isinstance(inner, tuple):
            yield inner
    for handler in getattr(step, "handlers", ()):
        yield handler.body


def _flow(block: ir.Block, assigned: set[str], out: set[str]) -> set[str] | None:
    """Names surely assigned behind the block (None: nothing comes by there); what is read before goes to `out`."""
    for step in block:
        if isinstance(step, ir.Load):
            if step.scope == "local" and step.name not in assigned:
                out.add(step.name)
        elif isinstance(step, ir.Store):
            if step.scope == "local":
                assigned.add(step.name)
        elif isinstance(step, ir.Delete):
            assigned.discard(step.name)
        elif isinstance(step, ir.Escape):
            out.update(name for name in step.names if name not in assigned)
        elif isinstance(step, (ir.Return, ir.Raise, ir.Break, ir.Continue)):
            return None
        elif isinstance(step, ir.If):
            arms = [_flow(arm, set(assigned), out) for arm in (step.then, step.orelse)]
            live = [arm for arm in arms if arm is not None]
            if not live:
                return None
            assigned = set.intersection(*live)
        else:
            for inner in _blocks(step):  # may end early or not run at all
                _flow(inner, set(assigned), out)
    return assigned


class Live:
    """Which cells the next turn of a loop can see."""

    def __init__(self, m: Machine, block: ir.Block | None) -> None:
        self.frame = m.frame
        self.active = {frame.ident for frame in m.frames}
        self.names: frozenset[str] | None = None
        if block is not None:
            found = m.exposed.get(id(block))
            if found is None:
                found = m.exposed[id(block)] = (block, exposed(block, m.frame.function))
            self.names = found[1]

    def sees(self, cell: Cell, base: Cells) -> bool:
        owner, name = cell
        if owner == self.frame.ident:
            return self.names is None or name in self.names
        return not isinstance(owner, int) or owner in self.active or cell in base


# ---------------------------------------------------------------- what comes round


class Round:
    """The values that came round a loop, cell by cell, and the header that stands for them.

    Each trial walk makes buffers and objects of its own, so values of two walks are compared by `_signs`: what was
    there before the loop by its number, what a turn made by the place that made it.
    """

    def __init__(self, m: Machine, base: Cells, turn: Turn, live: Live, settle: Callable[[Value], Value]) -> None:
        self.m = m
        self.base = base
        self.turn = turn
        self.live = live
        self.settle = settle
        self.buffers = len(m.buffers)
        self.objects = len(m.objects)
        self.values: dict[Cell, dict[Value, None]] = {}
        self.signs: dict[Cell, set[Sign]] = {}
        self.lost: dict[Cell, None] = {}
        self.moving: dict[Cell, int] = {}  # views of one buffer that the caller follows: its number
        self.first: Condition | None = None

    def absorb(self, ends: list[State], *, last: bool) -> list[Cell]:
        """Takes in what trial turns left; the cells whose header has to change. `last`: what is new is let go."""
        news: dict[Cell, None] = {}
        for end in ends:
            ghosts: dict[int, None] = {}
            for cell, value in [(cell, end.cells[cell]) for cell in differing(self.base, end.cells)]:
                if not self.live.sees(cell, self.base) or self.made_here(cell[0]):
                    continue  # what a turn made comes along when something leads to it
                before = self.base.get(cell)
                at = self._at(cell, before)
                for part in _stored(value) if cell[1] == "computed" else (value,):
                    if self._take(at, part, end.cells, last=last):
                        news[at] = None
                        self._ghosts(part, end.cells, ghosts)
            for number in ghosts:
                for name, value in end.cells.of(("obj", number)):
                    self.values[(("obj", number), name)] = {self.settle(value): None}
                    news[(("obj", number), name)] = None
        return list(news)

    def made_here(self, owner: Hashable) -> bool:
        return isinstance(owner, tuple) and owner[0] == "obj" and owner[1] >= self.objects

    def _at(self, cell: Cell, before: Value | None) -> Cell:
        """What turns put into a container of before the loop is one cell: the places differ from walk to walk."""
        name = cell[1]
        if name == "computed" or (before is None and isinstance(name, tuple) and name[0] in ("some", "item", "at")):
            return (cell[0], CARRIED)
        return cell

    def _take(self, cell: Cell, value: Value, cells: Cells, *, last: bool) -> bool:
        """Whether the value is news for the cell."""
        settled = [self.settle(option) for option in _options(value)]
        signs = {sign for option in settled for sign in self._signs(option, cells, 3)}
        known = self.signs.get(cell)
        if known is None:
            before = self.base.get(cell)
            held = [] if before is None else _options(before)
            self.signs[cell] = {sign for option in held for sign in self._signs(option, self.base, 3)} | signs
            self.values[cell] = dict.fromkeys(settled)
            return True
        wandering = {sign[1] for sign in known if sign[0] == "whole"} | {self.moving.get(cell, -1)}
        signs -= {sign for sign in signs if sign[0] == "array" and sign[1] in wandering}
        if cell in self.lost or signs <= known:
            return False
        values = self.values[cell]
        if last or any(isinstance(v, TupleOf) and not plain(v) for v in settled):
            self.let_go(cell, [*values, *settled])
            return True
        for option in settled:
            same = [v for v in values if isinstance(v, Array) and isinstance(option, Array) and v.buf == option.buf]
            if isinstance(option, Array) and option not in values and same:  # a view that wanders is any of them
                for old in same:
                    del values[old]
                values[Array(option.buf, WHOLE)] = None
                known.add(("whole", option.buf))
            else:
                values[option] = None
        known |= signs
        return True

    def let_go(self, cell: Cell, values: list[Value]) -> None:
        """Nobody follows what the cell holds from turn to turn."""
        before = self.base.get(cell)
        held = [*values, *(_options(before) if before is not None else ())]
        older = [array for value in held for _, array in self.m.arrays(value) if array.buf < self.buffers]
        self.leave(list(older))  # those of a turn are let go when the turn that counts has ended
        self.lost[cell] = None
        self.values[cell] = {self.m.unknown("what the turn before left"): None}

    def leave(self, values: list[Value]) -> None:
        """The arrays in the values are handed to a later turn that will not be recognised."""
        from allocsafe.flow.memory import escape

        line = self.turn.line
        span = self.m.frame.function.span._replace(line=line, column=1, end_line=line, end_column=1)
        why = "carried from turn to turn in a way that is not followed"
        escape(self.m, values, span, why, "alias", "a loop whose turns do not build on what the turn before left")

    def settle_lost(self, cells: Cells) -> None:
        """At the end of the turn that counts: its own arrays are let go, too."""
        for owner, name in self.lost:
            held = [v for n, v in cells.of(owner) if self._at((owner, n), self.base.get((owner, n)))[1] == name]
            self.leave(held)

    def forget(self, cells: Cells) -> None:
        """Behind the loop a container's own cells say what it holds."""
        for cell in self.values:
            if cell[1] == CARRIED:
                if cell in self.base:
                    cells[cell] = self.base[cell]
                else:
                    cells.forget(cell)

    def header(self, cell: Cell) -> Value | None:
        """What the cell holds at the head of a turn; None for what is a number or the like before and after."""
        m = self.m
        before = self.base.get(cell)
        values = list(self.values[cell])
        if self.made_here(cell[0]):
            return self._one_of(values)
        held = [] if before is None else _options(before)
        if cell[1] != CARRIED and all(_scalar(v) for v in [*values, *held]):
            if before is None:
                return self._vague(str(cell[1][-1] if isinstance(cell[1], tuple) else cell[1]))
            return None
        if self.first is None:
            key = ("first", self.turn.id)
            m.born_keys[key] = frozenset({self.turn.id})
            self.first = m.decide(key, "this is the first turn", "unknown")
        start = before if before is not None else m.unknown(str(cell[1]))
        left = self._one_of(values)
        return choose(m.conds, [(self.first, start), (m.conds.no(self.first), left)]) or left

    def _one_of(self, values: list[Value]) -> Value:
        """One of the values, another one in every turn."""
        m = self.m
        held = [v for v in values if not plain(v)]
        if len(held) < len(values) and len(values) > 1:
            held.append(self._vague("a value"))
        values = held or values
        rest = TRUE
        options: list[tuple[Condition, Value]] = []
        for number, value in enumerate(values[:-1]):
            key = ("left", m.fresh())
            m.born_keys[key] = frozenset({self.turn.id})
            asked = m.decide(key, f"value {number} of what earlier turns left", "unknown")
            options.append((m.conds.both(rest, asked), value))
            rest = m.conds.both(rest, m.conds.no(asked))
        return choose(m.conds, [*options, (rest, values[-1])]) or values[-1]

    def _vague(self, text: str) -> Value:
        key = ("turn", self.m.fresh())
        self.m.born_keys[key] = frozenset({self.turn.id})
        return Opaque(key, text)

    # ------------------------------------------------------------ the same value again?

    def _signs(self, value: Value, cells: Cells, depth: int) -> Iterator[Sign]:
        if isinstance(value, Array):
            if value.buf < self.buffers:
                yield ("array", value.buf, value.view)
            else:
                buffer = self.m.buffers[value.buf]
                yield ("made", buffer.site, buffer.stack)
        elif isinstance(value, Ref):
            if value.obj < self.objects:
                yield ("object", value.obj)
            else:
                info = self.m.objects[value.obj]
                yield ("object", info.span, info.kind, info.cls)
                for _, held in cells.of(("obj", value.obj)) if depth else ():
                    yield from self._signs(held, cells, depth - 1)
        elif isinstance(value, TupleOf) and plain(value):
            kinds: list[Hashable] = [v if isinstance(v, (Const, Known)) else type(v).__name__ for v in value.items]
            yield ("plain", *kinds)
        elif isinstance(value, Known):
            yield ("plain", value)
        elif isinstance(value, TupleOf):
            yield ("tuple", depth, len(value.items))
            for item in value.items if depth else ():
                yield from self._signs(item, cells, depth - 1)
        elif isinstance(value, Alts):
            for option in _options(value):
                yield from self._signs(option, cells, depth)
        elif isinstance(value, (Method, Partial, Zipped, Closure)):
            yield ("other", type(value).__name__)
            for held in self.m.behind(value) if depth else ():
                yield from self._signs(held, cells, depth - 1)

    def _ghosts(self, value: Value, cells: Cells, out: dict[int, None]) -> None:
        """Objects of a trial turn that the value leads to."""
        for option in _options(value):
            if isinstance(option, Ref) and option.obj >= self.objects and option.obj not in out:
                out[option.obj] = None
                for _, held in cells.of(("obj", option.obj)):
                    self._ghosts(held, cells, out)
            elif isinstance(option, TupleOf):
                for item in option.items:
                    self._ghosts(item, cells, out)


def _stored(computed: Value) -> list[Value]:
    """The values among the rows of a dict's computed keys."""
    rows = [row for option in _options(computed) if isinstance(option, TupleOf) for row in option.items]
    return list(dict.fromkeys(row.items[1] for row in rows if isinstance(row, TupleOf)))


def _options(value: Value) -> list[Value]:
    return [option for _, option in value.options] if isinstance(value, Alts) else [value]


def _scalar(value: Value) -> bool:
    return isinstance(value, (Num, Opaque, Truth, Const))
