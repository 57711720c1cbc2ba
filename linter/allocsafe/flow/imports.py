"""What a module's own lines bind a name to: imports, definitions, assignments, in the order in which they stand.

*Claim.* `Bindings.of(name)` lists everything that may be bound to a module-level name when the module has run: the
last unconditional binding, and every later one under an `if`, `try`, `with` or `for`. *Why that suffices.* A module
runs from top to bottom, once; what stands deeper than the margin may or may not run. An import for type checkers
alone counts where nothing else binds the name. *What it gives up.* Names bound by other modules from outside, and by
a module's `__getattr__`: such a name has no binding here, and is opaque.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from allocsafe.frontends.base import Unit

Kind = Literal["import", "star", "def", "class", "value"]


class Binding(NamedTuple):
    """One line that binds a name. `module` has its leading dots; `what` is the imported name (None: the module)."""

    kind: Kind
    line: int
    certain: bool  # it runs whenever the module does
    module: str = ""
    what: str | None = None
    text: str = ""  # the right side of an assignment
    typing_only: bool = False


_FROM = re.compile(r"from[ \t]+([.\w]+|\.+[ \t]*\w*)[ \t]+import\b[ \t]*(.*)", re.S)
_IMPORT = re.compile(r"import[ \t]+(.*)", re.S)
_ASSIGN = re.compile(r"(\w+(?:[ \t]*,[ \t]*\w+)*)[ \t]*(?::[^=\n]+)?=(?!=)[ \t]*(.*)", re.S)
_BLOCK = re.compile(r"(?:if|elif|else|try|except|finally|with|for|while|match|case)\b")
_HEAD = re.compile(r"(?:(?:if|elif|while|with|for|except|match|case)\b[^:]*|else|try|finally)[ \t]*:[ \t]*(?=\S)")
_INNER = re.compile(r"^[ \t]+(?:from[ \t]+[.\w]+[ \t]+import[ \t]+(?:\([^)]*\)|[^\n#(]*)|import[ \t]+[^\n#]+)", re.M)
_ALL = re.compile(r"^__all__[ \t]*(?::[^=\n]+)?(\+?=)[ \t]*([\[(][^\])]*[\])])", re.M)
_COMPUTED = re.compile(r"^__all__[ \t]*\+?=[ \t]*[^\[(\s]|^__all__\.|^__all__[^\n]*[\])][ \t]*\+", re.M)


class Bindings:
    """The module-level bindings of one file, and the imports inside of its functions."""

    def __init__(self, unit: Unit) -> None:
        self.names: dict[str, list[Binding]] = {}
        self.stars: list[Binding] = []
        self.inner: dict[str, Binding] = {}  # imports of functions, for annotations
        self.declared: set[str] = set()  # names that a function rebinds with `global`
        self._given: tuple[frozenset[str] | None, bool] | None = None  # what `__all__` lists; whether it is computed
        self._text = unit.source.text
        text = self._text
        for found in re.finditer(r"^[ \t]+global[ \t]+([\w, \t]+)", text, re.M):
            self.declared |= set(re.findall(r"\w+", found[1]))
        lines = unit.source.lines
        covered: list[tuple[int, int]] = []
        for d in unit.definitions:
            if "." not in d.qualname:
                certain = not lines[d.first_line - 1][:1].isspace()
                self._bind(d.qualname, Binding("def" if d.kind == "function" else "class", d.first_line, certain))
                covered.append((d.first_line, d.last_line))
        blocks: list[tuple[int, bool]] = []  # indentation, and whether it is for type checkers alone
        for number, row in _outside(lines, getattr(unit, "starts", ()), covered):
            space = len(row) - len(row.lstrip())
            body = row.strip()
            while blocks and space <= blocks[-1][0]:
                blocks.pop()
            if _BLOCK.match(body):
                types = re.match(r"if\b[^:]*\bTYPE_CHECKING\s*:", body) is not None and "not " not in body
                blocks.append((space, types))
                head = _HEAD.match(body)
                if head is None:
                    continue
                body = body[head.end() :]
                space += 1
            for part in body.split(";") if ";" in body and "import" in body else [body]:
                self._line(part.strip(), number, space == 0, blocks, False)
        for found in _INNER.finditer(text):
            self._line(found[0].strip(), 0, False, [], True)
        for several in self.names.values():
            several.sort(key=lambda b: b.line)

    def _bind(self, name: str, binding: Binding) -> None:
        self.names.setdefault(name, []).append(binding)

    def _line(self, body: str, number: int, certain: bool, blocks: Sequence[tuple[int, bool]], inside: bool) -> None:
        """The bindings of one logical line; inside of a definition only its imports count, and apart."""
        types = any(b[1] for b in blocks)
        found = _FROM.match(body)
        made: list[tuple[str, Binding]] = []
        if found is not None:
            module = found[1].replace(" ", "")
            names = re.sub(r"#[^\n]*", "", found[2]).strip("() \t\r\n\\")
            if names == "*":
                if not inside:
                    self.stars.append(Binding("star", number, certain, module))
                return
            for part in names.replace("\\\n", " ").replace("\n", " ").strip("() ").split(","):
                words = part.split()
                if words:
                    bound = Binding("import", number, certain, module, words[0], typing_only=types)
                    made.append((words[-1], bound))
        elif (plain := _IMPORT.match(body)) is not None:
            for part in re.sub(r"#[^\n]*", "", plain[1]).replace("\\\n", " ").split(","):
                words = part.split()
                if len(words) == 3 and words[1] == "as":
                    package, _, last = words[0].rpartition(".")
                    bound = Binding("import", number, certain, package or last, last if package else None)
                    made.append((words[2], bound._replace(typing_only=types)))
                elif words:
                    bound = Binding("import", number, certain, words[0].split(".")[0])
                    made.append((bound.module, bound._replace(typing_only=types)))
        elif not inside and (value := _ASSIGN.match(body)) is not None:
            targets = [w.strip() for w in value[1].split(",")]
            right = re.sub(r"\s*#[^\n]*$", "", value[2]).strip()
            for name in targets:
                self._bind(name, Binding("value", number, certain, text=right if len(targets) == 1 else ""))
            return
        for name, binding in made:
            if inside:
                self.inner.setdefault(name, binding)
            else:
                self._bind(name, binding)

    def of(self, name: str, star: Callable[[Binding], bool] = lambda _: False) -> list[Binding]:
        """What may be bound to the name when the module has run, in order: all but the first may or may not have
        happened. `star`: whether a star import binds it.
        """
        found = self.names.get(name, [])
        if self.stars:
            found = sorted([*found, *(b for b in self.stars if star(b))], key=lambda b: b.line)
        real = [b for b in found if not b.typing_only] or found
        last = max((i for i, b in enumerate(real) if b.certain), default=0)
        return real[last:]

    def exports(self, name: str) -> bool:
        """Whether `from this import *` binds the name, as far as the text says: `__all__`, or no leading underscore."""
        if self._given is None:
            lists = _ALL.findall(self._text) if "__all__" in self._text else []
            words = frozenset(w for _, items in lists for w in re.findall(r"[\"'](\w+)[\"']", items))
            listed = words if any(op == "=" for op, _ in lists) else None
            self._given = listed, listed is not None and _COMPUTED.search(self._text) is not None
        listed, computed = self._given
        if listed is None:
            return not name.startswith("_")
        return name in listed or (computed and not name.startswith("_"))


_KNOWN: WeakKeyDictionary[Unit, Bindings] = WeakKeyDictionary()


def bindings_of(unit: Unit) -> Bindings:
    """The bindings of a file: of the unit alone, so that whoever has the same unit has the same bindings."""
    found = _KNOWN.get(unit)
    if found is None:
        found = _KNOWN[unit] = Bindings(unit)
    return found


def _outside(lines: list[str], starts: Sequence[int], covered: list[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """(first line, text) of the logical lines outside of definitions."""
    gaps = iter(covered)
    gap = next(gaps, None)
    for at, start in enumerate(starts):
        while gap is not None and start > gap[1]:
            gap = next(gaps, None)
        if gap is not None and start >= gap[0]:
            continue
        end = starts[at + 1] - 1 if at + 1 < len(starts) else len(lines)
        row = lines[start - 1]
        if row.strip():
            yield start, row if end == start else "\n".join(lines[start - 1 : end]).rstrip()


__all__ = ["Binding", "Bindings", "bindings_of"]
