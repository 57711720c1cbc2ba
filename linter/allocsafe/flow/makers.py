"""Who makes an object of a class in the class's own file, and whether nobody else can.

*Claim.* `makers_here` gives every function of the file that makes an object of one of the classes: by a call of its
name, or of what an assignment at the left margin gave the class to (a table of classes, another name). `closed` says
that the file does nothing else with the class. *Why that suffices.* To make an object a program says the name of the
class, or one that was given to it. *What it gives up.* A class that is returned, kept, decorated, or whose object the
module itself makes: not closed, and the lives that the class has on its own are judged besides.

    KINDS = {"a": A, "b": B}            a name for both
    def run(n):
        box = KINDS["a"](n)             a maker of A, and of B for all that is known
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.drivers import said_elsewhere
from allocsafe.flow.mentions import Scanned, scanned
from allocsafe.flow.sayers import ALL, annotates, callers, harmless

if TYPE_CHECKING:
    from allocsafe.flow.analysis import FileAnalysis
    from allocsafe.frontends.base import Definition

MOST_NAMES = 6
"""Classes of the family, and names that they were given to."""

_GIVEN = re.compile(r"([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)")
_CALLED = re.compile(r"\s*(?:\(|\[[^\[\]\n]*\]\s*\(|\.get\([^()\n]*\)\s*\()")
_CHOICE = re.compile(r"(?:^|[=(,\[:]|\breturn|\byield|\bin)\s*\(\s*(?:[^()\n]*\belse\s+)?$")
_CHOSEN = re.compile(r"\s*(?:if\b[^()\n]*\belse\b[^()\n]*)?\)\s*\(")
_MEMBER = re.compile(r"\s*\.\s*(?!get\(|__new__\b|__call__\b)\w+(?P<call>\s*\()?")
_ANOTHER = re.compile(r"\btype\([^()\n]*\)\s*\(|\b__class__\s*\(")
_PLAIN = re.compile(r"\s*@(?:[\w.]*\.)?(?:dataclass|final|runtime_checkable|total_ordering|define|frozen)\b")


class Makers(NamedTuple):
    """`said`: the classes that a maker says, by their own name or another one."""

    functions: tuple[Definition, ...]
    closed: bool
    said: frozenset[str]


def makers_here(analysis: FileAnalysis, family: Sequence[str]) -> Makers:
    """The functions of the file outside of the family that make one of its objects."""
    if analysis.unit.language != "python":
        return Makers((), True, frozenset())
    scan = scanned(analysis.unit.source.text)
    names = {name.rsplit(".", 1)[-1]: frozenset([name]) for name in family}
    known = set(names)
    out: dict[Definition, None] = {}
    said: set[str] = set()
    closed = not any(
        d.kind == "class" and d.qualname in family and _decorated(analysis, d) for d in analysis.unit.definitions
    )
    closed = closed and _ANOTHER.search(scan.code) is None
    todo = list(names)
    for name in todo:
        closed = closed and not _by_text(scan, name) and (name in known or not _elsewhere(analysis, name))
        for at in scan.places(name):
            around = _around(scan, at, name)
            if around is None:
                continue
            before, after = around
            place = analysis.unit.at_line(scan.line(at))
            called = _CALLED.match(after) is not None or (_CHOICE.search(before) and _CHOSEN.match(after)) is not None
            member = _MEMBER.match(after)
            if place is None:
                given = None if member is not None else _given(scan, at)
                if given is None or len(names) >= MOST_NAMES:
                    closed = closed and member is not None and not member["call"]
                elif given in known:
                    closed = False  # a name that is a class, too
                elif not names[name] <= names.get(given, frozenset()):
                    names[given] = names.get(given, frozenset()) | names[name]
                    todo.append(given)
            elif place.kind != "function":
                closed = False
            elif place.owner in family:
                closed = closed and name in known and (called or member is not None)
            else:
                out[place] = None
                said |= names[name]
                closed = closed and (called or member is not None)
    return Makers(tuple(out), closed, frozenset(said))


def said_by_others(analysis: FileAnalysis, family: Sequence[str]) -> bool:
    """Whether another file may make an object of one of the classes: to import or to annotate with one does not."""
    if not said_elsewhere(analysis, family):
        return False
    program = analysis.program
    for name in (name.rsplit(".", 1)[-1] for name in family):
        said = callers(program, analysis.path, name, classes=True)
        files = program.mentioning(name)
        if files is None or not said.complete or any(reader.path != analysis.path for reader in said.functions):
            return True
        if any(path != analysis.path and _ANOTHER.search(program.text(path)) for path in files):
            return True
    return False


def _around(scan: Scanned, at: int, name: str) -> tuple[str, str] | None:
    """The text of the line in front of a name, and what follows; None where the class is not handed on."""
    start = scan.code.rfind("\n", 0, at) + 1
    before, after = scan.code[start:at], scan.code[at + len(name) : at + len(name) + 80]
    if re.match(r"\s*class\b", before) or any(a <= at < b for a, b in scan.imports):
        return None
    if before.rstrip().endswith(".") or re.match(r"[ \t]*(?::[^=\n]+)?=(?!=)", after):
        return None  # an attribute of that name, a keyword argument, or where the name is given
    if re.search(r"\bsuper\(\s*$", before) or (not _CALLED.match(after) and harmless(before, after)):
        return None
    return before, after


def _decorated(analysis: FileAnalysis, cls: Definition) -> bool:
    """Whether a decorator may put the class where others find it."""
    for row in analysis.unit.source.lines[cls.first_line - 1 : cls.last_line]:
        if re.match(r"\s*class\b", row):
            return False
        if row.lstrip().startswith("@") and not _PLAIN.match(row):
            return True
    return True


def _by_text(scan: Scanned, name: str) -> bool:
    """Whether a text says the name, other than an annotation or the list of what the module gives away."""
    given = [found.span() for found in ALL.finditer(scan.source)] if "__all__" in scan.source else []
    places = [(a, b) for a, b in scan.texts.get(name, ()) if not any(c <= a and b <= d for c, d in given)]
    return any(not annotates(scan, *place) for place in places)


def _given(scan: Scanned, at: int) -> str | None:
    """The name at the left margin to which a statement of the module gives what stands at a place."""
    start = scan.code.rfind("\n", 0, at) + 1
    while start and scan.code[start] in " \t\n)]}":
        start = scan.code.rfind("\n", 0, start - 1) + 1
    found = _GIVEN.match(scan.code, start)
    if found is None or re.search(r"\(|\blambda\b", scan.code[found.end() : at]):
        return None  # something is called with it
    return found[1]


def _elsewhere(analysis: FileAnalysis, name: str) -> bool:
    files = analysis.program.mentioning(name)
    return files is None or any(path != analysis.path for path in files)


__all__ = ["Makers", "makers_here", "said_by_others"]
