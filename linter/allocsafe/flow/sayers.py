"""Who says a function's name, anywhere in the tree: by reading texts, nothing is parsed but what calls it.

*Claim.* `callers` gives every function that may call a function of a module, or says that it cannot. *Why that
suffices.* To call it a program says its name, or a name that an import or an assignment gave it: another name in an
import is searched for as well, an assignment or a text with the name is a way that is not followed. *What it gives
up.* Names that are put together at run time, and more files or names than the bounds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.mentions import Scanned, said, scanned
from allocsafe.flow.readers import Reader
from allocsafe.frontends.base import Unit, Unsupported

if TYPE_CHECKING:
    from allocsafe.flow.program import Program

MOST_FILES = 12
MOST_NAMES = 4

ALL = re.compile(r"^__all__[ \t]*(?::[^=\n]+)?\+?=[ \t]*(?:\[[^\]]*\]|\([^)]*\))", re.M)
_STAR = re.compile(r"import[ \t]+\*")


def has_star(text: str) -> bool:
    """Whether a text imports all names of some module."""
    return "import" in text and "*" in text and _STAR.search(text) is not None


class Sayers(NamedTuple):
    """The functions that say the name, and whether the name gets nowhere else."""

    functions: tuple[Reader, ...]
    complete: bool


def callers(program: Program, path: str, name: str, *, classes: bool = False) -> Sayers:
    """The functions that may call the function or class `name` of the module at `path`. `classes`: a base in the head
    of a class, an annotation and a question about the class are no way to make an object of it."""
    out: dict[tuple[str, int], Reader] = {}
    names, complete = [name], True
    for word in names:
        files = program.mentioning(word)
        if files is None:
            return Sayers(tuple(out.values()), False)
        looked = 0
        for other in files:
            if not other.endswith(".py"):
                continue
            text = program.text(other)
            if other != path and not said(text, word) and not has_star(text):
                continue
            scan = scanned(text)
            if not _concerns(scan, word, own=other == path):
                continue
            looked += 1
            if looked > MOST_FILES:
                complete = False
                break
            complete = _one(program, other, scan, word, out, None if classes else path) and complete
            for found in re.finditer(rf"\b{re.escape(word)}[ \t]+as[ \t]+(\w+)", scan.code):
                if found[1] not in names:
                    names.append(found[1])
        if len(names) > MOST_NAMES:
            return Sayers(tuple(out.values()), False)
    return Sayers(tuple(out.values()), complete)


def harmless(before: str, after: str) -> bool:
    """Whether a class is named without being handed on: a base, an annotation, asked about."""
    if re.match(r"\s*class\b[^:]*\(", before):
        return True
    if re.search(r"(?::|->)\s*(?:[\w.]+\[)*(?:[\w.]+\s*\|\s*)*[\w.]*$", before):
        return re.match(r"[\]\s|\w.]*(?:[,)=:\n]|$)", after) is not None and not re.search(r"\blambda\b|[{]", before)
    return re.search(r"\b(?:isinstance|issubclass|cast)\([^()]*\(?[^()]*$", before) is not None


def _another(program: Program, path: str, before: str, word: str, home: str) -> bool:
    """Whether what is said is surely not the function of that file: a method of some object, or of another module."""
    parts = [part.strip() for part in before.split(".")[:-1]]
    if not parts:
        found = _defined_in(program, path, word)
        return found is not None and found != home
    bindings = program.bindings(path)
    if parts[0] in ("self", "cls", "super()") or not parts[0].isidentifier() or bindings is None:
        return True
    return not program.bound(path, parts[0]) and parts[0] not in bindings.inner  # a variable: an object and its method


def _defined_in(program: Program, path: str, word: str, depth: int = 6) -> str | None:
    """The file whose function a name of a file is; None where that is not plain."""
    if depth == 0:
        return None
    bindings = program.bindings(path)
    if bindings is None:
        return None
    found = program.bound(path, word) or ([bindings.inner[word]] if word in bindings.inner else [])
    if len(found) != 1 or (word in bindings.inner and found[0] != bindings.inner[word]):
        return None
    binding = found[0]
    if binding.kind == "import" and binding.what is not None:
        target = program.target(binding, path)
        return _defined_in(program, target, binding.what, depth - 1) if target is not None else None
    if binding.kind == "star":
        target = program.target(binding, path)
        return _defined_in(program, target, word, depth - 1) if target is not None else None
    return path if program.function_of(path, word) is not None else None


def annotates(scan: Scanned, first: int, last: int) -> bool:
    """Whether a text with a class's name is an annotation."""
    start = scan.source.rfind("\n", 0, first) + 1
    before, after = scan.source[start:first], scan.source[last : last + 2]
    if not re.match(r"\s*(?:(?:async\s+)?def\b|[\w.]+\s*:)", before) or "{" in before:
        return False
    return re.search(r"(?::|->|\[|\|)\s*$", before) is not None and re.match(r"\s*[,)=:\]|\n]|$", after) is not None


def _concerns(scan: Scanned, word: str, *, own: bool) -> bool:
    """Whether the word can mean the function here: of its own file, by an import, or of something."""
    if own or word in scan.texts or scan.members(word):
        return True
    if has_star(scan.code):
        return bool(scan.places(word))
    return scan.is_imported(word)


def _one(
    program: Program, path: str, scan: Scanned, word: str, out: dict[tuple[str, int], Reader], home: str | None
) -> bool:
    """Adds the functions of one file; whether the word does nothing there but be called, imported and given away.
    `home` is where the function is defined; None: it is a class."""
    classes = home is None
    given = [found.span() for found in ALL.finditer(scan.source)] if "__all__" in scan.source else []
    texts = [(a, b) for a, b in scan.texts.get(word, ()) if not any(c <= a and b <= d for c, d in given)]
    if any(not classes or not annotates(scan, *place) for place in texts):
        return False
    imports = scan.imports
    complete = True
    unit: Unit | None = None
    said_here = re.compile(rf"(?<!def )\b{re.escape(word)}\b(?P<call>\s*\()?")
    for at in scan.places(word):
        found = said_here.match(scan.code, at)
        if found is None or any(a <= at < b for a, b in imports):
            continue
        tail = scan.code[found.end() : found.end() + 80]
        if found["call"] is None and re.match(r"[ \t]*(?:=(?!=)|:[^=\n]*=(?!=))", tail):
            continue  # a keyword argument or another thing of the name
        start = scan.code.rfind("\n", 0, at) + 1
        if classes and found["call"] is None and harmless(scan.code[start:at], tail):
            continue
        if classes and re.match(r"\s*class\b", scan.code[start:at]):
            continue
        dotted = re.search(r"(?:[\w\])]+\s*\.\s*)*$", scan.code[start:at])
        if home is not None and path != home and _another(program, path, dotted[0] if dotted else "", word, home):
            continue
        try:
            unit = unit if unit is not None else program.unit(path)
        except (Unsupported, RecursionError):
            return False
        place = unit.at_line(scan.line(at)) if unit is not None else None
        if place is None or place.kind != "function":
            complete = False
            continue
        complete = complete and found["call"] is not None
        out[(path, place.first_line)] = Reader(path, place)
    return complete


__all__ = ["ALL", "Sayers", "annotates", "callers", "harmless"]
