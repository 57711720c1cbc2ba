"""The tree to audit, read once: the working files of a repository, a plain folder, or a commit (no checkout needed).

Claim: all questions of a scan are about one state. The bytes of every file that a frontend reads are taken at the
start (37 MB for 3,300 files) and never again, and processes that are forked share them. Who mentions a word is looked
up in an index over all words, made once: a scan asks for thousands, and searching all texts takes 14 ms a word. What
it gives up: a tree whose sources do not fit into memory.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from allocsafe.patch.contents import blob_id, refusal, source
from allocsafe.patch.folder import FolderTree
from allocsafe.patch.heads import Heads
from allocsafe.patch.names import text
from allocsafe.patch.objects import GitTree, Repository
from allocsafe.patch.pairs import PatchError, judgeable
from allocsafe.source import Source

SKIPPED = frozenset(
    [
        ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", ".env", "env", "node_modules", "site-packages",
        "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".eggs", "dist-packages",
    ]
)  # fmt: skip
"""Folders of a tree without git that hold what others wrote."""

_WORD = re.compile(rb"\w+")

MOST_KNOWN = 500
"""Texts that are kept decoded. The files of one folder ask for the same ones again and again."""


class Snapshot:
    """The files of one state of a tree. A `patch.pairs.Tree` that knows ids of its contents."""

    def __init__(
        self, paths: Iterable[str], files: Iterable[tuple[str, bytes]], ids: Mapping[str, str] | None = None
    ) -> None:
        self.errors: list[tuple[str, str]] = []
        self._paths = sorted(paths)
        self._data: dict[str, bytes] = {}
        for path, data in files:
            why = refusal(data)
            if why is None:
                self._data[path] = data
            else:
                self.errors.append((path, why))
        self._ids = dict(ids or {})
        self._known: OrderedDict[str, Source | None] = OrderedDict()
        self._files: list[str] = []
        self._index: dict[bytes, list[int]] | None = None
        self._heads: Heads | None = None
        self._identity = ""

    def data(self, path: str) -> bytes:
        """The bytes of a file that a frontend can read."""
        return self._data.get(path, b"")

    def sources(self) -> list[str]:
        """The files that a frontend can read."""
        return list(self._data)

    def read(self, path: str) -> Source | None:
        if path in self._known:
            self._known.move_to_end(path)
        else:
            data = self._data.get(path)
            self._known[path] = None if data is None else source(path, data)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return self._known[path]

    def paths(self) -> Sequence[str]:
        return self._paths

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        if not re.fullmatch(r"[A-Za-z0-9_]+", word):
            return [path for path in self._data if path.endswith(suffixes) and word.encode() in self._data[path]]
        index = self.index()
        found = (self._files[n] for n in index.get(word.encode(), ()))
        return sorted(path for path in found if path.endswith(suffixes))

    def bases(self, word: str) -> list[str] | None:
        return self.heads().files(word)

    def heads(self) -> Heads:
        """The heads of all classes: made once, like the index."""
        if self._heads is None:
            self._heads = Heads(self._data.items())
        return self._heads

    def index(self) -> dict[bytes, list[int]]:
        """The files of every word, by number. Made once: before processes are forked, if they are to share it."""
        if self._index is None:
            self._files = list(self._data)
            self._index = {}
            for number, path in enumerate(self._files):
                for word in set(_WORD.findall(self._data[path])):
                    self._index.setdefault(word, []).append(number)
        return self._index

    def content(self, path: str) -> str:
        """The id of a file's content; empty if there is none."""
        if path not in self._data:
            return ""
        if path not in self._ids:
            self._ids[path] = blob_id(self._data[path])
        return self._ids[path]

    def identity(self) -> str:
        """An id of all that can be asked."""
        if not self._identity:
            from hashlib import blake2b

            made = blake2b(digest_size=16)
            for path in self._paths:
                made.update(f"{path}\0{self.content(path)}\0".encode("utf-8", "surrogateescape"))
            self._identity = f"snapshot:{made.hexdigest()}"
        return self._identity


def at_commit(root: Path, rev: str) -> Snapshot:
    """The tree of a commit; a bare repository serves."""
    tree = GitTree(root, rev)
    try:
        paths = tree.paths()
        wanted = [path for path in paths if judgeable(path)]
        ids = {path: tree.content(path) for path in wanted}
        return Snapshot(paths, zip(wanted, tree.repo.blobs(list(ids.values())), strict=True), ids)
    finally:
        tree.repo.close()


def on_disk(root: Path) -> Snapshot:
    """What git tracks or would track under `root` as it is on disk; without git, all but the usual foreign folders."""
    listed = _tracked(root)
    paths = _walk(root) if listed is None else listed
    failed: list[tuple[str, str]] = []
    made = Snapshot(paths, _read(paths, FolderTree(root).data, failed))
    made.errors += failed
    return made


def _read(
    paths: Sequence[str], data: Callable[[str], bytes | None], failed: list[tuple[str, str]]
) -> Iterable[tuple[str, bytes]]:
    for path in paths:
        if judgeable(path):
            try:
                found = data(path)
            except OSError as error:
                failed.append((path, error.strerror or str(error)))
                continue
            if found is not None:
                yield path, found


def _tracked(root: Path) -> list[str] | None:
    """Paths below `root` that git knows or does not ignore; None where there is no working tree of git."""
    try:
        repo = Repository(root)
        repo.top()
        rows = repo.run("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    except PatchError:
        return None
    return sorted({text(row) for row in rows if row})


def _walk(root: Path) -> list[str]:
    found: list[str] = []
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(
            d for d in inner if d not in SKIPPED and not os.path.exists(os.path.join(folder, d, "pyvenv.cfg"))
        )
        base = os.path.relpath(folder, root).replace(os.sep, "/")
        found += [name if base == "." else f"{base}/{name}" for name in names]
    return sorted(found)


def home_of(path: Path) -> Path:
    """The folder whose files can matter to `path`: the top of its repository, else the one that holds its package."""
    folder = path if path.is_dir() else path.parent
    folder = folder.resolve()
    for at in (folder, *folder.parents):
        if (at / ".git").exists():
            return at
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder


__all__ = ["Snapshot", "at_commit", "home_of", "on_disk"]
