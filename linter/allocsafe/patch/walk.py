"""A patch applied to a tree in memory, or taken back from it, and the pairs of files that it went over.

A series of mails is applied in order, a later mail on the results of the earlier; within one mail every file starts
from what was there before it, so two files may swap names. The pair that comes out spans the whole series: for each
path it is remembered which path of the base it came from.

    mail 1: a.py -> b.py      mail 2: b.py changed      came: {b.py: a.py}   pair: a.py before both, b.py after both

Claims: nothing is recorded unless every hunk of every file that can be judged fits; the first that does not is
`failure`.

Gives up: only files that can be judged are read and checked; whether the rest of the patch applies is not our
question.
"""

from __future__ import annotations

from typing import Protocol

from allocsafe.patch.contents import refusal, shown, source
from allocsafe.patch.fit import Misfit, applied, fits, split
from allocsafe.patch.folder import OverlayTree
from allocsafe.patch.pairs import Change, FilePair, Tree, judgeable
from allocsafe.patch.unified import LINK, FileDiff
from allocsafe.source import Source


class Base(Tree, Protocol):
    """A tree that hands out bytes too."""

    def data(self, path: str) -> bytes | None: ...


def opened(diff: FileDiff) -> bool:
    """Whether the file's text matters at all."""
    return diff.mode != LINK and not diff.binary and (judgeable(diff.old_path) or judgeable(diff.new_path))


def by_name(diff: FileDiff, errors: dict[str, str]) -> FilePair:
    """The pair of a file that is not opened; a source given as binary is an error as well."""
    note = "a symbolic link" if diff.mode == LINK else ("the patch gives it as binary" if diff.binary else "")
    if diff.binary and (judgeable(diff.old_path) or judgeable(diff.new_path)):
        errors[diff.path] = note
    return FilePair(diff.old_path, diff.new_path, None, None, diff.status, note)


