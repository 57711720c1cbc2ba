"""Patches in, pairs of files out: text, the index, the working tree, commits, or a patch on top of a commit.

Imports nothing that costs: git is only loaded when it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from allocsafe.patch.lines import LineMap
from allocsafe.patch.pairs import SUFFIXES, Change, FilePair, PatchError, Status, Tree, judgeable


def from_patch(text: bytes, root: Path | None, rev: str | None = None, only: Sequence[str] = ()) -> Change:
    """A patch on top of commit `rev`, or on a folder with its old or new side, or (no `root`) by its hunks alone."""
    from allocsafe.patch import ontop

    return ontop.from_patch(text, root, rev, only)


def from_git(root: Path, old: str, new: str, only: Sequence[str] = ()) -> Change:
    """The difference of two commits; nothing is checked out, a bare repository serves."""
    from allocsafe.patch import history

    return history.from_git(root, old, new, only)


def from_staged(root: Path, only: Sequence[str] = ()) -> Change:
    """The index against HEAD."""
    from allocsafe.patch import history

    return history.from_staged(root, only)


def from_worktree(root: Path, only: Sequence[str] = ()) -> Change:
    """The working tree against HEAD; untracked files are left out."""
    from allocsafe.patch import history

    return history.from_worktree(root, only)


__all__ = [
    "SUFFIXES", "Change", "FilePair", "LineMap", "PatchError", "Status", "Tree",
    "from_git", "from_patch", "from_staged", "from_worktree", "judgeable",
]  # fmt: skip
