"""One question that is asked twice and may be one: of two items (`if live[i]` of the loop that writes, `if live[j]` of
the one that reads), or of one value before and after something that may have changed it.

*Claim.* `alike` names the questions of a path that read the same but for the turn or the version, and that the path
answers differently. *Why that suffices.* What is written under `live[i]` and read under `live[j]` is read where it was
written if `i == j`; what an unseen call may have changed, it mostly has not. A path that says no to the one and yes to
the other is about two items, or about a change that nobody saw. *What it gives up.* Whether there are two after all: a
path with such a pair is no evidence.

    for i in range(n):
        if live[i]: x[i] = 0        no
    for j in range(n):
        if live[j]: use(x[j])       yes: of another item, whose element was written
"""

from __future__ import annotations

from collections.abc import Hashable

from allocsafe.flow.conditions import Atom, Conditions
from allocsafe.regions.exprs import Lin, Sym

DEPTH = 10
"""How deep keys are compared; below that, they count as the same."""


ASKS = ("truth", "ge", "eq", "cmp", "in")
"""What questions about values begin with."""


def alike(conds: Conditions, cube: dict[int, bool]) -> list[Atom]:
    """The questions of the cube that others of it ask, too, with another answer."""
    forms = {i: _form(conds.atoms[i]) for i in cube if conds.atoms[i].kind == "branch"}
    said: dict[Hashable, set[bool]] = {}
    for i, form in forms.items():
        said.setdefault(form, set()).add(cube[i])
    return [conds.atoms[i] for i, form in forms.items() if form is not None and len(said[form]) > 1]


def _form(atom: Atom) -> Hashable:
    """A question without what tells turns and versions apart; None for one that is not about a value."""
    if not isinstance(atom.key, tuple) or atom.key[0] not in ASKS:
        return None
    number = atom.lin if atom.lin is not None else atom.zero
    if number is not None:  # a turn's own number is no item: of that, regions know
        return (atom.key[0], number.const, *sorted((str(_own(s)), coef) for s, coef in number.terms))
    key = _of_key(atom.key, DEPTH)
    return (key, atom.text) if "fresh" in str(key) else key


def _own(symbol: Sym) -> Hashable:
    is_turn = isinstance(symbol.key, tuple) and symbol.key[:1] == ("loop",)
    return symbol.key if is_turn else _of_key(symbol.key, DEPTH)


def _of_key(key: Hashable, depth: int) -> Hashable:
    if isinstance(key, Lin):
        if not depth:
            return "number"
        return (key.const, *sorted((str(_of_key(s.key, depth - 1)), coef) for s, coef in key.terms))
    if isinstance(key, tuple):
        if key[:1] == ("loop",):
            return "turn"
        return tuple(_of_key(part, depth - 1) for part in key) if depth else "more"
    return "number" if isinstance(key, int) and not isinstance(key, bool) else key


__all__ = ["alike"]
