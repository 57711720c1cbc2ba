"""Sites that one file of a patch makes in another: an allocation that moved, and one whose writer was changed.

*Claim.* An allocation that the patch moved from one file to another is judged where it stands now, and against its
old place; an allocation of an unchanged function is a site when a function that the patch changed touches it and its
verdict became worse: it is reported at the changed line, with the allocation in its trace. *Why that suffices.* Both
sides are judged whole, so what was unsafe before in another file is no news. *What it gives up.* See `flow.moved` and
`flow.callers` for the bounds of both searches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from allocsafe.edits import DATA, Alloc, Edit, Pairing, edits
from allocsafe.flow.callers import allocating_callers, changed_functions
from allocsafe.flow.clock import now, over
from allocsafe.flow.moved import Place, partner
from allocsafe.patch.pairs import FilePair
from allocsafe.verdict import Event, Safe, Unknown, Unsafe, Verdict

if TYPE_CHECKING:
    from allocsafe.api import Judged
    from allocsafe.flow.program import Program
    from allocsafe.frontends.base import Definition

Judge = Callable[[str, str, Sequence["Definition"], bool], list[Alloc]]
"""(side, path, definitions, module code too) -> their allocations with their verdicts."""


class Moved:
    """Partners in other files of allocations that have none in their own."""

    def __init__(self, old: Program, new: Program, pair: FilePair, allocates: re.Pattern[str], judge: Judge) -> None:
        self.old, self.new = old, new
        self.pair = pair
        self.allocates = allocates
        self.judge = judge

    def edits(self, pairings: Sequence[Pairing]) -> tuple[list[Pairing], list[Edit]]:
        """The pairings that are left for this file alone, and the edits of allocations that came from another one."""
        left: list[Pairing] = []
        found: list[Edit] = []
        for each in pairings:
            edit = None
            if each.old is None and each.new is not None and each.new.what not in DATA and self._fresh(each.new):
                edit = self._came(each.new)
            if edit is not None:
                found.append(edit)
            else:
                left.append(each)
        return left, found

    def _fresh(self, alloc: Alloc) -> bool:
        return alloc.line in self.pair.added and bool(alloc.symbol)

    def _came(self, alloc: Alloc) -> Edit | None:
        source = self.pair.new
        if source is None or self.pair.new_path is None:
            return None
        row = source.line(alloc.line)
        place = partner(self.new, self.old, self.pair.new_path, alloc.symbol, row, alloc.owner, self.allocates)
        before = self._at("old", place) if place is not None else None
        if place is None or before is None:
            return None
        made = edits([Pairing(before, alloc)], self.pair.added, frozenset({before.line}), lambda line: line)
        return made[0]._replace(old_path=place.path) if made else None

    def _at(self, side: str, place: Place) -> Alloc | None:
        wanted = [place.definition] if place.definition is not None else []
        near = [
            a
            for a in self.judge(side, place.path, wanted, place.definition is None)
            if place.line <= a.line <= place.line + 3
        ]
        return near[0] if near else None

    def went(self, edit: Edit) -> Verdict | None:
        """Where an allocation that is gone from this file stands now."""
        source = self.pair.old
        if edit.old is None or source is None or self.pair.old_path is None:
            return None
        row = source.line(edit.old.line)
        place = partner(self.old, self.new, self.pair.old_path, edit.old.symbol, row, edit.old.owner, self.allocates)
        if place is None:
            return None
        from allocsafe.source import Span

        there = Span(place.path, place.line, 1, place.line, 1)
        why = f"the allocation moved to {place.path}:{place.line}, where it is judged"
        return Safe(why, (Event("note", there, "", "it stands here now"),))


class Touched:
    """Allocations of other files that the changed functions of one file write to."""

    def __init__(
        self,
        old: Program,
        new: Program,
        pair: FilePair,
        allocates: re.Pattern[str],
        judge: Judge,
        alone: Judge,
        seconds: float,
    ) -> None:
        self.old, self.new = old, new
        self.pair = pair
        self.allocates = allocates
        self.judge = judge
        self.alone = alone  # by the function's own walk, without its callers: a first look
        self.until = now() + seconds
        self.covered: dict[str, tuple[Alloc, Alloc]] = {}  # attributes of bases that are safe: old, new

    def sites(self) -> list[tuple[int, Alloc, Alloc, str]]:
        """(changed line, old, new, path of the allocation) of what became worse."""
        pair = self.pair
        if pair.new is None or pair.new_path is None:
            return []
        unit = self.new.unit(pair.new_path)
        if unit is None or unit.language != "python":
            return []
        before = self.old.unit(pair.old_path) if pair.old_path is not None and pair.old is not None else None
        changed = changed_functions(before, unit, pair.removed, pair.added, pair.lines.nearest_new, self.allocates)
        out: list[tuple[int, Alloc, Alloc, str]] = []
        for function in changed:
            callers = allocating_callers(self.new, pair.new_path, function, self.allocates)
            for path, definitions in callers.items():
                if over(self.until):
                    return out
                same = [d for d in definitions if self._unchanged(path, d)]
                if same:
                    out += [(function.line, *found) for found in self._compared(path, same, function.attributes)]
        return out

    def _unchanged(self, path: str, definition: Definition) -> bool:
        """Whether a function is the same on both sides: one that changed has sites of its own."""
        old = self.old.unit(path)
        if old is None:
            return False
        twin = next((d for d in old.definitions if d.qualname == definition.qualname), None)
        unit = self.new.unit(path)
        if twin is None or unit is None:
            return False
        return (
            unit.source.lines[definition.first_line - 1 : definition.last_line]
            == old.source.lines[twin.first_line - 1 : twin.last_line]
        )

    def _compared(
        self, path: str, definitions: Sequence[Definition], attributes: frozenset[str]
    ) -> list[tuple[Alloc, Alloc, str]]:
        """The allocations of unchanged functions whose verdict the patch made worse."""
        if not attributes:
            looked = self.alone("new", path, definitions, False)
            reached = {a.owner for a in looked if _rank(a.verdict)}  # what is gone here has left nothing to reach
            definitions = [d for d in definitions if d.qualname in reached]
        after = self.judge("new", path, definitions, False) if definitions else []
        if not after or not (attributes or any(_rank(a.verdict) for a in after)):
            return []
        old = self.old.unit(path)
        names = {d.qualname for d in definitions}
        twins = [d for d in old.definitions if d.qualname in names] if old is not None else []
        before = self.judge("old", path, twins, False)
        out = []
        for new in after:
            mine = [a for a in before if _place(a) == _place(new)]
            if len(mine) == 1 and _rank(new.verdict) > _rank(mine[0].verdict) and self._reached(mine[0], new):
                out.append((mine[0], new, path))
            elif len(mine) == 1 and isinstance(new.verdict, Safe) and new.symbol.removeprefix("self.") in attributes:
                self.covered[new.symbol] = (mine[0], new)
        return out

    def _reached(self, old: Alloc, new: Alloc) -> bool:
        """Whether this file reads or writes the allocation on either side."""
        return any(p == self.pair.new_path for p, _ in new.reach) or any(p == self.pair.old_path for p, _ in old.reach)


def _place(alloc: Alloc) -> tuple[str, str, str, int]:
    return alloc.owner, alloc.symbol, alloc.what, alloc.column


LIMITS = ("budget", "branches", "depth", "bug", "crash")
"""Steps that say nothing of the patch."""


def _rank(verdict: Verdict | None) -> int:
    if isinstance(verdict, Unknown) and verdict.step in LIMITS:
        return 0
    return 2 if isinstance(verdict, Unsafe) else 0 if isinstance(verdict, (Safe, type(None))) else 1


def covered(fill: Judged, asked: Touched, only: Callable[[str], bool]) -> Judged:
    """A fill that was taken out of an attribute that a base allocates: safe, if all that the base holds is. `only`:
    whether an attribute is given nothing but that allocation.
    """
    root = re.match(r"self\.\w+", fill.site.symbol)
    found = asked.covered.get(root[0]) if root is not None else None
    line = fill.site.before.line if fill.site.before is not None else 0
    if root is None or found is None or (asked.pair.old_path, line) not in found[0].reach or not only(root[0][5:]):
        return fill
    assert found[1].verdict is not None
    return replace(fill, verdict=found[1].verdict)


def site_of(pair: FilePair, line: int, old: Alloc, new: Alloc, path: str, language: str) -> Judged:
    """A changed line and the verdict of the allocation in another file whose writes it changed."""
    from allocsafe.api import Before, Judged, Site
    from allocsafe.source import Span

    text = pair.new.line(line) if pair.new is not None else ""
    column = len(text) - len(text.lstrip()) + 1
    span = Span(pair.new_path or "", line, column, line, max(len(text), column) + 1)
    gone = next((n for n in sorted(pair.removed) if pair.lines.nearest_new(n) == line), 0)
    before = Before(pair.old_path or "", gone, pair.old.line(gone).strip()) if gone and pair.old is not None else None
    verdict = new.verdict
    assert verdict is not None
    here = Event("note", span, "", f"changed here; {new.symbol or 'the allocation'} stands in {path}:{new.line}")
    verdict = verdict._replace(trace=(*verdict.trace, here))
    kind: Literal["dropped-fill", "touched"] = "dropped-fill" if gone else "touched"
    return Judged(Site(span, language, new.symbol or "(unnamed)", kind, text.strip(), before), verdict, (), True)  # type: ignore[arg-type]


__all__ = ["Moved", "Touched", "covered", "site_of"]
