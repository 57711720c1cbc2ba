"""Where a text may reach an attribute of a given name: by reading code as text, nothing is parsed.

*Claim.* `mentions` gives every place of a file at which code can read or assign an attribute (or import a global) of
the name. *Why that suffices.* To get at an attribute a program writes `.name`, or hands the name as a text to
`getattr` and its like; comments, texts, keyword arguments and local variables of that name do neither. *What it gives
up.* Names that are put together at run time: a file that asks for attributes by a computed text is not told apart
from one that never asks for this one.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["attr", "own", "store", "own-store", "called", "text", "import"]

_TOKEN = re.compile(
    r"#[^\n]*|\"\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r"|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'",
    re.S,
)
_UNQUOTED = str.maketrans("\"'", "  ")
_IMPORT = re.compile(r"^[ \t]*(?:from\b[^\n]*)?\bimport\b(?:[^\n(]*\([^)]*\)|[^\n]*)", re.M)
_BY_NAME = re.compile(r"\b(?:__dict__|vars|asdict|astuple|__getattribute__)\b")
_WORDS = ("__dict__", "vars", "asdict", "astuple", "__getattribute__")
_APART = re.compile(r"\bvars\(|\.__dict__\b|\bas(?:dict|tuple)\(")
_COMPUTED = re.compile(r"\b(?:getattr|attrgetter)\((?:[^,()]|\([^()]*\))*,\s*(?![\"'\s])|\battrgetter\(\s*(?![\"'\s])")
_ASKS = re.compile(r"\b[gs]etattr\(\s*[\w.\[\]]+\s*,\s*$")
_HAS = re.compile(r"\bhasattr\(\s*[\w.\[\]]+\s*,\s*$")


MOST_LETTERS = 80
"""Of a text that may be a name."""


class Mention(NamedTuple):
    """One place. `own`: the receiver is `self` or `cls`; `called`: what is found there is called at once."""

    line: int
    kind: Kind


class Scanned:
    """A text, read once: its code, its texts by what they say, and where its lines begin."""

    __slots__ = ("_imports", "by_name", "code", "source", "starts", "texts")

    def __init__(self, source: str) -> None:
        self.source = source
        self.texts: dict[str, list[tuple[int, int]]] = {}
        out: list[str] = []
        last = 0
        for found in _TOKEN.finditer(source):
            start, end = found.span()
            body, prefix = found[0], ""
            if body[0] != "#":
                prefix = _prefix(source, start)
                start -= len(prefix)
                if "b" not in prefix and len(body) < MOST_LETTERS:
                    self.texts.setdefault(body[1:-1], []).append((start, end))
            out.append(source[last:start])
            if "f" in prefix:
                out.append(source[start:end].translate(_UNQUOTED))
            else:
                out.append(re.sub(r"[^\n]", " ", source[start:end]) if "\n" in body else " " * (end - start))
            last = end
        out.append(source[last:])
        self.code = "".join(out)
        self.starts = array("L", (0, *(m.end() for m in re.finditer("\n", source))))
        self.by_name = (any(word in self.code for word in _WORDS) and _BY_NAME.search(self.code) is not None) or (
            ("getattr(" in source or "attrgetter(" in source) and _COMPUTED.search(source) is not None
        )

        self._imports: tuple[list[tuple[int, int]], str] | None = None

    def line(self, at: int) -> int:
        """The line of a position, from 1."""
        return bisect_right(self.starts, at)

    def places(self, word: str) -> list[int]:
        """Where the code has a word: many times sooner than a pattern that does not begin with it."""
        code, size, out = self.code, len(word), []
        at = code.find(word)
        while at >= 0:
            end = at + size
            if not (at and _is_letter(code[at - 1])) and not (end < len(code) and _is_letter(code[end])):
                out.append(at)
            at = code.find(word, at + 1)
        return out

    def members(self, word: str) -> list[int]:
        """Where the dot stands of each `.word`."""
        dots = (_before(self.code, at) for at in self.places(word))
        return [dot for dot in dots if self.code[dot : dot + 1] == "."]

    def after_dot(self, at: int) -> bool:
        """Whether a dot stands before what is here."""
        dot = _before(self.code, at)
        return self.code[dot : dot + 1] == "."

    @property
    def imports(self) -> list[tuple[int, int]]:
        """Where the import statements stand."""
        return self._imported()[0]

    def is_imported(self, word: str) -> bool:
        """Whether an import statement says the word."""
        said_there = self._imported()[1]
        return word in said_there and re.search(rf"\b{re.escape(word)}\b", said_there) is not None

    def _imported(self) -> tuple[list[tuple[int, int]], str]:
        if self._imports is None:
            spans = [found.span() for found in _IMPORT.finditer(self.code)] if "import" in self.code else []
            self._imports = spans, "\n".join(self.code[first:last] for first, last in spans)
        return self._imports


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"


def _before(code: str, at: int) -> int:
    """The place of the last character before `at` that is no space; -1 where there is none."""
    at -= 1
    while at >= 0 and code[at].isspace():
        at -= 1
    return at


def _prefix(source: str, start: int) -> str:
    """The letters before a quote that belong to it, as small ones."""
    at = start
    while at and start - at < 2 and source[at - 1] in "rRbBuUfF":
        at -= 1
    if at and (source[at - 1].isalnum() or source[at - 1] == "_"):
        return ""  # the end of a word
    return source[at:start].lower()


@lru_cache(maxsize=1024)
def scanned(text: str) -> Scanned:
    """The text as code and texts, kept for the next question about it."""
    return Scanned(text)


_TARGET = re.compile(r"\s*(?:(?::[^=\n]+)?=(?!=)|(?:,[ \t]*[\w. \t]+)+=(?!=)|,[ \t]*=(?!=))")
_LINE_HEAD = re.compile(r"[ \t]+(?:async[ \t]+)?(?:def[ \t]+)?")
_LINE_TAIL = re.compile(r"[ \t]*(?::(?!=)|=(?!=)|\()")
_CASE = re.compile(r"^[ \t]*case\b", re.M)


def said(text: str, name: str) -> bool:
    """Whether the raw text may mention the name in one of the ways that count; the cheap question before a scan."""
    at = text.find(name)
    while at >= 0:
        before = text[max(at - 40, 0) : at].rstrip()
        if before.endswith((".", '"', "'", "{", "\\")) or "import" in text[max(at - 6000, 0) : at]:
            return True
        at = text.find(name, at + 1)
    return name in text and _CASE.search(text) is not None


def code_of(text: str) -> str:
    """The text with comments and texts blanked out; what stands in braces of an f-string is code, and stays."""
    return scanned(text).code


def mentions(text: str, name: str) -> list[Mention]:
    """Every place of the text that may reach an attribute or a global of this name."""
    if not said(text, name):
        return []
    scan = scanned(text)
    code = scan.code
    word = re.escape(name)
    out: list[Mention] = []
    member = re.compile(rf"\.\s*{word}\b(?P<call>\s*\()?")
    for dot in scan.members(name):
        found = member.match(code, dot)
        if found is None:
            continue
        line = scan.line(found.end() - 1)
        own = re.search(r"(?<![\w.])(?:self|cls)\s*$", code[max(found.start() - 12, 0) : found.start()])
        start = code.rfind("\n", 0, found.start()) + 1
        head, tail = code[start : found.start()], code[found.end() : found.end() + 200]
        store = re.fullmatch(r"\s*[\w.\[\]()]*", head) is not None and re.match(r"\s*(?::[^=\n]+)?=(?!=)", tail)
        if found["call"]:
            out.append(Mention(line, "called"))
        elif store:
            out.append(Mention(line, "own-store" if own else "store"))
        else:
            out.append(Mention(line, "own" if own else "attr"))
    for first, last in scan.texts.get(name, ()):
        before, after = text[max(first - 160, 0) : first], text[last : last + 2]
        if _HAS.search(before) or re.search(r"\bregister_\w+\(\s*$", before):
            continue
        kept = (
            re.match(r"\s?:", after)
            or (re.match(r"\s?\]", after) and re.search(r"[\w)\]]\[\s*$", before))
            or re.search(r"\.(?:get|pop)\(\s*$", before)
        )
        if _ASKS.search(before):
            out.append(Mention(scan.line(first), "attr"))
        elif scan.by_name or not kept:
            out.append(Mention(scan.line(first), "text"))
    if "case" in code and re.search(r"^\s*case\b", code, re.M):  # a class pattern asks for the attributes that it names
        out += [
            Mention(scan.line(m.end()), "text")
            for m in re.finditer(rf"^[ \t]*case\b[^\n]*\b{word}\s*=(?!=)", code, re.M)
        ]
    if scan.is_imported(name):
        pattern = rf"^[ \t]*(?:from\b[^\n]*)?\bimport\b(?:[^\n(]*|[^\n]*\([^)]*?)\b(?<!\.){word}\b"
        out += [Mention(scan.line(m.end()), "import") for m in re.finditer(pattern, code, re.M)]
    return out


def takes_apart(text: str) -> bool:
    """Whether a text has words by which an instance gives all its attributes away at once."""
    if "vars" not in text and "__dict__" not in text and "asdict" not in text and "astuple" not in text:
        return False
    return _APART.search(scanned(text).code) is not None


def defines(text: str, name: str) -> list[tuple[int, bool]]:
    """The lines at which a class may give itself an attribute of this name, and whether by `self.name = `; other lines
    count only where they stand in a class body.
    """
    if name not in text:
        return []
    scan = scanned(text)
    code = scan.code
    word = re.escape(name)
    out: list[tuple[int, bool]] = []
    for dot in scan.members(name):
        own = _before(code, dot) - 3
        front = code[own - 1] if own > 0 else " "
        if own >= 0 and code.startswith("self", own) and not _is_letter(front) and front != ".":
            at = code.index(name, dot) + len(name)
            if _TARGET.match(code, at):  # alone or in a row of targets
                out.append((scan.line(own), True))
    if "self.register_" in text:
        calls = re.finditer(rf"\bself\.register_\w+\(\s*[\"']{word}[\"']", text)
        out += [(scan.line(m.start()), True) for m in calls]
    for at in scan.places(name):
        head = code[code.rfind("\n", 0, at) + 1 : at]
        if _LINE_HEAD.fullmatch(head) and _LINE_TAIL.match(code, at + len(name)):
            out.append((scan.line(at), False))
    return out


__all__ = ["Mention", "code_of", "defines", "mentions", "scanned", "takes_apart"]
