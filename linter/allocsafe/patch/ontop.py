"""A patch given as text: on top of a commit, on a folder that holds its old or its new side, or without any sources.

    the tree holds        what is done                              old side     new side
    old (or a commit)     hunks applied in memory                   the tree     tree + results
    new                   hunks taken back in memory                tree + results   the tree
    neither               an error: the first hunk that fails       -            -
    none of the files     the hunks alone, at their line numbers    -            -

Which side it is, is decided for the patch as a whole: all its files fit as old, or all fit as new. Where both fit (a
repeated line inserted or removed), git's blob ids decide if the patch has them, then the side whose hunks had to move
less, then the side that compared more lines, then old.

Gives up: only files that can be judged are read and checked; whether the rest of the patch applies is not our
question.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from allocsafe.patch.contents import shown
from allocsafe.patch.folder import FolderTree
from allocsafe.patch.names import leads_out
from allocsafe.patch.pairs import Change, PatchError, judgeable, within
from allocsafe.patch.quotes import from_hunks
from allocsafe.patch.unified import FileDiff, parse
from allocsafe.patch.walk import Base, Walk, opened


def from_patch(text: bytes, root: Path | None, rev: str | None = None, only: Sequence[str] = ()) -> Change:
    """The patch `text` on top of commit `rev` of the repository `root`, or on the folder `root`, or by itself."""
    diffs = parse(text)
    for diff in diffs:
        if leads_out(diff.old_path or "") or leads_out(diff.new_path or ""):
            raise PatchError(f"{shown(diff.path)}: a path that leads out of the tree")
    if root is None and rev is None:
        return _chosen(from_hunks(diffs), only)
    if root is None:
        root = Path()
    if not root.is_dir():
        raise PatchError(f"{root}: no such folder")
    if rev is not None:
        return _chosen(_on_commit(diffs, root, rev), only)
    base = _base(diffs, root)
    if base is None:
        return _chosen(from_hunks(diffs, f"not found in {root}"), only)
    return _chosen(_on_tree(diffs, base), only)


def _chosen(change: Change, only: Sequence[str]) -> Change:
    """`only` restricts what is judged; the trees still hold the whole patch."""
    if not only:
        return change
    return change._replace(
        pairs=tuple(pair for pair in change.pairs if within(pair.old_path, only) or within(pair.new_path, only)),
        errors=tuple(error for error in change.errors if within(error[0], only)),
    )


def _on_commit(diffs: list[FileDiff], root: Path, rev: str) -> Change:
    from allocsafe.patch.objects import GitTree

    base = GitTree(root, rev)
    _resolve(diffs, base)
    ahead = Walk(base, diffs, reverse=False)
    if ahead.failure:
        back = Walk(base, diffs, reverse=True)
        already = "" if back.failure else f" ({rev} already holds the patch)"
        raise PatchError(f"{ahead.failure}{already}")
    return ahead.change()


def _on_tree(diffs: list[FileDiff], base: Base) -> Change:
    ahead, back = Walk(base, diffs, reverse=False), Walk(base, diffs, reverse=True)
    if ahead.failure and back.failure:
        if ahead.done >= back.done:
            raise PatchError(f"{ahead.failure} (nor does the tree hold the patched side)")
        raise PatchError(f"{back.failure} (the tree seems to hold the patched side, but not all of it)")
    if ahead.failure:
        return back.change()
    if back.failure:
        return ahead.change()
    by_id = _named_side(diffs, base)
    if by_id is not None:
        return (back if by_id else ahead).change()
    return (back if (back.moved, -back.compared) < (ahead.moved, -ahead.compared) else ahead).change()


def _base(diffs: list[FileDiff], root: Path) -> Base | None:
    """Where the patch's files are: `root`, or the repository that it lies in. None: none of them is anywhere."""
    wanted = [diff for diff in diffs if opened(diff)]
    base: Base = FolderTree(root)
    if _is_bare(root):
        from allocsafe.patch.objects import GitTree

        base = GitTree(root, "HEAD")
        _resolve(diffs, base)
        return base
    if not any(diff.old_path and diff.new_path for diff in wanted) or _any_there(wanted, base):
        _resolve(diffs, base)
        return base
    here = root.resolve()
    while not (here / ".git").exists() and here != here.parent:
        here = here.parent
    if here != here.parent and here != root.resolve():
        base = FolderTree(here)
        if _any_there(wanted, base):
            _resolve(diffs, base)
            return base
    return None


def _any_there(diffs: list[FileDiff], base: Base) -> bool:
    return any(_there(base, path) for diff in diffs for path in (diff.old_path, diff.new_path, *diff.choices))


def _there(base: Base, path: str | None) -> bool:
    try:
        return path is not None and base.data(path) is not None
    except OSError:
        return True


def _is_bare(root: Path) -> bool:
    return not (root / ".git").exists() and (root / "HEAD").is_file() and (root / "objects").is_dir()


def _resolve(diffs: list[FileDiff], base: Base) -> None:
    """Which file a name of `diff -u` means: the first choice that the tree has."""
    for diff in diffs:
        for choice in diff.choices:
            if judgeable(choice) and not leads_out(choice) and _there(base, choice):
                diff.old_path = diff.old_path and choice
                diff.new_path = diff.new_path and choice
                break


def _named_side(diffs: list[FileDiff], base: Base) -> bool | None:
    """What git's blob ids say: False: the tree holds the old side, True: the new one, None: they do not say."""
    from hashlib import sha1

    for diff in diffs:
        if opened(diff) and diff.old_path and diff.new_path and diff.blobs[0] != diff.blobs[1]:
            for new, path in enumerate((diff.old_path, diff.new_path)):
                data = base.data(path) if _there(base, path) else None
                if data is not None:
                    name = sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
                    if diff.blobs[new] and name.startswith(diff.blobs[new]):
                        return bool(new)
    return None
