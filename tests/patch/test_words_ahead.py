"""Sources of a tree that are read beside what goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from allocsafe.patch.words import Later, Words

FILES = {"a.py": b"import b\n", "b.py": b"def fill(): ...\n", "c.txt": b"fill\n"}


def later(asked: list[int], *, broken: int = 0) -> Later:
    def blobs(ids: Sequence[str]) -> Iterable[bytes]:
        asked.append(len(ids))
        if len(asked) <= broken:
            raise OSError("gone")
        return [FILES[name] for name in ids]

    shared: list[Words] = []
    return Later(lambda: {path: path for path in FILES}, blobs, shared)


def test_the_first_file_that_is_asked_for_starts_the_reading() -> None:
    asked: list[int] = []
    words = later(asked)
    assert words.data("a.py") is None  # it is read alone, meanwhile
    assert words.mentions("fill", (".py",)) == ["b.py"]
    assert words.data("b.py") == FILES["b.py"]
    assert asked == [2]


def test_nobody_asks_for_a_file_first() -> None:
    asked: list[int] = []
    assert later(asked).mentions("fill", (".py",)) == ["b.py"]
    assert asked == [2]


def test_what_failed_beside_is_asked_again() -> None:
    asked: list[int] = []
    words = later(asked, broken=1)
    words.data("a.py")
    assert words.mentions("fill", (".py",)) == ["b.py"]
    assert asked == [2, 2]


def test_what_fails_twice_is_an_error() -> None:
    words = later([], broken=2)
    words.data("a.py")
    with pytest.raises(OSError, match="gone"):
        words.mentions("fill", (".py",))


def test_a_tree_without_sources_is_left_to_git() -> None:
    words = Later(lambda: {"c.txt": "c.txt"}, lambda ids: [], [])
    assert words.data("c.txt") is None
    assert words.mentions("fill", (".py",)) is None
