"""Which files may hold classes below a class of a name, by reading the heads of all classes once.

Claim: a class names its bases in its head, each by its own name, by one that an import gave it (`Base as B`) or by
one that its file assigned (`B = module.Base`), or it is made by `type(name, (Base,), ...)`; a file with none of these
has no class below. Why not search for the name: an analysis asks for the families of dozens of classes, a search of
2,000 files takes 10 to 20 ms each, and reading all heads takes 100 ms once. What it gives up: a name that is assigned
in one file and used as a base in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEAD = re.compile(rb"[ \t]*class[ \t]+\w+(?:\[[^\]\n]*\])?[^:(\n]*\(((?:[^()]|\([^()]*\))*)")
_MADE = re.compile(rb"type\(\s*[^,()]+,\s*\(([^()]*)")
_RENAMED = re.compile(rb"(\w+)[ \t]+as[ \t]+$")
_GIVEN = re.compile(rb"[ \t]*=[ \t]*(?:\w+\.)*(\w+)[ \t]*\r?$", re.M)
_BASE = re.compile(rb"(?:[^\W\d]\w*\.)*([^\W\d]\w*)")
_BLANK = b" \t"
_APART = b" \t\n"


class Heads:
    """For each name the files in which a class may derive from something that is called so.

    `like`: the heads of another tree; a file that is the same bytes there is not read again.
    """

    def __init__(self, files: Iterable[tuple[str, bytes]], like: Heads | None = None) -> None:
        self._files: dict[bytes, dict[str, None]] = {}
        self._read: dict[str, tuple[bytes, set[bytes]]] = {}
        for path, data in files:
            if path.endswith(".py"):
                known = None if like is None else like._read.get(path)
                self._read[path] = (data, names(data)) if known is None or known[0] is not data else known
                for word in self._read[path][1]:
                    self._files.setdefault(word, {})[path] = None

    def files(self, word: str) -> list[str]:
        """The files, sorted."""
        return sorted(self._files.get(word.encode("utf-8", "surrogateescape"), ()))


def names(data: bytes) -> set[bytes]:
    """What one file's classes may derive from."""
    out: set[bytes] = set()
    for at in _starts(data, b"class "):
        head = _HEAD.match(data, at)
        if head is not None:
            out.update(_BASE.findall(head[1]))
    todo = list(out)
    while todo:  # another name that the file gave to a base
        new = _renamed(data, todo.pop()) - out
        out |= new
        todo += new
    at = data.find(b"type(")
    while at >= 0:
        made = _MADE.match(data, at)
        if made is not None:
            out.update(_BASE.findall(made[1]))
        at = data.find(b"type(", at + 5)
    return out


def _renamed(data: bytes, word: bytes) -> set[bytes]:
    """What the file says that this name stands for, in an import or an assignment."""
    out: set[bytes] = set()
    at = data.find(word)
    while at >= 0:
        if not at or data[at - 1] in _APART:  # most are parts of words, or stand behind a dot
            front = data[data.rfind(b"\n", 0, at) + 1 : at]
            found = _RENAMED.search(front) if front.strip(_BLANK) else _GIVEN.match(data, at + len(word))
            if found is not None:
                out.add(found[1])
        at = data.find(word, at + len(word))
    return out


def _starts(data: bytes, word: bytes) -> list[int]:
    """Where the word is the first thing on a line."""
    out = []
    at = data.find(word)
    while at >= 0:
        if not at or data[at - 1] in _APART:
            start = data.rfind(b"\n", 0, at) + 1
            if not data[start:at].strip(_BLANK):
                out.append(at)
        at = data.find(word, at + len(word))
    return out


__all__ = ["Heads", "names"]
