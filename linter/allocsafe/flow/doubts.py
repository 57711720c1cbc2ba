"""Values that code out of the walk may replace: attributes, class values and globals that somebody assigns.

*Claim.* At each entry point such a cell holds what the walk gave it, or a value that nobody knows; which of the two is
a question of that entry point alone. *Why that suffices.* Between two entry points anybody may assign it, so a branch
that one of them took says nothing of the branch that the next one takes. *What it gives up.* Two methods that ask the
same flag no longer agree, if a method that is not walked assigns the flag.

    def make(self):                     self.on is what it was at the start, or not: a
        if self.on: self.x = empty(n)
    def read(self):                     the same question, another answer: b
        if not self.on: use(self.x)     a and not b
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.cells import Cell
from allocsafe.flow.presence import KEYS
from allocsafe.flow.state import choose
from allocsafe.flow.values import Opaque, Value

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine


class Doubt(NamedTuple):
    """What the walk gave a cell, and what the cell was last taken to hold. `key`, `other`: the names of the question
    and of the unknown value.
    """

    key: tuple[Hashable, ...]
    text: str
    held: Value
    other: tuple[Hashable, ...]
    put: Value | None = None


def doubt(m: Machine, cell: Cell, key: tuple[Hashable, ...], text: str, other: tuple[Hashable, ...]) -> None:
    """From here on the cell may hold another value than it does."""
    held = m.state.cells[cell]
    m.doubts[cell] = Doubt(key, text, held, other)
    _put(m, cell, held, 0)


def again(m: Machine) -> None:
    """The same at the next entry point, for what the walk has not assigned since, and for what it has."""
    for cell, what in list(m.doubts.items()):
        value = m.state.cells.get(cell)
        if value is not None:
            _put(m, cell, what.held if value == what.put else value, m.phase)


def _put(m: Machine, cell: Cell, value: Value, at: int) -> None:
    what = m.doubts[cell]
    kept = m.decide(("initial", *what.key, at), f"{what.text} still has its first value", "order")
    other = Opaque((*what.other, at) if at else what.other, what.text)
    put = choose(m.conds, [(kept, value), (m.conds.no(kept), other)]) or value
    m.state.cells[cell] = put
    m.doubts[cell] = what._replace(put=put)
    if cell[1] == KEYS and isinstance(cell[0], tuple):  # and then it has items that others stored
        m.lasting[cell[0][1]] = m.conds.no(kept)
        m.versions[cell[0]] = m.fresh()


__all__ = ["Doubt", "again", "doubt"]
