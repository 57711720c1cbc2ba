"""Lives of subclasses: an object that a class's allocation lives in may be of a class below, in another file.

*Claim.* The lives returned are those of every class of the tree below `owner` that changes what its methods do to the
buffer: it has a definition of its own for a method that the walks ran or for a name that its bases set. *Why that
suffices.* An instance of any other class below runs the very steps that were walked already; what such a class adds
under new names mentions the buffer's attribute, and is asked about by name. *What it gives up.* Past `MOST_LIVES` the
rest is left out, and whoever asked must not say `safe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocsafe.flow.values import ClassOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from allocsafe.flow.analysis import FileAnalysis
    from allocsafe.flow.machine import Machine

MOST_LIVES = 6


def below(analysis: FileAnalysis, owner: ClassOf, walks: Sequence[Machine]) -> tuple[list[ClassOf], str]:
    """The classes of other files whose objects live another life than those of `owner`, and why some may be missing."""
    hierarchy = analysis.program.hierarchy
    family = hierarchy.family(owner)
    lineage = hierarchy.lineage(owner)
    ran = {name.rsplit(".", 1)[-1] for m in walks for name in m.callees.values()}
    methods = {name for cls in lineage for name in cls.cls.methods}
    data = {name for cls in lineage for name in (*hierarchy.bound(cls), *hierarchy.data_of(cls))}
    out = []
    for cls in family.members:
        if cls.path == analysis.path or hierarchy.has_abstract(cls):
            continue
        steps = [c for c in hierarchy.lineage(cls) if c not in lineage]
        if any(_differs(hierarchy.data_of(c) | hierarchy.bound(c), data) for c in steps) or any(
            name in c.cls.methods and (name in ran or not walks)
            for c in steps
            for name in methods
            if name != "__init__"
        ):
            out.append(cls)
    unseen = family.unseen
    if len(out) > MOST_LIVES:
        unseen = unseen or f"{len(out)} classes below {owner.cls.name} live another life, more than {MOST_LIVES}"
    return out[:MOST_LIVES], unseen


def _differs(mine: Iterable[str], theirs: set[str]) -> bool:
    return not theirs.isdisjoint(mine)


def walked(analysis: FileAnalysis, classes: Sequence[ClassOf], names: set[str]) -> list[Machine]:
    """A life for each class, walked from the class's own file, in which the allocations of `analysis` are followed."""
    from allocsafe.flow.analysis import FileAnalysis

    out = []
    for cls in classes:
        there = FileAnalysis(analysis.program, cls.path, analysis.settings)
        there.follow = (analysis.path, analysis.lines)
        there.deadline = analysis.deadline
        out.append(there.life_of(cls.cls.qualname, set(names)))
        analysis.problems += there.problems
    return out


__all__ = ["below", "walked"]
