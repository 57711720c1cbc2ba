"""Trees that are not git's: a folder on disk, and a tree with some files replaced in memory.

Nothing is ever written. Symbolic links to folders are not followed when listing (so no loop can hold us), and only
regular files are opened (reading a pipe would wait for ever). A path that leads out of the folder names no file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from allocsafe.patch.contents import MOST_BYTES, refusal, source
from allocsafe.patch.names import leads_out
from allocsafe.patch.pairs import Tree
from allocsafe.source import Source


class FolderTree:
    """The files under a folder, all but those in `.git`. Each is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Source | None] = {}

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
        return self._known[path]

    def paths(self) -> Sequence[str]:
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
        whole = re.compile(rb"(?<!\w)" + re.escape(word.encode("utf-8", "surrogateescape")) + rb"(?!\w)")
        plain = word.encode("utf-8", "surrogateescape")
        found: list[str] = []
        for path in self.paths():
            if path.endswith(suffixes):
                try:
                    data = self.data(path)
                except OSError:
                    continue
                if data and plain in data and whole.search(data):
                    found.append(path)
        return found


class OverlayTree:
    """A tree in which some files are other than in `base`; None: not there."""

    def __init__(self, base: Tree, files: Mapping[str, Source | None]) -> None:
        self.base = base
        self.files = dict(files)

    def read(self, path: str) -> Source | None:
        return self.files[path] if path in self.files else self.base.read(path)

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
