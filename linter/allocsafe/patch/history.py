"""A change that git knows: two commits, the index against HEAD, the working tree against HEAD.

Git is asked once which files differ (`--raw -z -M`: no quoting, renames found) and then hands out the objects; which
lines differ is worked out from the texts. Untracked files are no part of a change, as for `git diff`.

Gives up: copies are not searched for (a copied file is a new file); submodules and symbolic links are left out; a
file that turned into a link is deleted, one that was a link is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from allocsafe.patch.contents import refusal, source
from allocsafe.patch.folder import FolderTree
from allocsafe.patch.names import text
from allocsafe.patch.objects import REGULAR, GitTree, IndexTree, Repository
from allocsafe.patch.pairs import Change, FilePair, PatchError, Status, Tree, judgeable, within
from allocsafe.source import Source

_CONFLICT = "has merge conflicts"
_LIST = ("--raw", "-z", "-M", "--no-abbrev", "--ignore-submodules=all", "--no-ext-diff")


class _Entry(NamedTuple):
    """One line of git's raw listing."""

    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    kind: str
    old_path: str
    new_path: str


def from_git(root: Path, old: str, new: str, only: Sequence[str] = ()) -> Change:
    """The difference of two commits."""
    repo = Repository(root)
    before, after = GitTree(repo, old), GitTree(repo, new)
    listing = repo.run("diff-tree", "-r", *_LIST, before.tree, after.tree)
    return _Reading(repo, before, after, after.keep, only).change(listing)


def from_staged(root: Path, only: Sequence[str] = ()) -> Change:
    """What is staged, against HEAD."""
    repo = Repository(root)
    repo.top()
    before, after = GitTree(repo, repo.head()), IndexTree(repo)
    listing = repo.run("diff-index", "--cached", *_LIST, before.tree)
    return _Reading(repo, before, after, after.keep, only).change(listing)


def from_worktree(root: Path, only: Sequence[str] = ()) -> Change:
    """What the working tree holds, staged or not, against HEAD."""
    repo = Repository(root)
    top = repo.top()
    before = GitTree(repo, repo.head())
    after = FolderTree(top)
    listing = repo.run("diff-index", *_LIST, before.tree)
    return _Reading(repo, before, after, None, only, after.data).change(listing)


class _Reading:
    """Reads the files that a listing names."""

    def __init__(
        self,
        repo: Repository,
        before: GitTree,
        after: Tree,
        keep: Callable[[str, Source | None], None] | None,
        only: Sequence[str],
        on_disk: Callable[[str], bytes | None] | None = None,
    ) -> None:
        self.repo, self.before, self.after = repo, before, after
        self.keep, self.only, self.on_disk = keep, only, on_disk
        self.errors: dict[str, str] = {}

    def change(self, listing: bytes) -> Change:
        conflicts = set()
        pairs = []
        for entry in _entries(listing):
            if not (within(entry.old_path, self.only) or within(entry.new_path, self.only)):
                continue
            if entry.kind == "U":
                conflicts.add(entry.new_path)
                self.errors[entry.new_path] = _CONFLICT
            elif "160000" not in (entry.old_mode, entry.new_mode) and entry.new_path not in conflicts:
                pair = self._pair(entry)
                if pair is not None:
                    pairs.append(pair)
        return Change(tuple(pairs), self.before, self.after, tuple(self.errors.items()))

    def _pair(self, entry: _Entry) -> FilePair | None:
        old_path = entry.old_path if entry.old_mode in REGULAR else None
        new_path = entry.new_path if entry.new_mode in REGULAR else None
        if old_path is None and new_path is None:
            return None  # a symbolic link
        status = _status(entry, old_path, new_path)
        note = "a symbolic link on the other side" if entry.kind == "T" else ""
        if not (judgeable(old_path) or judgeable(new_path)):
            return FilePair(old_path, new_path, None, None, status, note)
        old = self._text(old_path, entry.old_blob)
        if old_path is not None and new_path is not None and entry.old_blob == entry.new_blob:
            new = old if old is None else (old if old_path == new_path else Source(new_path, old.text))
        else:
            new = self._text(new_path, entry.new_blob)
        reason = next((self.errors[path] for path in (old_path, new_path) if path in self.errors), "")
        if reason:
            return FilePair(old_path, new_path, None, None, "binary" if "NUL" in reason else status, reason)
        if status == "modified" and old is not None and new is not None and old.text == new.text:
            if entry.old_mode == entry.new_mode and set(entry.new_blob) == {"0"}:
                return None  # git saw a newer date, not another content
            status = "mode" if entry.old_mode != entry.new_mode else status
        if old is not None and old_path is not None:
            self.before.keep(old_path, old)
        if new is not None and new_path is not None and self.keep is not None:
            self.keep(new_path, new)
        return FilePair(old_path, new_path, old, new, status, note)

    def _text(self, path: str | None, blob: str) -> Source | None:
        if path is None:
            return None
        if set(blob) != {"0"}:
            data = self.repo.blob(blob)
        elif self.on_disk is None:
            data = b""  # `git add --intent-to-add`: announced, nothing staged
        else:
            try:
                data = self.on_disk(path)
            except OSError as error:
                self.errors[path] = f"cannot be read: {error.strerror or error}"
                return None
        if data is None:
            self.errors[path] = "cannot be read: its content is not there"
            return None
        reason = refusal(data)
        if set(blob) == {"0"} and b"\n<<<<<<< " in b"\n" + data and b"\n>>>>>>> " in data:
            reason = _CONFLICT  # of a working tree git lists these as merely changed
        if reason:
            self.errors[path] = reason
            return None
        return source(path, data)


def _status(entry: _Entry, old_path: str | None, new_path: str | None) -> Status:
    if old_path is None:
        return "added"
    if new_path is None:
        return "deleted"
    if old_path != new_path:
        return "copied" if entry.kind == "C" else "renamed"
    return "mode" if entry.old_blob == entry.new_blob else "modified"


def _entries(listing: bytes) -> list[_Entry]:
    """`:100644 100644 <blob> <blob> M NUL path NUL`, with a second path for R and C."""
    fields = iter(listing.split(b"\0"))
    found: list[_Entry] = []
    for head in fields:
        if not head.startswith(b":"):
            continue
        words = head[1:].decode("ascii").split(" ")
        if len(words) != 5:  # git does not write this
            raise PatchError(f"git's listing cannot be read: {head.decode('ascii', 'replace')}")
        old_path = new_path = text(next(fields))
        if words[4][0] in "RC":
            new_path = text(next(fields))
        found.append(_Entry(words[0], words[1], words[2], words[3], words[4][0], old_path, new_path))
    return found
