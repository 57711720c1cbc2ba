"""Trees that are not git's: a folder on disk, and a tree with some files replaced in memory.

Nothing is ever written. Symbolic links to folders are not followed when listing (so no loop can hold us), and only
regular files are opened (reading a pipe would wait for ever). A path that leads out of the folder names no file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from allocsafe.patch.contents import MOST_BYTES, blob_id, refusal, source, text_id
from allocsafe.patch.heads import Heads
from allocsafe.patch.names import leads_out
from allocsafe.patch.pairs import SUFFIXES, Tree
from allocsafe.patch.words import Words
from allocsafe.source import Source


class FolderTree:
    """The files under a folder, all but those in `.git`. Each is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Source | None] = {}
        self._ids: dict[str, str] = {}
        self._listed: list[str] | None = None
        self._words: Words | None = None

    def data(self, path: str) -> bytes | None:
        """The bytes of a regular file; None if there is none. Raises OSError for one that cannot be read."""
        if not path or leads_out(path):
            return None
        full = os.path.join(self.root, path)
        try:
            if not stat.S_ISREG(os.stat(full).st_mode):
                return None
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        with open(full, "rb") as file:
            return file.read(MOST_BYTES + 1)  # enough to be refused

    def read(self, path: str) -> Source | None:
        if path not in self._known:
            try:
                data = self.data(path)
            except OSError:
                data = None
            self._known[path] = None if data is None or refusal(data) else source(path, data)
            self._ids[path] = "" if data is None else blob_id(data)
        return self._known[path]

    def content(self, path: str) -> str:
        """The id of the bytes that `read` has read; empty if there were none."""
        self.read(path)
        return self._ids[path]

    def identity(self) -> str:
        """Nothing vouches for a whole folder."""
        return ""

    def paths(self) -> Sequence[str]:
        if self._listed is None:
            self._listed = self._walk()
        return self._listed

    def _walk(self) -> list[str]:
        found: list[str] = []
        folders = [""]
        while folders:
            base = folders.pop()
            try:
                with os.scandir(os.path.join(self.root, base)) as entries:
                    for entry in entries:
                        name = f"{base}/{entry.name}" if base else entry.name
                        if entry.is_dir(follow_symlinks=False):
                            if entry.name != ".git":
                                folders.append(name)
                        elif entry.is_file(follow_symlinks=False):
                            found.append(name)
            except OSError:  # a folder that we may not open holds nothing that we could read
                continue
        return sorted(found)

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        if not set(suffixes) <= set(SUFFIXES):
            return Words(self._read_all(suffixes)).mentions(word, suffixes)
        return self._all_words().mentions(word, suffixes)

    def bases(self, word: str) -> list[str] | None:
        return self._all_words().bases(word)

    def _all_words(self) -> Words:
        if self._words is None:
            self._words = Words(self._read_all(SUFFIXES))
        return self._words

    def _read_all(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        for path in self.paths():
            if path.endswith(suffixes):
                try:
                    data = self.data(path)
                except OSError:
                    continue
                if data:
                    yield path, data


class OverlayTree:
    """A tree in which some files are other than in `base`; None: not there."""

    def __init__(self, base: Tree, files: Mapping[str, Source | None]) -> None:
        self.base = base
        self.files = dict(files)
        self._heads: Heads | None = None

    def read(self, path: str) -> Source | None:
        return self.files[path] if path in self.files else self.base.read(path)

    def content(self, path: str) -> str:
        """The id of a file's content; empty if there is none."""
        return text_id(self.files[path]) if path in self.files else content_of(self.base, path)

    def identity(self) -> str:
        """An id of the whole tree; empty if the base has none."""
        from hashlib import blake2b

        base = identity_of(self.base)
        own = sorted((path, text_id(text)) for path, text in self.files.items())
        return base and f"{base}+{blake2b(repr(own).encode('utf-8', 'replace'), digest_size=16).hexdigest()}"

    def paths(self) -> Sequence[str]:
        kept = (path for path in self.base.paths() if path not in self.files)
        return sorted([*kept, *(path for path, text in self.files.items() if text is not None)])

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.ASCII)
        kept = (path for path in self.base.mentions(word, suffixes) if path not in self.files)
        ours = (
            path
            for path, text in self.files.items()
            if text is not None and path.endswith(suffixes) and whole.search(text.text)
        )
        return sorted([*kept, *ours])

    def bases(self, word: str) -> list[str] | None:
        below = self.base.bases(word)
        if below is None:
            return None
        if self._heads is None:
            texts = ((path, text.text) for path, text in self.files.items() if text is not None)
            self._heads = Heads((path, text.encode("utf-8", "surrogateescape")) for path, text in texts)
        return sorted([*(path for path in below if path not in self.files), *self._heads.files(word)])


def content_of(tree: Tree, path: str) -> str:
    """The id of a file's content in any tree; empty if there is none. Equal ids mean equal texts."""
    own = getattr(tree, "content", None)
    return str(own(path)) if own is not None else text_id(tree.read(path))


def identity_of(tree: Tree) -> str:
    """An id of the whole tree, or nothing. Equal ids mean equal answers to every question."""
    own = getattr(tree, "identity", None)
    return str(own()) if own is not None else ""
