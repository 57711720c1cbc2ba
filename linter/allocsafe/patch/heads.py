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
_RENAMED = re.compile(rb"(\w+)[ \t]+as[ \t]+\w")
_GIVEN = re.compile(rb"[ \t]*=[ \t]*(?:\w+\.)*(\w+)[ \t]*\r?$", re.M)
_BASE = re.compile(rb"(?:[^\W\d]\w*\.)*([^\W\d]\w*)")
_BLANK = b" \t"


class Heads:
    """For each name the files in which a class may derive from something that is called so."""

    def __init__(self, files: Iterable[tuple[str, bytes]]) -> None:
        self._files: dict[bytes, dict[str, None]] = {}
        for path, data in files:
            if path.endswith(".py"):
                for word in names(data):
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
    if out:
        for word in list(out):  # another name that the file gave to a base
            for at in _starts(data, word):
                given = _GIVEN.match(data, at + len(word))
                if given is not None:
                    out.add(given[1])
        for space in (b" as", b"\tas"):
            at = data.find(space)
            while at >= 0:
                start = max(data.rfind(b"\n", 0, at), at - 200) + 1
                renamed = next((m for m in _RENAMED.finditer(data, start, at + 40) if m.end(1) <= at < m.end()), None)
                if renamed is not None:
                    out.add(renamed[1])
                at = data.find(space, at + 3)
    at = data.find(b"type(")
    while at >= 0:
        made = _MADE.match(data, at)
        if made is not None:
            out.update(_BASE.findall(made[1]))
        at = data.find(b"type(", at + 5)
    return out


def _starts(data: bytes, word: bytes) -> list[int]:
    """Where the word is the first thing on a line."""
    out = []
    at = data.find(word)
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        if not data[start:at].strip(_BLANK):
            out.append(at)
        at = data.find(word, at + len(word))
    return out


__all__ = ["Heads", "names"]
