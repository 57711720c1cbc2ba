"""Who mentions a word, over sources that are read once.

Claim: the same answers as `git grep -lwF`: a word is whole if no ASCII letter, digit or underscore touches it. Why not
git: starting it and unpacking 2,000 files takes 0.2 s a word on a large tree; reading them once takes that time once,
and a word then 10 ms. What it gives up: the bytes of all sources stay in memory (22 MB for 2,000 files), so a tree of
more than `MOST_FILES` is left to git.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Thread

from allocsafe.patch.heads import Heads
from allocsafe.patch.pairs import SUFFIXES

MOST_FILES = 12_000

_PARTS = frozenset(bytes([n]) for n in range(128) if chr(n).isalnum() or n == ord("_"))


class Words:
    """The sources of one tree: files by path, in the order in which paths come out.

    `like`: another tree. What was found there in a file that both have, the very same bytes, is not looked for again.
    """

    def __init__(self, files: Iterable[tuple[str, bytes]], like: Words | None = None) -> None:
        self.files = dict(files)
        self._found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._heads: Heads | None = None
        self._like = like
        self._apart: dict[str, bytes] | None = None
        if like is not None and like._like is None:
            like._like = self

    def mentions(self, word: str, suffixes: Sequence[str]) -> list[str]:
        """The files with one of these suffixes that have the word."""
        key = (word, tuple(suffixes))
        if key not in self._found:
            self._found[key] = self._search(*key)
        return list(self._found[key])

    def bases(self, word: str) -> list[str]:
        """The files in which a class may derive from something of that name."""
        if self._heads is None:
            self._heads = Heads(self.files.items(), None if self._like is None else self._like._heads)
        return self._heads.files(word)

    def _search(self, word: str, ends: tuple[str, ...]) -> list[str]:
        plain = word.encode("utf-8", "surrogateescape")
        there = None if self._like is None else self._like._found.get((word, ends))
        if there is None:
            return [path for path, data in self.files.items() if path.endswith(ends) and whole(plain, data)]
        own = self._own()
        found = {path for path in there if path in self.files and path not in own}
        found.update(path for path, data in own.items() if path.endswith(ends) and whole(plain, data))
        return [path for path in self.files if path in found]

    def _own(self) -> dict[str, bytes]:
        """The files that the other tree does not have."""
        if self._apart is None:
            other = {} if self._like is None else self._like.files
            self._apart = {path: data for path, data in self.files.items() if other.get(path) is not data}
        return self._apart


def whole(word: bytes, data: bytes) -> bool:
    """Whether the word stands somewhere with nothing beside it that would make it longer."""
    at = data.find(word)
    while at >= 0:
        if data[at - 1 : at] not in _PARTS and data[at + len(word) : at + len(word) + 1] not in _PARTS:
            return True
        at = data.find(word, at + 1)
    return False


class Later:
    """`Words` over the sources of a tree of git, read when the first word is looked up.

    `listing` gives the ids of all files by path, `blobs` the bytes of many ids. `shared` is one list for all trees of a
    repository: the words of the first that was searched.
    """

    def __init__(
        self,
        listing: Callable[[], dict[str, str]],
        blobs: Callable[[Sequence[str]], Iterable[bytes]],
        shared: list[Words],
    ) -> None:
        self._listing, self._blobs, self._shared = listing, blobs, shared
        self._words: Words | None = None
        self._wanted: list[str] | None = None
        self._ahead: Thread | None = None
        self._came: list[bytes] = []

    def data(self, path: str) -> bytes | None:
        """The bytes of a source, if they are here already. Whoever asks for one mostly looks up a word next, so all of
        them are read from here on, by git and beside what goes on.
        """
        if self._words is None:
            if self._ahead is None and self._sources():
                self._ahead = Thread(target=self._fetch, daemon=True)
                self._ahead.start()
            return None
        return self._words.files.get(path)

    def _sources(self) -> list[str]:
        if self._wanted is None:
            wanted = sorted(path for path in self._listing() if path.endswith(SUFFIXES))
            self._wanted = wanted if len(wanted) <= MOST_FILES else []
        return self._wanted

    def _fetch(self) -> None:
        with suppress(Exception):  # whoever needs them asks again, and meets it then
            self._came = list(self._blobs([self._listing()[path] for path in self._sources()]))

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str] | None:
        """The answer; None for a tree or for files that are git's to search."""
        if not word or "\n" in word or not set(suffixes) <= set(SUFFIXES):
            return None
        words = self._all()
        return None if words is None else words.mentions(word, suffixes)

    def bases(self, word: str) -> list[str] | None:
        """The same for `Words.bases`."""
        words = self._all()
        return None if words is None else words.bases(word)

    def _all(self) -> Words | None:
        if self._words is None:
            wanted = self._sources()
            if not wanted:
                return None
            if self._ahead is not None:
                self._ahead.join()
            came = self._came or self._blobs([self._listing()[path] for path in wanted])
            self._words = Words(zip(wanted, came, strict=True), next(iter(self._shared), None))
            if not self._shared:
                self._shared.append(self._words)
        return self._words


__all__ = ["Later", "Words"]
