"""Values in the place of too many alternatives: what they are hangs together with the path that chose them.

*Claim.* `entangled` names the questions of a path that are about such a value and that the rest of the path may have
answered already, `placed` says whether a write's place is such a value. *Why that suffices.* The branches that chose
the value are known; a path that asks none of them may find either answer. *What it gives up.* Which answer it is: a
path with such a question is no evidence.

    v = 0 if m == 0 else 1 if m == 1 else 2 if m == 2 else 3 if m == 3 else -1        some value, chosen by m == ...
    if v >= 0: ...                                                                    not free where m == 3
"""

from __future__ import annotations

from collections.abc import Hashable

from allocsafe.flow.conditions import Atom, Conditions
from allocsafe.regions.box import Box
from allocsafe.regions.exprs import Lin


def entangled(conds: Conditions, cube: dict[int, bool]) -> list[Atom]:
    """The questions of the cube about values that others of its questions chose."""
    if not conds.mixed:
        return []
    return [conds.atoms[i] for i in cube if _chosen_by(conds, i) & (cube.keys() - {i})]


def placed(conds: Conditions, box: Box | None, cube: dict[int, bool]) -> bool:
    """Whether questions of the cube chose where the box begins or ends."""
    found: set[int] = set()
    for axis in box or ():
        for bound in (axis.start, *axis.stops):
            if bound.terms:
                _look(conds, bound, found, 8)
    return bool(found & cube.keys())


def _chosen_by(conds: Conditions, index: int) -> frozenset[int]:
    found: set[int] = set()
    _look(conds, conds.atoms[index].key, found, 8)
    return frozenset(found)


def _look(conds: Conditions, key: Hashable, found: set[int], depth: int) -> None:
    """Adds what chose the values that a key mentions."""
    if isinstance(key, Lin):
        for s in key.all_syms():
            _look(conds, s.key, found, depth - 1)
        return
    if not isinstance(key, tuple) or not depth:
        return
    found |= conds.mixed.get(key, frozenset())
    for part in key:
        if isinstance(part, (tuple, Lin)):
            _look(conds, part, found, depth - 1)


__all__ = ["entangled", "placed"]
