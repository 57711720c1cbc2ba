"""Which allocations of a file a patch can concern, by text: only these are asked about.

*Claim.* `Concern.hits` is true of every allocation whose verdict the patch can change: made, read or written at a
changed statement; named by one, or by a statement that names what a changed one binds, anywhere in the functions that
changed; and all that a function touches in which a branch, a loop, an exit or the head changed. *Why that suffices.*
The verdict depends on the statements that touch the memory, on the values in them, and on whether they run. *What it
gives up.* A value that reaches another function through an attribute under a second name; what changed in another
file (so it is not used where one did). Whoever reports an
allocation that was not asked about must ask again without this (see `pipeline`): it costs time, never a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from allocsafe.flow.mentions import code_of

if TYPE_CHECKING:
    from allocsafe.frontends.base import Unit
    from allocsafe.source import Source

_WORD = re.compile(r"[^\W\d]\w*")
_CONTROL = re.compile(
    r"[ \t]*(?:if|elif|else|for|while|with|try|except|finally|return|raise|break|continue|assert|yield|async|match|case"
    r"|def|class|@|global|nonlocal|del)\b|[ \t]*@"
)
_BOUND = re.compile(
    r"[ \t]*(?P<targets>[^=\n]*?)[ \t]*(?::[^=\n]+)?(?:[-+*/@&|^%]|//|<<|>>|\*\*)?=(?!=)(?P<value>.*)", re.S
)
_MADE = re.compile(r"(?<!\w)(?:new_)?(?:empty|zeros|ones|full|rand\w*)(?:_like)?[ \t]*\(")
_SILENT = frozenset(
    [
        "self", "cls", "torch", "np", "numpy", "None", "True", "False", "and", "or", "not", "in", "is", "if", "else",
        "for", "import", "from", "as", "lambda", "int", "float", "bool", "str", "dict", "list", "tuple", "set",
        "device", "dtype", "size", "shape", "len", "range", "dim", "numel", "item", "max", "min", "cuda", "cpu", "to",
    ]
)  # fmt: skip
"""Words that say nothing of which allocation is meant."""

LEVELS = 3
"""Functions of the file that are followed into one another for the names that they touch."""


class Concern:
    """The changed statements of one side, and what hangs on them."""

    def __init__(self, unit: Unit, changed: Iterable[int], gone: Iterable[tuple[int, str]]) -> None:
        """`changed`: lines of this side; `gone`: changed statements of the other side, with the place here."""
        self.unit = unit
        self._rows = unit.source.text.split("\n")
        self._starts = _starts(code_of(unit.source.text).split("\n"))
        self.lines: set[int] = set()  # first lines of statements that the patch concerns
        self.words: set[str] = set()
        texts = [(self._start(n), self._text(self._start(n))) for n in changed if 0 < n < len(self._starts)]
        self.lines |= {start for start, _ in texts}
        texts += [(self._start(min(max(n, 1), len(self._starts) - 1)), text) for n, text in gone]
        inside: dict[tuple[int, int], list[str]] = {}
        for line, text in texts:
            at = unit.at_line(line)
            place = (at.first_line, at.last_line) if at is not None and at.kind == "function" else (0, 0)
            inside.setdefault(place, []).append(text)
            self.words |= _words(text)
        for (first, last), several in inside.items():
            self._spread(first, last, several)
        self._follow()

    def hits(self, lines: Iterable[int], names: Iterable[str]) -> bool:
        """Whether an allocation that is made or touched at these lines, under these names, is one of them."""
        if any(0 < n < len(self._starts) and self._starts[n] in self.lines for n in lines):
            return True
        return any(word in self.words for name in names for word in _words(name))

    def _start(self, line: int) -> int:
        return self._starts[line] if 0 < line < len(self._starts) else line

    def _text(self, start: int) -> str:
        """The statement that starts there, whole."""
        end = start
        while end + 1 < len(self._starts) and self._starts[end + 1] == start:
            end += 1
        return "\n".join(self._rows[start - 1 : end])

    def _spread(self, first: int, last: int, texts: list[str]) -> None:
        """What else of a changed function hangs on its changed statements."""
        if first == 0:
            return
        everything = any(_CONTROL.match(text) for text in texts)
        tainted: set[str] = set()
        for text in texts:
            tainted |= _binds(text)
        rest = [(n, self._text(n)) for n in range(first, last + 1) if self._start(n) == n and n not in self.lines]
        statements = [(n, text, _words(text)) for n, text in rest]
        hit = True
        while hit and statements:
            left = [each for each in statements if not everything and not each[2] & tainted]
            hit = len(left) < len(statements)
            for line, text, words in statements:
                if everything or words & tainted:
                    self.words |= words
                    self.lines.add(line)
                    tainted |= _targets(text)
            statements = [each for each in left if each[0] not in self.lines]

    def _follow(self) -> None:
        """Adds what the functions touch that a concerned statement calls."""
        functions: dict[str, list[tuple[int, int]]] = {}
        for d in self.unit.definitions:
            if d.kind == "function":
                functions.setdefault(d.qualname.rsplit(".", 1)[-1], []).append((d.first_line, d.last_line))
        known: set[str] = set()
        for _ in range(LEVELS):
            called = (self.words & functions.keys()) - known
            known |= called
            for name in called:
                for first, last in functions[name]:
                    text = "\n".join(self._rows[first - 1 : last])
                    self.words |= {w for w in re.findall(r"\.[ \t]*([^\W\d]\w*)", text) if w not in _SILENT}
            if not called:
                return


class Marked:
    """What a question that is put into a text concerns: the memory at the inserted statements, by its name."""

    def __init__(self, source: Source, root: str | None) -> None:
        self.lines = {put.line for put in source.inserted}
        self.words = _words(root or "")

    def hits(self, lines: Iterable[int], names: Iterable[str]) -> bool:
        """As `Concern.hits`."""
        return not self.lines.isdisjoint(lines) or any(not self.words.isdisjoint(_words(name)) for name in names)


def statements_of(text: str, lines: Iterable[int]) -> list[tuple[int, str]]:
    """The statements of a text that stand at some of its lines: (line, code)."""
    rows = text.split("\n")
    starts = _starts(code_of(text).split("\n"))
    out: dict[int, tuple[int, str]] = {}
    for line in lines:
        if 0 < line < len(starts):
            start = end = starts[line]
            while end + 1 < len(starts) and starts[end + 1] == start:
                end += 1
            out.setdefault(start, (line, "\n".join(rows[start - 1 : end])))
    return list(out.values())


def _starts(rows: list[str]) -> list[int]:
    """For each line, from 1, the line on which its statement starts."""
    out = [0]
    depth, start, joined = 0, 1, False
    for number, row in enumerate(rows, 1):
        if depth <= 0 and not joined:
            start, depth = number, 0
        out.append(start)
        depth += sum(row.count(c) for c in "([{") - sum(row.count(c) for c in ")]}")
        joined = row.endswith("\\")
    return out


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if word not in _SILENT}


def _targets(text: str) -> set[str]:
    """The names that an assignment binds; of `a.b[i]` the last one and the first."""
    bound = _BOUND.match(text)
    if bound is None or "(" in bound["targets"].split("[")[0]:
        return set()
    out: set[str] = set()
    for part in re.sub(r"\[[^\]]*\]", "", bound["targets"]).split(","):
        words = [w for w in _WORD.findall(part) if w not in _SILENT]
        out |= {words[0], words[-1]} if words else set()
    return out


def _binds(text: str) -> set[str]:
    """What a changed statement gives another value or other elements: the names that it binds, and all that it hands
    to a callee.
    """
    if _CONTROL.match(text):
        return _words(text)
    bound = _BOUND.match(text)
    if bound is None:
        return _words(text)
    if "(" not in bound["value"] or _MADE.search(bound["value"]):
        return _targets(text)
    return _words(text)


__all__ = ["Concern", "Marked", "statements_of"]
