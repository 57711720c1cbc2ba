"""Calls of known operators with arguments that are unpacked, and nobody knows what is in them.

*Claim.* Unpacked positional arguments go to the operator's star parameter if it has one, as one value that nobody
knows; else no place behind them is known, and the result is a view or a copy of what the call surely works on, of
unknown geometry. *Why that suffices.* What an operator may do with its memory does not hang on the values it gets, but
which elements it does it to does. *What it gives up.* Coordinates: a write through such a view is of some of the
elements, a read of all of them.

    torch.empty(*shape)         an allocation of unknown rank
    x.view(*sizes)              x, in coordinates nobody knows
    x.sum(*dims)                reads x
    torch.cat(*args)            whatever is in args: out of sight from here on
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocsafe.flow.memory import holds_array
from allocsafe.flow.values import Num, TupleOf, Value

if TYPE_CHECKING:
    from allocsafe.effects.summary import Summary
    from allocsafe.flow.machine import Machine

LOST = "unpacked"
"""In the place of a special: this module's name for a geometry that nobody knows."""

PLAIN = frozenset({"", "same", "data"})
"""Specials that keep every coordinate, whatever the other arguments say."""


class Unpacked(list[Value]):
    """The values that a call unpacks in the dark. `placed`: none of them by position, so the others keep theirs."""

    placed = True


def by_position(loose: list[Value]) -> bool:
    """Whether some of these arguments have a place that nobody knows."""
    return bool(loose) and not (isinstance(loose, Unpacked) and loose.placed)


def into_star(m: Machine, summary: Summary, bound: dict[str, Value], loose: list[Value]) -> bool:
    """Binds unpacked positional arguments to the parameter that takes any number; whether there is one."""
    for param in summary.params:
        if param.kind == "star":
            given = bound.get(param.name)
            placed = given.items if isinstance(given, TupleOf) else ()
            one = loose[0] if len(loose) == 1 and not placed else m.unknown("sizes")
            nothing = Num(m.lin(0)) in (*placed, *loose)  # one length of zero, and there is no element
            bound[param.name] = TupleOf((Num(m.lin(0)), one) if nothing else (one,))
            return True
        if param.kind == "positional" and param.name not in bound:
            return False
    return False


def geometry(m: Machine, summary: Summary, bound: dict[str, Value], loose: list[Value]) -> Summary | None:
    """The operator as far as its result is known beside such arguments; None where the result is anything."""
    kind, special = summary.result.kind, summary.special
    if kind in ("new", "none", "meta"):
        return summary
    taken = by_position(loose) and any(p.kind == "star" for p in summary.params if p.name in bound)
    if kind in ("alloc", "filled"):
        return summary
    subject = bound.get(summary.result.param) if summary.result.param else None
    if subject is None or not holds_array(m, subject):
        return None
    if taken or special in PLAIN:
        return summary
    return None if kind == "=" else summary._replace(special=LOST)
