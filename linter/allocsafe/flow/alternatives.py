"""Numbers that a branch chose: a size or a bound with two values is two cases, not an unknown one.

*Claim.* `per_case` walks an operation once for each alternative of the numbers in its arguments, each on its own path.
*Why that suffices.* Alternatives exclude each other, so in each case the number is exact, and other numbers that the
same branch chose are narrowed with it. *What it gives up.* More than `MOST` cases of one operation: then the numbers
are unknown, as they were.

    k = 1 if c else 2           x[k:] with c        x[k:] without
    x[k:] = 0                   written [1:n]       written [2:n]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from allocsafe.flow.conditions import Condition
from allocsafe.flow.machine import Machine
from allocsafe.flow.state import under
from allocsafe.flow.values import NONE, Alts, Num, Opaque, TupleOf, Value
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin

MOST = 6
"""Cases of one operation. Two numbers of two alternatives that know nothing of each other are four."""


def per_case(
    m: Machine,
    values: Sequence[Value],
    act: Callable[[list[Value]], Value],
    most: int = MOST,
    kinds: tuple[type, ...] = (Num,),
) -> Value:
    """`act` of the values without alternatives among their numbers, joined over the cases. `kinds`: one of the
    alternatives is of these.
    """
    chosen = next((c for v in values if (c := _choice(v, kinds)) is not None and len(c.options) <= most), None)
    if chosen is None:
        return act(list(values))
    left = most // len(chosen.options)

    def case(option: Value) -> Value:
        return per_case(m, [_narrowed(m, v, chosen, option) for v in values], act, left, kinds)

    return m.each(chosen, case)


def per_index(m: Machine, idx: ir.Index, act: Callable[[], Value], most: int = MOST) -> Value:
    """`act` with every number of the index one of its alternatives, joined over the cases."""
    for item in idx.items:
        for reg in (item.reg,) if isinstance(item, ir.At) else (item.lo, item.hi, item.step):
            if reg is None:
                continue
            kept = m.get(reg)
            chosen = _choice(kept)
            if chosen is None or len(chosen.options) > most:
                continue

            def case(option: Value, reg: ir.Reg = reg, kept: Value = kept, chosen: Alts = chosen) -> Value:
                m.put(reg, _narrowed(m, kept, chosen, option))
                return per_index(m, idx, act, most // len(chosen.options))

            before = m.frame.regs.get(reg)
            out = m.each(chosen, case)
            if before is not None:
                m.put(reg, before)
            return out
    return act()


def as_chosen(m: Machine, value: Value) -> Lin | None:
    """The integer that `value` is; alternatives are one symbol, which stands for whichever was chosen."""
    if not isinstance(value, Alts):
        return m.as_lin(value)
    options = [m.as_lin(v) if isinstance(v, (Num, Opaque)) else None for _, v in value.options]
    if any(lin is None for lin in options):
        return None
    known = [lin for lin in options if lin is not None]
    made = m.symbol(("chosen", value), " or ".join(str(lin) for lin in known), nonneg=all(x.nonneg() for x in known))
    m.chosen.setdefault(made.terms[0][0], tuple((cond, x) for (cond, _), x in zip(value.options, known, strict=True)))
    for s in made.syms():  # it changes in the turns in which the branch, or what it chose, does
        born = frozenset(t for cond, _ in value.options for i in m.conds.support(cond) for t in m.conds.atoms[i].born)
        born = born.union(*(m.born_of(lin) | _turning(m, lin) for lin in known))
        if born:
            m.born[s] = m.born.get(s, frozenset()) | born
    return made


def facts_of(m: Machine, world: Condition) -> tuple[Lin, ...]:
    """What a set of paths says about the numbers that branches chose."""
    out: list[Lin] = []
    for s, options in m.chosen.items():
        taken = next((lin for cond, lin in options if m.conds.implies(world, cond)), None)
        if taken is not None:
            out += [Lin.of(s) - taken, taken - Lin.of(s)]
    return tuple(out)


def _turning(m: Machine, lin: Lin) -> frozenset[int]:
    return frozenset(turn.id for turn in m.turns if turn.loop.var in lin.all_syms())


def _choice(value: Value, kinds: tuple[type, ...] = (Num, Opaque), depth: int = 2) -> Alts | None:
    """The first alternatives of a number among what `value` is made of."""
    if isinstance(value, Alts):
        plain = all(isinstance(v, (Num, Opaque)) or v == NONE for _, v in value.options)
        return value if plain and any(isinstance(v, kinds) for _, v in value.options) else None
    if isinstance(value, TupleOf) and depth:
        return next((found for v in value.items if (found := _choice(v, kinds, depth - 1)) is not None), None)
    return None


def _narrowed(m: Machine, value: Value, chosen: Alts, option: Value) -> Value:
    """`value` with one of its alternatives taken, and the others as this path sees them."""
    if value == chosen:
        return option
    if isinstance(value, Alts):
        return under(m.conds, value, m.state.path) or value
    if isinstance(value, TupleOf):
        return TupleOf(tuple(_narrowed(m, v, chosen, option) for v in value.items))
    return value


__all__ = ["as_chosen", "facts_of", "per_case", "per_index"]
