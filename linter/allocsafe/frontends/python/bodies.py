"""What the frontend keeps of a part of a file, and the key under which a later run finds it.

Claim: two parts with one key have the same IR, but for the file's name and the line that they start at. Why: the key
holds everything that lowering reads: the part's own lines and where each logical line begins, the names around it, and
for a method the statements of its class. What it gives up: a comment that moves is another text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from allocsafe.frontends.base import Shelf, Unsupported
from allocsafe.source import Source, Span

if TYPE_CHECKING:  # an earlier run's verdicts need no IR
    from allocsafe.ir.nodes import Function, Param

T = TypeVar("T")

TOO_DEEP = "code that nests too deep"


class ClassBody(NamedTuple):
    """A class's own statements, its annotated fields, and all names that it binds."""

    function: Function
    fields: tuple[Param, ...]
    names: frozenset[str]


class Refusal(NamedTuple):
    """A part that cannot be lowered."""

    span: Span
    reason: str


def key_of(
    words: Iterable[str], source: Source, rows: list[tuple[int, int]], passes: list[tuple[int, str]], first: int
) -> bytes:
    """The key of the part of `source` that consists of these logical lines and starts at line `first`."""
    digest = blake2b(digest_size=20)
    digest.update("\0".join(words).encode("utf-8", "surrogatepass"))
    digest.update(repr(([start - first for start, _ in rows], [(n - first, space) for n, space in passes])).encode())
    for start, end in rows:
        for row in source.lines[start - 1 : end]:
            digest.update(row.encode("utf-8", "surrogatepass"))
            digest.update(b"\n")
        digest.update(b"\0")
    return digest.digest()


def through(shelf: Shelf, key: bytes, path: str, line: int, kind: str, work: Callable[[], T]) -> T:
    """What `work` makes of a part, or made of it in an earlier run. `kind` names the class of that."""
    found = shelf.get(key, path, line)
    if isinstance(found, Refusal):
        raise Unsupported(found.span, found.reason)
    if type(found).__name__ == kind:
        return found  # type: ignore[return-value]  # `kind` is the name of T
    try:
        made = work()
    except Unsupported as error:
        if error.reason != TOO_DEEP:  # that depends on the stack
            shelf.put(key, path, line, Refusal(error.span, error.reason))
        raise
    shelf.put(key, path, line, made)
    return made
