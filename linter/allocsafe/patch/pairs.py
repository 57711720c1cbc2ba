"""A patch as the other rooms see it: pairs of files, old and new, and the two whole trees they stand in.

However a patch comes in (text, index, working tree, commits), what leaves this room is a `Change`. Either both texts
of a changed file are known, or `complete` is False and only the lines that the hunks quote are there, at their own
line numbers. A file that could not be read is in `errors` *and* in `pairs`, with no text: it must end as `unknown`,
never as unchanged.

Gives up: only files whose suffix a frontend can read are opened at all; symbolic links count as no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from allocsafe.patch.lines import Block, LineMap, changed_blocks
from allocsafe.source import Source

Status = Literal["modified", "added", "deleted", "renamed", "copied", "mode", "binary"]

SUFFIXES = (".py", ".pyi", ".cpp", ".cc", ".cxx", ".cu", ".cuh", ".h", ".hpp", ".c", ".inl")
"""Files that some frontend reads. Of all others only the name is known."""

NO_LINES: frozenset[int] = frozenset()


class PatchError(Exception):
    """A patch that cannot be read or does not fit. The message is one line for a person: file, hunk and line."""


def judgeable(path: str | None) -> bool:
    """Whether the file is worth opening."""
    return path is not None and path.endswith(SUFFIXES)


def within(path: str | None, only: Sequence[str]) -> bool:
    """Whether `path` is one of `only` or lies in one of these folders; no `only` means everything."""
    if not only:
        return True
    return path is not None and any(path == base or path.startswith(base + "/") for base in map(_plain, only))


def _plain(only: str) -> str:
    only = only.replace("\\", "/").rstrip("/")
    while only.startswith("./"):
        only = only[2:]
    return only


class FilePair:
    """One file on both sides. `lines`, `removed` and `added` are worked out when asked for: most files never are."""

    __slots__ = (
        "_added",
        "_blocks",
        "_lines",
        "_removed",
        "complete",
        "new",
        "new_path",
        "note",
        "old",
        "old_path",
        "status",
    )

    def __init__(
        self,
        old_path: str | None,
        new_path: str | None,
        old: Source | None,
        new: Source | None,
        status: Status,
        note: str = "",
        complete: bool = True,
        blocks: Sequence[Block] | None = None,
    ) -> None:
        self.old_path = old_path  # None: a new file
        self.new_path = new_path  # None: a deleted file
        self.old = old
        self.new = new
        self.status = status
        self.note = note
        self.complete = complete  # False: the texts hold the hunks' lines alone, the rest is blank
        self._blocks = blocks
        self._lines: LineMap | None = None
        self._removed: frozenset[int] | None = None
        self._added: frozenset[int] | None = None

    @property
    def path(self) -> str:
        """The name to show: the new one where there is one."""
        return self.new_path or self.old_path or ""

    @property
    def lines(self) -> LineMap:
        """Old line numbers to new ones and back."""
        if self._lines is None:
            old, new = _rows(self.old), _rows(self.new)
            blocks = self._blocks
            if blocks is None:
                blocks = [] if self.old is self.new else changed_blocks(old, new)
            self._lines = LineMap(blocks, len(new))
        return self._lines

    @property
    def removed(self) -> frozenset[int]:
        """Old-side lines that the patch removed or changed."""
        if self._removed is None:
            self._removed = frozenset(n + 1 for a, b, _, _ in self.lines.blocks for n in range(a, b))
        return self._removed

    @property
    def added(self) -> frozenset[int]:
        """New-side lines that the patch added or changed."""
        if self._added is None:
            self._added = frozenset(n + 1 for _, _, c, d in self.lines.blocks for n in range(c, d))
        return self._added

    def __repr__(self) -> str:
        return (
            f"FilePair({self.old_path!r} -> {self.new_path!r}, {self.status}{'' if self.complete else ', hunks alone'})"
        )


def _rows(source: Source | None) -> list[str]:
    """The lines without the empty one that a final line end leaves behind."""
    if source is None:
        return []
    return source.lines[:-1] if source.lines[-1] == "" else source.lines


class Tree(Protocol):
    """All files of one side, for looking beyond the patch."""

    def read(self, path: str) -> Source | None:
        """The text; None where there is no such file or it is no readable text."""

    def paths(self) -> Sequence[str]:
        """All regular files, relative to the root, with forward slashes, sorted."""

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        """The files with one of these suffixes whose text has `word` as a whole word, sorted."""

    def bases(self, word: str) -> list[str] | None:
        """The Python files in which a class may derive from something that is called `word`, sorted (see
        `patch.heads`); None where nobody has read all heads.
        """


class Change(NamedTuple):
    """A patch, whole. `errors` are (path, message)."""

    pairs: tuple[FilePair, ...]
    old_tree: Tree | None
    new_tree: Tree | None
    errors: tuple[tuple[str, str], ...] = ()
