"""The cells of one point of the program, with what each owner has.

*Claim.* `of(owner)` is every cell of that owner, in the order in which the names were first stored. *Why that
suffices.* Whoever follows a value through the heap asks for the cells of one object; looking through all cells for
them made every question cost the whole heap. *What it gives up.* The names of an owner are shared by all copies and
never forgotten, so a question also looks at names that only another path has stored: a miss in a dict each.

    cells     {(o, a): 1, (p, b): 2}      a copy is a dict copy
    names     {o: {a}, p: {b, c}}         one for all copies; c was stored on another path
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from allocsafe.flow.values import Value

Cell = tuple[Hashable, Hashable]


class Cells(dict[Cell, Value]):
    """A dict of cells that finds those of one owner without a search."""

    __slots__ = ("names",)

    def __init__(self, cells: Mapping[Cell, Value] | Iterable[tuple[Cell, Value]] = ()) -> None:
        dict.__init__(self, cells)
        self.names: dict[Hashable, dict[Hashable, None]]
        if isinstance(cells, Cells):
            self.names = cells.names
        else:
            self.names = {}
            for owner, name in self:
                self.names.setdefault(owner, {})[name] = None

    def __setitem__(self, cell: Cell, value: Value) -> None:
        if cell not in self:
            self.names.setdefault(cell[0], {})[cell[1]] = None
        dict.__setitem__(self, cell, value)

    def copy(self) -> Cells:
        return Cells(self)

    def of(self, owner: Hashable) -> list[tuple[Hashable, Value]]:
        """The names of an owner's cells with what they hold."""
        return [(name, self[(owner, name)]) for name in self.names.get(owner, ()) if (owner, name) in self]

    def drop(self, owner: Hashable) -> None:
        """Takes all cells of an owner away."""
        for name in self.names.get(owner, ()):
            self.pop((owner, name), None)
