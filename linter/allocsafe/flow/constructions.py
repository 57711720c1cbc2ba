"""Who makes an object of a class, in any file: functions and methods that say `Cls(...)`, up to their entry points.

*Claim.* Every object of a class, or of one below it, is made by a call of the class's name; the entry points above all
such calls, walked with the object that they really make and the methods that they really call, show every life that
the object has in the program, if none of them leaves it behind. *Why that suffices.* Whatever such a walk does not
come to does not happen to the object, unless others find it when the walk is over: in a module, a class, or what the
walk was given. *What it gives up.* An object that is left there; a class that is handed on as a value, a name in a
text, a subclass that may be missing: then the lives that the class has on its own are judged besides, and nothing is
proved here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.factories import Callers, Search
from allocsafe.flow.readers import Reader
from allocsafe.flow.values import ClassOf

if TYPE_CHECKING:
    from allocsafe.flow.analysis import FileAnalysis


def made_elsewhere(analysis: FileAnalysis, family: Sequence[ClassOf], names: set[str]) -> Callers:
    """What the walks of all who make one of the objects say, and whether all of them were walked."""
    hierarchy = analysis.program.hierarchy
    classes: dict[ClassOf, None] = dict.fromkeys(family)
    hidden = False
    for cls in family:
        below = hierarchy.family(cls)
        hidden = hidden or bool(below.unseen)
        classes |= dict.fromkeys(below.members)
    readers = []
    for cls in classes:
        unit = analysis.program.unit(cls.path)
        found = [d for d in unit.definitions if d.kind == "class" and d.qualname == cls.cls.qualname] if unit else []
        hidden = hidden or not found
        readers += [Reader(cls.path, d) for d in found]
    if hidden:
        return Callers({}, False, frozenset())
    search = Search(analysis, names, whole=True)
    said = search.run(readers)
    return said._replace(complete=said.complete and bool(said.found))


__all__ = ["made_elsewhere"]
