"""All items of a list that one loop has put together, at once.

*Claim.* Where a list was filled by one loop and by nothing else, an access to each of its items is one to every turn of
that loop. *Why that suffices.* Item `i` is what turn `i` has put, so what the items say with the turn as a number they
say for each number below the length. *What it gives up.* Items that name the turn in more than one axis, or anywhere
but as one place: then the access is as the item has it, to some turn.

    parts = [empty(m) for _ in range(n)]       one buffer n x m; the item is [i, :]
    all_gather(parts, x)                       writes [0:n, :]
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from allocsafe.flow.values import Array, Ref, Value
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin

if TYPE_CHECKING:
    from collections.abc import Hashable

    from allocsafe.flow.machine import Machine


def item_of_all(m: Machine, ref: Ref, name: Hashable, value: Value) -> Value:
    """What a cell of a list holds, as all items of the list."""
    if not (isinstance(name, tuple) and name[0] == "at" and isinstance(value, Array) and value.view.box is not None):
        return value
    term = name[1]
    if not isinstance(term, Lin) or len(term.terms) != 1 or term.terms[0][1] != 1 or value.view.frame is not None:
        return value
    turn = term.terms[0][0]
    if any(t.loop.var == turn for t in m.turns):
        return value  # the loop is at it
    others = [n for n, _ in m.state.cells.of(("obj", ref.obj)) if isinstance(n, tuple) and n != name]
    if any(n[0] in ("item", "at", "some", "key", "carried") for n in others):
        return value
    from allocsafe.flow.containers import list_length

    size = list_length(m, ref)
    places = [k for k, axis in enumerate(value.view.box) if turn in _symbols(axis)]
    if size is None or len(places) != 1:
        return value
    at = places[0]
    axis = value.view.box[at]
    here = Lin.of(turn)
    if axis.start != here or axis.stops != (here + 1,) or axis.step != 1:
        return value
    first = Lin.of(-term.const)
    box = (*value.view.box[:at], Axis(first, (first + size,)), *value.view.box[at + 1 :])
    return replace(value, view=replace(value.view, box=box))


def _symbols(axis: Axis) -> set[object]:
    return {s for lin in (axis.start, *axis.stops) for s in lin.all_syms()}


__all__ = ["item_of_all"]
