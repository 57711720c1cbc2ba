"""`max(e, 0)` and `min(e, 8)`: an expression is not written for one value only.

*Claim.* Where the source takes the larger or the smaller of an expression and a constant, both happen in some run: the
call is a branch, `e if e > 0 else 0`, and of a branch both arms count as real. If `e` never won, the whole call would
be that constant. *Why that suffices.* A hole that closes only when `e` loses is there in the runs in which it wins.
*What it gives up.* Between two expressions either may be there for caution alone, so nothing is said; and what a slice
clamps by itself is no call of the source.

    x = empty(n)                hole
    x[max(n - m, 0):] = 0       [0:n - m], unless m >= n; the call says that n > m happens
"""

from __future__ import annotations

from collections.abc import Iterable

from allocsafe.flow.machine import Machine
from allocsafe.regions.exprs import Lin, Sym


def note(m: Machine, operands: Iterable[Lin], result: Lin) -> None:
    """Remembers what a call of `max` or `min` made, if all of its operands but one are constants."""
    if sum(bool(each.terms) for each in operands) == 1:
        m.extremes |= {s for s, _ in result.terms if _parts(s) is not None}


def wins(m: Machine, mentioned: Iterable[Lin]) -> tuple[Lin, ...]:
    """That the expression wins, for every such call in these bounds."""
    out: dict[Lin, None] = {}
    for s in dict.fromkeys(s for lin in mentioned for s in lin.all_syms()):
        parts = _parts(s) if s in m.extremes else None
        if parts is not None:
            gap = parts[0] - parts[1]
            out[(gap if s.defn is not None and s.defn[0] == "max" else -gap) - 1] = None
    return tuple(out)


def _parts(s: Sym) -> tuple[Lin, Lin] | None:
    """The expression and the constant."""
    if s.defn is None or s.defn[0] not in ("max", "min"):
        return None
    a, b = s.defn[1], s.defn[2]
    return (a, b) if not b.terms else (b, a) if not a.terms else None


__all__ = ["note", "wins"]
