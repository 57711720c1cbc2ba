"""The cells of one point of the program, with what each owner has, and what was stored since copies parted.

*Claims.* `of(owner)` is every cell of that owner, in the order in which the names were first stored. `parted(several)`
names every cell in which these may differ. *Why that suffices.* Whoever follows a value through the heap asks for the
cells of one object, and where paths meet only what was stored on either since they parted can differ; looking through
all cells for these made every question, and every branch, cost the whole heap. *What it gives up.* The names of an
owner are shared by all copies and never forgotten, so a question also looks at names that only another path has stored:
a miss in a dict each. A cell that was stored and holds what it held before is named, too: who meets them compares.

    cells     {(o, a): 1, (p, b): 2}      a copy is a dict copy
    names     {o: {a}, p: {b, c}}         one for all copies; c was stored on another path
    since     {(p, b)} -> {} -> ...       what was stored since the last copy; what was stored between earlier ones
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NoReturn

from allocsafe.flow.values import Value

Cell = tuple[Hashable, Hashable]


class Since:
    """The cells that were stored or taken away after `before`, a point at which copies parted."""

    __slots__ = ("before", "depth", "stored")

    def __init__(self, before: Since | None) -> None:
        self.before = before
        self.depth: int = 0 if before is None else before.depth + 1
        self.stored: dict[Cell, None] = {}


class Cells(dict[Cell, Value]):
    """A dict of cells that finds those of one owner without a search."""

    __slots__ = ("names", "since")

    def __init__(self, cells: Mapping[Cell, Value] | Iterable[tuple[Cell, Value]] = ()) -> None:
        dict.__init__(self, cells)
        self.names: dict[Hashable, dict[Hashable, None]]
        self.since: Since
        if isinstance(cells, Cells):
            self.names = cells.names
            self.since = Since(cells.parting())
        else:
            self.since = Since(None)
            self.names = {}
            for owner, name in self:
                self.names.setdefault(owner, {})[name] = None

    def __setitem__(self, cell: Cell, value: Value) -> None:
        if cell not in self:
            self.names.setdefault(cell[0], {})[cell[1]] = None
        self.since.stored[cell] = None
        dict.__setitem__(self, cell, value)

    def copy(self) -> Cells:
        return Cells(self)

    def __delitem__(self, cell: Cell) -> None:
        dict.__delitem__(self, cell)
        self.since.stored[cell] = None

    def forget(self, cell: Cell) -> None:
        """Takes a cell away, if it is there."""
        if cell in self:
            del self[cell]

    def _unnoted(self, *_: object, **__: object) -> NoReturn:
        """What a dict can do to itself besides would not be noted."""
        raise NotImplementedError("cells are stored and deleted one by one")

    clear = pop = popitem = setdefault = update = __ior__ = _unnoted

    def of(self, owner: Hashable) -> list[tuple[Hashable, Value]]:
        """The names of an owner's cells with what they hold."""
        get = self.get
        return [(name, held) for name in self.names.get(owner, ()) if (held := get((owner, name))) is not None]

    def drop(self, owner: Hashable) -> None:
        """Takes all cells of an owner away."""
        for name in self.names.get(owner, ()):
            self.forget((owner, name))

    def parting(self) -> Since:
        """This point, as that at which a copy parts: from here on both note apart what is stored."""
        since = self.since
        if since.before is not None and not since.stored:
            return since.before
        self.since = Since(since)
        return since

    def joins(self, before: Since | None, stored: Iterable[Cell]) -> None:
        """Says that since `before` these cells were stored, on one of the paths that met here."""
        self.since = Since(before)
        self.since.stored.update(dict.fromkeys(stored))


def parted(several: Sequence[Cells]) -> tuple[Since, dict[Cell, None]] | None:
    """The point at which these parted, and all that was stored in any of them since; None: they never were one."""
    ways = [cells.since for cells in several]
    passed: list[list[Since]] = [[] for _ in ways]
    depth = min(at.depth for at in ways)
    while True:
        for number, start in enumerate(ways):
            at = start
            while at.depth > depth:
                passed[number].append(at)
                assert at.before is not None
                at = at.before
            ways[number] = at
        if all(at is ways[0] for at in ways):
            return ways[0], {cell: None for way in passed for at in reversed(way) for cell in at.stored}
        if not depth:
            return None
        depth -= 1


def differing(base: Cells, other: Cells) -> list[Cell]:
    """The cells of `other` that hold something else than those of `base`."""
    found = parted((base, other))
    get = base.get
    if found is None:
        near = [cell for cell, value in other.items() if get(cell) is not value]
    else:
        near = [cell for cell in found[1] if cell in other and get(cell) is not other[cell]]
    return [cell for cell in near if (mine := get(cell)) is None or mine != other[cell]]
