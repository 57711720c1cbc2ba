"""Counters that only grow: what lies before their first value is out of their reach in every turn.

*Claim.* Where each turn of a loop adds something to a number, and nothing is subtracted in it, the number is at no turn
below what it was before the loop. A step that is made of lengths nobody knows is taken as not negative, and the verdict
lists that. *Why that suffices.* It is used for writes that may have happened only: it takes elements away from what
they may have written, so it can turn `unknown` into `unsafe`, and never anything into `safe`. *What it gives up.* Steps
that subtract, and numbers that a branch sets anew.

    start = 1                           start           written
    for i in range(n):
        x[start : start + l[i]] = 0     1 + ...         somewhere in [1:]
        start += l[i]
    use(x)                                              [0] by nobody
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from allocsafe.flow.machine import Machine
from allocsafe.regions.box import Axis, Box
from allocsafe.regions.exprs import Lin, Sym, is_nonneg, sym


def note(m: Machine, counter: Sym, before: Lin, steps: Sequence[Lin | None]) -> None:
    """Remembers a counter, if what each way through a turn adds to it is a sum of counts."""
    known = [step for step in steps if step is not None and counter not in step.all_syms()]
    if len(known) < len(steps) or not all(_count(step) for step in known):
        return
    m.floors[counter] = before
    if not all(step.nonneg() for step in known):
        m.assumed.setdefault(f"{counter.name} never shrinks", set()).add(counter)


def _count(step: Lin) -> bool:
    """Whether the step is not negative as long as the lengths in it are at least one."""
    plain = {
        s: Lin.of(sym(("count of", s), s.name, nonneg=True, table=s.table)) + 1
        for s in step.all_syms()
        if s.defn is None
    }
    return step.substitute(plain).nonneg()


def widened(m: Machine, box: Box | None, shape: tuple[Lin, ...] | None, turning: Iterable[Sym]) -> Box | None:
    """The box without the bounds that other turns have otherwise: from the least a start can be, to the last element.
    None where nothing of it stays.
    """
    if box is None or shape is None or len(shape) != len(box):
        return None
    loops = set(turning)

    def moves(lin: Lin) -> bool:
        return bool(m.born_of(lin)) or any(s in loops or _is_turn(s) for s in lin.all_syms())

    out: list[Axis] = []
    for axis, size in zip(box, shape, strict=True):
        if moves(size):
            return None
        stay = tuple(stop for stop in axis.stops if not moves(stop))
        loose = moves(axis.start)
        out.append(
            Axis(_least(m, axis.start, moves) if loose else axis.start, stay or (size,), 1 if loose else axis.step)
        )
    return tuple(out)


def _least(m: Machine, start: Lin, moves: Callable[[Lin], bool]) -> Lin:
    """A number that no turn's value of `start` is below, and that does not change from turn to turn."""
    for _ in range(3):  # a counter may begin at that of the loop around
        raised = {
            s: m.floors[s] + Lin.of(sym(("grown", s), s.name, nonneg=True)) for s in start.all_syms() if s in m.floors
        }
        if not raised:
            break
        start = start.substitute(raised)
    grown = {s for s in start.all_syms() if isinstance(s.key, tuple) and s.key[0] == "grown"}
    stay = Lin.of(start.const)
    for s, factor in start.terms:
        if moves(Lin.of(s)) or not grown.isdisjoint(s.deps()):
            if factor < 0 or not is_nonneg(s):
                return Lin.of(0)
        else:
            stay = stay + Lin.of(s) * factor
    return stay if stay.nonneg() else Lin.of(0)


def past(m: Machine, box: Box | None) -> bool:
    """Whether a box names a turn of a loop that is over: one of them, nobody knows which."""
    if box is None:
        return False
    now = {turn.loop.var for turn in m.turns}
    return any(
        _is_turn(s) and s not in now for axis in box for lin in (axis.start, *axis.stops) for s in lin.all_syms()
    )


def _is_turn(s: Sym) -> bool:
    return isinstance(s.key, tuple) and bool(s.key) and s.key[0] == "loop"


__all__ = ["note", "past", "widened"]
