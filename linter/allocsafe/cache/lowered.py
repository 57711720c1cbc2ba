"""Lowered parts of files, kept by their text: a run that needs none anew never imports a parser.

Claim: what comes out is what the frontend would make of the same part at that place. Why: the frontend's own key holds
all of the part's text, this one also which frontend it was; places are kept relative to where the part starts. What it
gives up: a class inside a function whose methods are no plain records is lowered each time.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

from allocsafe.cache.packing import packed, table, unpacked
from allocsafe.cache.store import Store


class Lowered:
    """A `frontends.base.Shelf` in a store."""

    def __init__(self, store: Store, frontend: bytes, classes: tuple[type, ...]) -> None:
        self._store = store
        self._frontend = frontend
        self._classes = classes

    def get(self, key: bytes, path: str, line: int) -> object | None:
        data = self._store.get(self._key(key))
        return None if data is None else unpacked(data, _known(self._classes), path, line)

    def put(self, key: bytes, path: str, line: int, value: object) -> None:
        data = packed(value, path, line)
        if data is not None:
            self._store.put(self._key(key), data)

    def _key(self, key: bytes) -> bytes:
        return blake2b(self._frontend + key, digest_size=20, person=b"lowered").digest()


@lru_cache(maxsize=4)
def _known(more: tuple[type, ...]) -> dict[tuple[str, str], Any]:
    from allocsafe.ir import nodes
    from allocsafe.source import Span

    steps = [one for one in vars(nodes).values() if isinstance(one, type) and one.__module__ == nodes.__name__]
    return table((*steps, Span, *more))


__all__ = ["Lowered"]
