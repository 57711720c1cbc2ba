"""What one turn of a loop has put into a list, taken out again: as the item of another turn, or of nobody knows which.

*Claim.* `at_turn` gives what the turn numbered `to` has put, `some_turn` what some turn of a loop that is over has. Two
items are one value only if they are of one turn. *Why that suffices.* What changes from turn to turn is named after the
turn (the loop's variable, and everything born in it); each name is replaced by one for the turn that is asked for, or
by a fresh one. *What it gives up.* How the items hang together: that `b[0] <= b[1]`, or that a flag of an item goes
with its number.

    b = [int(x) for x in xs]
    b[0], b[1]                      two numbers; not one, and not the last one
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from allocsafe.flow.conditions import Condition
from allocsafe.flow.values import Alts, Array, Num, Opaque, Truth, TupleOf, Value
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin, Sym

if TYPE_CHECKING:
    from collections.abc import Hashable

    from allocsafe.flow.machine import Machine


def at_turn(m: Machine, value: Value, var: Sym, to: Lin) -> Value:
    """`value`, made in the turn `var` of its loop, as turn `to` has made it."""
    if to == Lin.of(var):
        return value
    turn = m.turn_of.get(var)
    return _Renamed(m, {var: to}, frozenset() if turn is None else frozenset((turn,)), to).value(value)


def some_turn(m: Machine, value: Value) -> Value:
    """`value` as one of the turns that are over has made it. An array is widened when it is looked into."""
    if isinstance(value, Array):
        return value
    now = {turn.id for turn in m.turns}
    over = frozenset(ident for ident in m.turn_of.values() if ident not in now)
    return _Renamed(m, {}, over, m.fresh()).value(value) if over else value


class _Renamed:
    """Replaces what was born in some turns. `to`: what stands for the turn in the new names."""

    def __init__(self, m: Machine, by: dict[Sym, Lin], turns: frozenset[int], to: Hashable) -> None:
        self.m, self.by, self.turns, self.to = m, by, turns, to

    def value(self, value: Value) -> Value:
        if isinstance(value, Num):
            return Num(self.number(value.lin))
        if isinstance(value, Array) and value.view.box is not None:
            box = tuple(Axis(self.number(a.start), tuple(map(self.number, a.stops)), a.step) for a in value.view.box)
            return replace(value, view=replace(value.view, box=box))
        if isinstance(value, TupleOf):
            return TupleOf(tuple(self.value(v) for v in value.items))
        if isinstance(value, Opaque):
            changes = self.by or self.m.born_in(value.key) & self.turns
            return Opaque(self.key(value.key), value.text) if changes else value
        if isinstance(value, Truth):
            return Truth(self.cond(value.cond))
        if isinstance(value, Alts):
            return self.options(value)
        return value

    def number(self, lin: Lin) -> Lin:
        by = dict(self.by)
        for s in lin.all_syms():
            if s not in by and (self.m.born.get(s, frozenset()) & self.turns or self.m.turn_of.get(s) in self.turns):
                by[s] = self.m.symbol(self.key(s.key), s.name, nonneg=s.nonneg)
        return lin.substitute(by) if by else lin

    def key(self, key: Hashable) -> Hashable:
        made = ("item", key, self.to)
        if not isinstance(self.to, Lin):
            self.m.note_born(made)
        return made

    def cond(self, cond: Condition) -> Condition:
        """Some answer, where the answer changed from turn to turn."""
        if not self.turning(cond):
            return cond
        key = self.key(("cond", cond))
        return self.m.decide(("truth", key), "an item of the list")

    def turning(self, cond: Condition) -> bool:
        return any(self.m.conds.atoms[i].born & self.turns for i in self.m.conds.support(cond))

    def options(self, value: Alts) -> Value:
        """One of the options: which one was chosen in one turn, and is chosen anew in another."""
        from allocsafe.flow.items import one_of
        from allocsafe.flow.state import choose

        made = [(cond, self.value(option)) for cond, option in value.options]
        if any(self.turning(cond) for cond, _ in made):
            return one_of(self.m, [option for _, option in made], "the list")
        return choose(self.m.conds, made) or value


__all__ = ["at_turn", "some_turn"]
