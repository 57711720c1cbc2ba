"""Readers in other files: functions that can touch a buffer which the judged class keeps in an attribute.

*Claim.* Every function of the tree that says a direct name of the buffer (see `holders`) is walked as a further entry
point of the life, in the phase of its name or of its callers; a name is *followed* when each place that says it was
walked, or is plainly another thing. *Why that suffices.* What is not followed stays reachable by code that is not in
view, and a hole in it is unknown, as before. *What it gives up.* Past `MOST_FUNCTIONS` in `MOST_FILES` files, nearest
package first, nothing more is walked: the first file that was left out is named.

Plainly another thing is an attribute of `self` in a class that gives itself that attribute and is related to no
holder. That such an attribute holds our buffer after all shows in the walk of whoever put it there: the class is then
a holder itself, and the search is made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.called import Calls, Reader, unit_of
from allocsafe.flow.holders import OPEN, Owner
from allocsafe.flow.mentions import defines, mentions, takes_apart
from allocsafe.flow.values import ClassOf
from allocsafe.frontends.base import Unit
from allocsafe.patch.names import is_test

if TYPE_CHECKING:
    from allocsafe.flow.program import Program

MOST_FUNCTIONS = 12
MOST_FILES = 8
MOST_TEXTS = 160
"""Files whose text is looked at for one name."""

Place = tuple[str, int]


class Search(NamedTuple):
    """What the texts say about the names of one life. `places`: what a walk must see for a name to be followed."""

    readers: tuple[Reader, ...]
    places: dict[str, frozenset[Place]]
    missed: dict[str, tuple[str, int]]
    only: frozenset[str]


class Searcher:
    """Finds readers; one for each analysis, since the same names are asked for again and again."""

    def __init__(self, program: Program, path: str) -> None:
        self.program = program
        self.path = path
        self.calls = Calls(program)
        self._apart: dict[ClassOf, list[str]] = {}

    # ------------------------------------------------------------ searching

    def search(self, names: dict[str, set[Owner]]) -> Search:
        """The functions that may touch what is held under these names."""
        readers: dict[Place, Reader] = {}
        places: dict[str, frozenset[Place]] = {}
        missed: dict[str, tuple[str, int]] = {}
        only: set[str] = set()
        for name in sorted(names):
            owners = names[name]
            holders = [c for o in owners if (c := self._class(o)) is not None]
            unsure = OPEN in owners or len(holders) < len(owners)
            by_import = any(owner[0] and not owner[1] for owner in owners)
            seen, found, left, alone = self._one(name, holders, unsure, by_import)
            places[name] = frozenset(seen)
            for reader in found:
                readers.setdefault((reader.path, reader.definition.first_line), reader)
            if alone:
                only.add(name)
            left += [path for cls in holders for path in self._takers(cls) if path not in left]
            if left:
                missed[name] = (left[0], len(left))
        chosen = self._nearest(list(readers.values()))
        for name, (path, count) in list(missed.items()):
            missed[name] = (path, count)
        return Search(tuple(chosen), places, missed, frozenset(only))

    def _one(
        self, name: str, holders: list[ClassOf], unsure: bool, by_import: bool
    ) -> tuple[set[Place], list[Reader], list[str], bool]:
        """Places that must be walked, functions to walk, files that cannot be followed, and whether no other class of
        the tree has an attribute of this name.
        """
        files = self.program.mentioning(name)
        if files is None:
            return set(), [], ["other files"], False
        files = self.by_distance(files)
        seen: set[Place] = set()
        readers: dict[Place, Reader] = {}
        left: list[str] = files[MOST_TEXTS:]
        alone = not left and not unsure
        for path in files[:MOST_TEXTS]:
            text = self.program.text(path)
            said = mentions(text, name)
            given = defines(text, name) if alone else []
            if path.endswith(".pyi"):
                continue
            if not said and not given:
                continue
            unit = unit_of(self.program, path)
            if unit is None:
                left.append(path)
                alone = False
                continue
            alone = alone and all(self._ours(unit, path, line, by_self, holders) for line, by_self in given)
            for mention in said:
                at = unit.at_line(mention.line)
                if mention.kind in ("called", "own-store"):
                    continue
                if mention.kind == "import":
                    if by_import:
                        left.append(path)
                    continue
                if at is None or at.kind != "function" or mention.kind == "text":
                    left.append(path)
                    continue
                cls = self._class((path, at.owner)) if at.owner else None
                if mention.kind == "own" and cls is not None and not unsure and self._other(cls, name, holders):
                    continue
                if mention.kind != "store":
                    seen.add((path, mention.line))
                readers[(path, at.first_line)] = Reader(path, at)
        return seen, list(readers.values()), list(dict.fromkeys(left)), alone

    def _takers(self, cls: ClassOf) -> list[str]:
        """Files that say the class's name and take instances apart without the names of their attributes."""
        if cls not in self._apart:
            files = self.program.mentioning(cls.cls.name)
            self._apart[cls] = (
                ["other files"]
                if files is None
                else [p for p in self.by_distance(files)[:MOST_TEXTS] if takes_apart(self.program.text(p))]
            )
        return self._apart[cls]

    def _ours(self, unit: Unit, path: str, line: int, by_self: bool, holders: list[ClassOf]) -> bool:
        """Whether what a line seems to give an attribute of the name to is a holder, or no class at all."""
        at = unit.at_line(line)
        if at is None or (not by_self and at.kind == "function" and at.first_line != line):
            return True  # an argument, a local variable
        owner = at.owner if at.kind == "function" else at.qualname
        cls = self._class((path, owner)) if owner else None
        return cls is None or any(self.related(cls, h) for h in holders)

    def _other(self, cls: ClassOf, name: str, holders: list[ClassOf]) -> bool:
        """Whether `self.name` in this class is an attribute of its own, and of no holder."""
        if any(self.related(cls, h) for h in holders):
            return False
        for each in self.program.hierarchy.lineage(cls):
            unit = unit_of(self.program, each.path)
            if unit is None:
                continue
            first, last = each.cls.span.line, each.cls.span.end_line
            for line, by_self in defines(unit.source.text, name):
                at = unit.at_line(line)
                if at is None or not first <= line <= last:
                    continue
                if by_self or at.kind == "class" or at.first_line <= line <= at.first_line + 3:
                    return True
        return False

    def related(self, one: ClassOf, other: ClassOf) -> bool:
        lineage = self.program.hierarchy.lineage
        return one in lineage(other) or other in lineage(one)

    def _class(self, owner: Owner) -> ClassOf | None:
        if not owner[1]:
            return None
        cls = self.program.klass(*owner)
        return ClassOf(cls, owner[0]) if cls is not None else None

    def by_distance(self, files: Iterable[str]) -> list[str]:
        """Nearest package first, tests last."""
        mine = self.path.split("/")

        def far(path: str) -> tuple[bool, int, str]:
            theirs = path.split("/")
            same = 0
            while same < min(len(mine), len(theirs)) and mine[same] == theirs[same]:
                same += 1
            return (is_test(path), len(mine) + len(theirs) - 2 * same, path)

        return sorted((p for p in files if p.endswith((".py", ".pyi"))), key=far)

    def _nearest(self, readers: list[Reader]) -> list[Reader]:
        order = {path: i for i, path in enumerate(self.by_distance({r.path for r in readers}))}
        readers.sort(key=lambda r: (order[r.path], r.definition.first_line))
        own = [r for r in readers if r.path == self.path]
        chosen = own[:MOST_FUNCTIONS]
        files: set[str] = set()
        for reader in readers:
            if reader.path == self.path:
                continue
            if len(chosen) >= MOST_FUNCTIONS or (reader.path not in files and len(files) >= MOST_FILES):
                continue
            files.add(reader.path)
            chosen.append(reader)
        return chosen


__all__ = ["Reader", "Search", "Searcher", "is_test"]