class Walk:
    """The patch, applied to `base` or taken back from it. Stops at the first thing that does not fit."""

    def __init__(self, base: Base, diffs: list[FileDiff], reverse: bool) -> None:
        self.base, self.reverse = base, reverse
        self.files: dict[str, bytes | None] = {}  # what the patch made of the base
        self.came: dict[str, str | None] = {}  # a path now -> its path in the base, None: made by the patch
        self.start: dict[str, str | None] = {}  # the same, before the mail that is being read
        self.gone: dict[str, None] = {}  # paths of the base that are no more
        self.copies: set[str] = set()
        self.undone: list[tuple[str, str, bytes, bytes]] = []  # copies taken back: old path, new path, old, new
        self.closed: list[FilePair] = []  # known by name only
        self.errors: dict[str, str] = {}
        self.failure = ""
        self.done = self.moved = self.compared = 0
        for batch in _batches(diffs, reverse):
            writes: dict[str, bytes | None] = {}
            self.start = dict(self.came)
            for diff in batch:
                self.failure = self._file(diff, writes)
                if self.failure:
                    return
                self.done += 1
            self.files.update(writes)

    def _file(self, diff: FileDiff, writes: dict[str, bytes | None]) -> str:
        """One file. Returns what does not fit, or nothing."""
        if not opened(diff):
            self.closed.append(by_name(diff, self.errors))
            left = diff.new_path if self.reverse else diff.old_path
            if diff.mode == LINK and left is not None and left != (diff.old_path if self.reverse else diff.new_path):
                writes[left] = None  # a file may take the link's name
            return ""
        source_path, target = (diff.new_path, diff.old_path) if self.reverse else (diff.old_path, diff.new_path)
        data = b""
        if source_path is not None:
            found = self._data(source_path)
            if isinstance(found, str):
                self.errors[diff.path] = found
                self.closed.append(FilePair(diff.old_path, diff.new_path, None, None, diff.status, found))
                return ""
            if found is None:
                return f"{_first(diff)}: there is no such file as {shown(source_path)} in the tree"
            data = found
        elif target is not None and (target not in writes or writes[target]) and self._data(target):
            return f"{_first(diff)}: the patch makes this file, but it is there already"
        rows = split(data)
        fit = fits(rows, diff.hunks, self.reverse)
        if isinstance(fit, Misfit):
            return f"{shown(diff.path)}: {fit}"
        self.moved += fit.moved
        self.compared += fit.compared
        result = applied(rows, diff.hunks, fit, self.reverse)
        if target is None and diff.hunks and result:
            return f"{_first(diff)}: the patch removes the whole file, but the file has more lines"
        self._record(diff, source_path, target, data, result, writes)
        return ""

    def _record(
        self,
        diff: FileDiff,
        origin: str | None,
        target: str | None,
        data: bytes,
        result: bytes,
        writes: dict[str, bytes | None],
    ) -> None:
        root = None if origin is None else self.start.get(origin, origin)
        if diff.status == "copied" and origin is not None and target is not None:
            if self.reverse:  # the copy goes, what it was made from stays as it is
                self.undone.append((target, origin, result, data))
                writes[origin] = None
            else:
                writes[target] = result
                self.came[target] = root
                self.copies.add(target)
            return
        if origin is not None and origin != target:
            if writes.get(origin) is None:  # else another file has just taken its name
                writes[origin] = None
                self.came.pop(origin, None)
            if root is not None:
                self.gone[root] = None
        if target is not None:
            writes[target] = result
            if root is None and target in self.gone:
                root = target
            self.came[target] = root
            if root is not None:
                self.gone.pop(root, None)

    def _data(self, path: str) -> bytes | str | None:
        """Bytes, None: not there, or why they cannot be read."""
        if path in self.files:
            return self.files[path]
        try:
            data = self.base.data(path)
        except OSError as error:
            return f"cannot be read: {error.strerror or error}"
        return data if data is None else refusal(data) or data

    def change(self) -> Change:
        """The pairs that the walk went over, and both trees."""
        texts: dict[str, Source | None] = {}
        for path, data in self.files.items():
            why = None if data is None else refusal(data)
            if why:
                self.errors[path] = why
            texts[path] = None if data is None or why else source(path, data)
        other = OverlayTree(self.base, texts)
        old_tree, new_tree = (other, self.base) if self.reverse else (self.base, other)
        pairs = [self._pair(now, was, texts) for now, was in self.came.items()]
        pairs += [self._pair(None, was, texts) for was in self.gone]
        for old_path, new_path, before, after in self.undone:
            pairs.append(FilePair(old_path, new_path, source(old_path, before), source(new_path, after), "copied"))
        return Change((*pairs, *self.closed), old_tree, new_tree, tuple(self.errors.items()))

    def _pair(self, now: str | None, was: str | None, texts: dict[str, Source | None]) -> FilePair:
        before = None if was is None else self.base.read(was)
        after = None if now is None else texts.get(now)
        paths, sides = (was, now), (before, after)
        if self.reverse:
            paths, sides = paths[::-1], sides[::-1]
        old, new = sides
        note = next((self.errors[path] for path in paths if path in self.errors), "")
        if note:
            return FilePair(*paths, None, None, "modified", note)
        if paths[0] is None:
            return FilePair(*paths, old, new, "added")
        if paths[1] is None:
            return FilePair(*paths, old, new, "deleted")
        if paths[0] != paths[1]:
            return FilePair(*paths, old, new, "copied" if now in self.copies else "renamed")
        same = old is not None and new is not None and old.text == new.text
        return FilePair(*paths, old, new, "mode" if same else "modified")


def _first(diff: FileDiff) -> str:
    return f"{shown(diff.path)}: hunk 1 ({diff.hunks[0]})" if diff.hunks else shown(diff.path)


def _batches(diffs: list[FileDiff], reverse: bool) -> list[list[FileDiff]]:
    """The patch cut where a file comes up again: what starts there is made on top of what was before."""
    batches: list[list[FileDiff]] = []
    used: set[str] = set()
    made: set[str] = set()
    mail = -1
    for diff in diffs:
        again = diff.new_path in made or (diff.old_path in used and diff.status != "copied")
        if diff.batch != mail or again:
            batches.append([])
            used, made, mail = set(), set(), diff.batch
        batches[-1].append(diff)
        if diff.status != "copied" and diff.old_path:
            used.add(diff.old_path)
        if diff.new_path:
            made.add(diff.new_path)
    return batches[::-1] if reverse else batches
