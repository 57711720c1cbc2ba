"""Callers in other files: allocations that no changed line mentions, and whose writes a changed function makes.

*Claim.* A function that writes to what it is handed, or to an attribute that a base class allocates, changes what is
unwritten at its callers when the patch changes it. The callers are the functions that say its name; what they
allocate is judged on both sides of the patch, and a verdict that became worse is the patch's doing. *Why that
suffices.* A call says the name of what it calls, or of something that was bound to it. *What it gives up.* Callers of
callers, tests and benchmarks, and more than `MOST_FILES` files: what is left out is not judged, and nothing is said
about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.patch.names import is_test

if TYPE_CHECKING:
    from allocsafe.flow.program import Program
    from allocsafe.frontends.base import Definition, Unit

MOST_FILES = 6
MOST_MENTIONS = 40
"""Files that say a name; what more of them say is no name of one function."""
MOST_FUNCTIONS = 4
MOST_CALLERS = 6

_WRITES = re.compile(
    r"\b(?P<root>\w+)(?P<rest>(?:\.\w+|\[[^\]\n]*\])*?)(?:\.(?:copy|fill|zero|add|sub|mul|div|masked_fill|index_copy|"
    r"index_fill|index_add|scatter|scatter_add|normal|uniform)_\(|\[[^\n=]*\][ \t]*[-+*/]?=(?!=))"
    r"|\bout[ \t]*=[ \t]*(?P<out>\w+)(?P<tail>(?:\.\w+)*)"
)


class Changed(NamedTuple):
    """A function that the patch changed: its new definition, a changed line of it, what it writes to."""

    definition: Definition
    line: int  # of the new side
    attributes: frozenset[str]  # of `self`, written by it
    arguments: bool  # whether it writes to what it is handed

    @property
    def short(self) -> str:
        return self.definition.qualname.rsplit(".", 1)[-1]


def writes(text: str) -> tuple[frozenset[str], bool]:
    """The attributes of `self` that a function writes to, and whether it writes to an argument, by its text."""
    head = re.search(r"def[ \t]+\w+[^(]*\((.*?)\)[ \t]*(?:->[^\n]*)?:", text, re.S)
    named = set(re.findall(r"(?:^|,)\s*\**(\w+)", head[1])) if head is not None else set()
    named -= {"self", "cls"}
    if named:  # other names of what was handed in, and of what can be reached through it
        words = "|".join(map(re.escape, sorted(named)))
        named |= set(re.findall(rf"^[ \t]*(\w+)[ \t]*=(?!=)[ \t]*(?:{words})\b[.\[]", text, re.M))
    attributes: set[str] = set()
    arguments = False
    for found in _WRITES.finditer(text):
        root, rest = (found["root"], found["rest"]) if found["root"] is not None else (found["out"], found["tail"])
        if root == "self":
            attributes |= set(re.findall(r"\.(\w+)", rest or "")[:1])
        elif root in named:
            arguments = True
    return frozenset(attributes), arguments


def changed_functions(
    old: Unit | None,
    new: Unit,
    removed: frozenset[int],
    added: frozenset[int],
    nearest: Callable[[int], int],
    allocates: re.Pattern[str],
) -> list[Changed]:
    """The functions of the new side with changed lines, other than allocations, that write to what others allocate,
    on either side.
    """
    lines: dict[str, int] = {}
    for unit, numbers in ((new, added), (old, removed)):
        for line in sorted(numbers) if unit is not None else ():
            at = unit.at_line(line) if unit is not None else None
            row = unit.source.line(line) if unit is not None else ""
            silent = not row.strip() or row.lstrip().startswith("#") or allocates.search(row) is not None
            if at is not None and at.kind == "function" and not silent:
                lines.setdefault(at.qualname, line if unit is new else nearest(line))
    out = []
    for qualname, line in lines.items():
        sides = [
            (unit, d)
            for unit in (old, new)
            if unit is not None
            for d in unit.definitions
            if d.kind == "function" and d.qualname == qualname
        ]
        mine = next((d for unit, d in sides if unit is new), None)
        if mine is None or len(sides) > 2:
            continue
        attributes: frozenset[str] = frozenset()
        arguments = False
        for unit, d in sides:
            more, given = writes("\n".join(unit.source.lines[d.first_line - 1 : d.last_line]))
            attributes |= more
            arguments = arguments or given
        if attributes or arguments:
            out.append(Changed(mine, line, attributes, arguments))
    return out[:MOST_FUNCTIONS]


def allocating_callers(
    program: Program, path: str, changed: Changed, allocates: re.Pattern[str]
) -> dict[str, list[Definition]]:
    """Functions of other files that allocate, and say the name of a changed one or hold what it writes to."""
    out: dict[str, list[Definition]] = {}
    short = changed.short
    if changed.attributes and changed.definition.owner:
        _bases(program, path, changed, allocates, out)
    if not changed.arguments:
        return out
    name = changed.definition.owner.rsplit(".", 1)[-1] if short in ("__init__", "__call__", "forward") else short
    if not name or (short.startswith("__") and name == short):
        return out
    call = re.compile(rf"(?<!def )\b{re.escape(name)}\b")
    folder = path.rsplit("/", 1)[0]
    files = [p for p in program.mentioning(name) or () if p != path and not is_test(p)]
    if len(files) > MOST_MENTIONS:
        return out
    files.sort(key=lambda p: (p.rsplit("/", 1)[0] != folder, p))
    for other in files:
        text = program.text(other)
        if not allocates.search(text) or len(out) >= MOST_FILES:
            continue
        unit = program.unit(other)
        if unit is None or unit.language != "python":
            continue
        found = []
        bodies = {
            d: "\n".join(unit.source.lines[d.first_line - 1 : d.last_line])
            for d in unit.definitions
            if d.kind == "function"
        }
        owners = {d.owner for d, body in bodies.items() if name != short and d.owner and call.search(body)}
        for d, body in bodies.items():  # an object that one method makes is called in another
            if (call.search(body) or d.owner in owners) and allocates.search(body):
                found.append(d)
        if found:
            out.setdefault(other, []).extend(found[:MOST_CALLERS])
    return out


def _bases(
    program: Program, path: str, changed: Changed, allocates: re.Pattern[str], out: dict[str, list[Definition]]
) -> None:
    """Methods of the bases in other files that allocate an attribute which the changed method writes to."""
    from allocsafe.flow.values import ClassOf

    cls = program.klass(path, changed.definition.owner)
    if cls is None:
        return
    for base in program.hierarchy.lineage(ClassOf(cls, path))[1:]:
        unit = program.unit(base.path)
        if unit is None or base.path == path:
            continue
        for d in unit.definitions:
            if d.kind == "function" and d.owner == base.cls.qualname:
                body = "\n".join(unit.source.lines[d.first_line - 1 : d.last_line])
                if any(
                    re.search(rf"self\.{re.escape(name)}\s*(?::[^=\n]+)?=(?!=)", body) for name in changed.attributes
                ) and allocates.search(body):
                    out.setdefault(base.path, []).append(d)


__all__ = ["Changed", "allocating_callers", "changed_functions", "writes"]
