"""Who calls a function, and the phase that this gives it: by its name, in the texts of the whole tree.

*Claim.* `callers` gives every function that says the name, or None where the name is said outside of functions, as a
text, or in too many files. *Why that suffices.* A phase is taken from callers only if each of them calls the function
there and then, and has a phase itself. *What it gives up.* Calls without the name: a module's `forward`, operators.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.mentions import scanned
from allocsafe.frontends.base import Definition, Unit, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from allocsafe.api import Phase
    from allocsafe.flow.program import Program

MOST_FILES = 8
"""Files that say one function's name."""

Place = tuple[str, int]

_IMPORT = re.compile(r"\bimport\b")


class Reader(NamedTuple):
    """A function of the tree that says one of the names."""

    path: str
    definition: Definition

    @property
    def short(self) -> str:
        return self.definition.qualname.rsplit(".", 1)[-1]


class Callers(NamedTuple):
    """The functions that say a name, and whether each of them calls it there and then."""

    functions: tuple[Reader, ...]
    only_calls: bool


class Calls:
    """Callers by name; every answer is kept."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._callers: dict[tuple[str, str], Callers | None] = {}

    def callers(self, reader: Reader) -> Callers | None:
        """The functions of the tree that say a function's name; None when it is said where no function is, or in too
        many files.
        """
        key = (reader.short, reader.path)
        if key not in self._callers:
            self._callers[key] = self._find_callers(reader)
        return self._callers[key]

    def _find_callers(self, reader: Reader) -> Callers | None:
        short = reader.short
        files = self.program.mentioning(short)
        if files is None:
            return None
        word = re.escape(short)
        out: dict[Place, Reader] = {}
        only_calls = True
        here = re.compile(rf"{word}\b(?P<call>\s*\()?")
        for number, other in enumerate(files):
            scan = scanned(self.program.text(other))
            places = scan.places(short)
            if reader.definition.owner:
                places = [at for at in places if scan.after_dot(at)]
            elif other != reader.path:
                first = _IMPORT.search(scan.code)
                imported = first is not None and any(at > first.start() for at in places)
                if not imported and not any(scan.after_dot(at) for at in places):
                    continue
            said = [found for at in places if (found := here.match(scan.code, at)) is not None]
            if short in scan.texts:
                return None
            if not said:
                continue
            unit = unit_of(self.program, other)
            if unit is None or number >= MOST_FILES:
                return None
            for found in said:
                line = scan.line(found.end() - 1)
                row = unit.source.line(line)
                if re.match(rf"\s*(?:(?:async\s+)?def\s+{word}\b|from\b|import\b)", row):
                    continue
                at = unit.at_line(line)
                if at is None or at.kind != "function":
                    if re.match(r"\s*[\w, ()]+$", row):  # one of several names of an import
                        continue
                    return None
                only_calls = only_calls and found["call"] is not None
                out[(other, at.first_line)] = Reader(other, at)
        return Callers(tuple(out.values()), only_calls)

    def phase(self, reader: Reader, phase_named: Callable[[str], Phase | None], depth: int = 2) -> Phase | None:
        """The phase of a function's name; else the one phase, or the span of phases, of all who call it. Somebody
        else's construction says nothing about when this object is used.
        """
        own = phase_named(reader.short)
        if own is not None or depth == 0:
            return own
        above = self.callers(reader)
        if above is None or not above.functions or not above.only_calls:
            return None
        found: list[Phase] = []
        for caller in above.functions:
            phase = self.phase(caller, phase_named, depth - 1) if caller != reader else None
            if phase is None or phase.rank <= 1:
                return None
            found.append(phase)
        return spanning(found)


def unit_of(program: Program, path: str) -> Unit | None:
    """The file, or None where it cannot be read."""
    try:
        return program.unit(path)
    except (Unsupported, RecursionError):
        return None


def phase_by_word(name: str, phases: tuple[Phase, ...]) -> Phase | None:
    """The first phase one of whose words matches the whole name."""
    return next((p for p in phases if any(re.fullmatch(word, name) for word in p.words)), None)


_HEAD = re.compile(r"\bdef[ \t]+\w+[^(]*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")


def phase_by_argument(text: str, phases: tuple[Phase, ...]) -> Phase | None:
    """The first phase of those who are handed such a thing as the head of this definition names; see `Phase.takes`."""
    head = _HEAD.search(text)
    if head is None:
        return None
    flat = re.sub(r"=[^,]*", "", re.sub(r"#[^\n]*", "", head[1]))
    names = {name for name in re.findall(r"[A-Za-z_]\w*", flat) if name not in ("self", "cls")}
    return next((p for p in phases if any(re.fullmatch(word, name) for word in p.takes for name in names)), None)


def with_capture(phase: Phase | None) -> bool:
    """Whether a phase of several callers begins with a capture."""
    return phase is not None and phase.last_rank is not None and "capture" in phase.name.split(" or ")


def spanning(phases: list[Phase]) -> Phase:
    """One phase that runs whenever one of these does."""
    first = min(p.rank for p in phases)
    last = max(p.last_rank if p.last_rank is not None else p.rank for p in phases)
    names = list(dict.fromkeys(p.name for p in phases))
    if len(names) == 1:
        return phases[0]
    return type(phases[0])(" or ".join(names), first, (), last if last > first else None)


__all__ = ["Callers", "Calls", "Reader", "phase_by_argument", "phase_by_word", "spanning", "unit_of", "with_capture"]
