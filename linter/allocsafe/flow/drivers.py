"""Drivers in other files: who constructs the objects of a class, and in which order it calls their methods.

*Claim.* `elsewhere` finds the methods of other files that construct the class into an attribute of theirs, walks the
lives of the classes they belong to, and says whether no other construction was left out.
*Why that suffices.* In such a life the object is a real one: its methods run where the driver calls them, with the
driver's values, and a method that others call too is an entry point of that life as well (see `readers`). *What it
gives up.* A class that is handed on as a value (a registry, an argument), or an object that a function returns, may
be driven by anybody: then the life of the class on its own, ordered by phases, is judged besides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.clock import now
from allocsafe.flow.mentions import code_of
from allocsafe.flow.readers import Searcher, is_test
from allocsafe.flow.values import ClassOf
from allocsafe.frontends.base import Definition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allocsafe.flow.analysis import FileAnalysis
    from allocsafe.flow.machine import Machine

MOST_DRIVERS = 3
"""Classes and functions of other files whose walk is worth its time; nearest package first, no tests."""

MOST_FILES = 24
"""Files that say the name of the class."""


SHARE = 0.3
"""Part of a site's budget that the walks of its drivers may take together."""

MOST_CALLS = 4
"""Calls on top of one another between an entry point and the construction."""


class Drivers(NamedTuple):
    """The walks, and whether everybody who can construct the class is among them."""

    walks: list[Machine]
    complete: bool


def said_elsewhere(analysis: FileAnalysis, family: Sequence[str]) -> bool:
    """Whether another file says the name of one of the classes."""
    for name in family:
        files = analysis.program.mentioning(name.rsplit(".", 1)[-1])
        if files is None or any(path != analysis.path for path in files):
            return True
    return False


class Place(NamedTuple):
    path: str
    definition: Definition


def elsewhere(analysis: FileAnalysis, family: Sequence[ClassOf], names: set[str]) -> Drivers:
    """The walks of those who construct one of the classes in other files."""
    searcher = analysis.searcher = analysis.searcher or Searcher(analysis.program, analysis.path)
    found: dict[tuple[str, str], Place] = {}
    complete = True
    for cls in family:
        for place in _constructions(searcher, cls):
            if place is None:
                complete = False
            else:
                found.setdefault((place.path, place.definition.owner or place.definition.qualname), place)
    order = {path: i for i, path in enumerate(searcher.by_distance({p.path for p in found.values()}))}
    chosen = sorted(
        (p for p in found.values() if p.path != analysis.path),
        key=lambda p: (order[p.path], p.definition.first_line),
    )
    real = [p for p in chosen if not is_test(p.path)]
    walks: list[Machine] = []
    until = now() + SHARE * analysis.settings.budget
    for place in real[:MOST_DRIVERS]:
        walk = _walked(analysis, place, names, family, until)
        complete = complete and walk is not None
        walks += [walk] if walk is not None else []
    return Drivers(walks, complete and len(real) == len(chosen) <= MOST_DRIVERS)


def _constructions(searcher: Searcher, cls: ClassOf) -> list[Place | None]:
    """The functions of other files that construct the class; None for every other way to get at it."""
    name = cls.cls.name
    program = searcher.program
    files = program.mentioning(name)
    if files is None or len(files) > MOST_FILES:
        return [None]
    out: list[Place | None] = []
    for path in files:
        if path == cls.path or not path.endswith(".py"):
            continue
        text = program.text(path)
        code = code_of(text)
        if re.search(rf"[\"']{re.escape(name)}[\"']", text):
            out.append(None)
        said = list(re.finditer(rf"\b{re.escape(name)}\b(?P<call>\s*\()?", code))
        unit = program.unit(path) if any(m["call"] for m in said) else None
        for mention in said:
            line = code.count("\n", 0, mention.start()) + 1
            start = code.rfind("\n", 0, mention.start()) + 1
            before = code[start : mention.start()]
            if not mention["call"]:
                if not _harmless(code, mention.start(), before, code[mention.end() : mention.end() + 40]):
                    out.append(None)
                continue
            if re.match(r"\s*class\b", before):
                continue
            at = unit.at_line(line) if unit is not None else None
            if at is None or at.kind != "function":
                out.append(None)
                continue
            dotted = re.search(r"[\w.]*$", before)
            meant = program.resolve_class(path, (dotted[0] if dotted else "") + name)
            if meant is None or meant == cls:
                held = re.fullmatch(r"\s*self\.\w+\s*(?::[^=]+)?=\s*[\w.]*", before) is not None
                out.append(Place(path, at) if meant is not None and held and at.owner else None)
    return out


def _harmless(code: str, at: int, before: str, after: str) -> bool:
    """Whether the class is named without being handed on: imported, an annotation, a base, asked about."""
    if re.match(r"\s*(?:from|import)\b", before) or re.match(r"\s*class\b[^:]*\(", before):
        return True
    if re.search(r"(?::|->)\s*(?:[\w.]+\[)*(?:[\w.]+\s*\|\s*)*[\w.]*$", before) and re.match(
        r"[\]\s|\w.]*(?:[,)=:\n]|$)", after
    ):
        return re.search(r"\blambda\b|[{]", before) is None
    if re.search(r"\b(?:isinstance|issubclass|cast)\([^()]*\(?[^()]*$", before):
        return True
    opened = code.rfind("import (", 0, at)
    return opened >= 0 and ")" not in code[opened + 8 : at]


def _walked(
    analysis: FileAnalysis, place: Place, names: set[str], family: Sequence[ClassOf], until: float
) -> Machine | None:
    """The life of a driver's class, or its own walk; None if it never came to a construction."""
    from allocsafe.flow.analysis import FileAnalysis

    there = FileAnalysis(analysis.program, place.path, analysis.settings)
    there.follow = (analysis.path, analysis.lines)
    there.deadline = min(analysis.deadline, until)
    there.searcher = analysis.searcher
    toward: set[str] = {cls.cls.name for cls in family}
    for _ in range(MOST_CALLS):
        toward |= {d.qualname.rsplit(".", 1)[-1] for name in sorted(toward) for d in there.callers(name)}
    there.toward = frozenset(toward)
    problems = len(there.problems)
    walk = there.driven(place.definition, set(names))
    if len(there.problems) > problems:
        return None
    reached = any(b.site.path == analysis.path and b.site.line in analysis.lines for b in walk.buffers)
    return walk if reached else None


__all__ = ["Drivers", "elsewhere"]
