"""Results that come with what they rest on, and are used again only while all of it stands.

Claim: `through` gives what `work` would give now. Why: the key holds the tool, the settings and the first input; every
further question of the work was noted (`questions`), and each is asked again and must have the same answer. Where both
trees as a whole are the same as then, the questions need not be asked. Several results for one key live side by side:
the same patch on several states of the tree.

What it gives up: `may_keep` must refuse what anything else had a part in, such as a limit of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from allocsafe.cache.packing import packed, table, unpacked
from allocsafe.cache.questions import Question, Questions
from allocsafe.cache.store import Store

T = TypeVar("T")

MOST_STATES = 4
"""Results that are kept for one key."""


class Kept(NamedTuple):
    """A result and what it rests on. `state` is an id of both trees, or nothing."""

    state: str
    asked: tuple[tuple[Question, str], ...]
    value: Any


class Verdicts:
    """Kept results. `classes` are all that a result may consist of; `state` says which trees these are."""

    def __init__(
        self,
        store: Store,
        tool: bytes,
        questions: Questions,
        classes: tuple[type, ...],
        state: Callable[[], str] = lambda: "",
    ) -> None:
        self._store, self._tool, self._questions = store, tool, questions
        self._known = table((*classes, Kept))
        self._state = state

    def through(self, first: str, work: Callable[[], T], may_keep: Callable[[T], bool] = lambda _: True) -> T:
        """The result of `work` on the first input `first`, or an earlier one that still holds."""
        found = self.find(first)
        if found is not None:
            earlier: T = found.value
            return earlier
        with self._questions.heard() as asked:
            result = work()
        if may_keep(result):
            self.keep(first, asked, result)
        return result

    def find(self, first: str) -> Kept | None:
        """An earlier result that still holds."""
        key = self._key(first)
        kept = self._kept(key)
        state = self._state() if kept else ""
        for one in kept:
            if state and one.state == state:
                return one
        for one in kept:
            if self._holds(one):
                if state:  # so that the next run on these trees need not ask
                    self._put(key, [one._replace(state=state), *kept])
                return one
        return None

    def keep(self, first: str, asked: Iterable[Question], result: object) -> None:
        """Keeps a result with the questions that led to it. `through` knows when that may be done."""
        answers: list[tuple[Question, str]] = []
        for question in asked:
            answer = self._questions.answer(question)
            if answer is None:  # it could not be asked again
                return
            answers.append((question, answer))
        key = self._key(first)
        self._put(key, [Kept(self._state(), tuple(answers), result), *self._kept(key)])

    def _put(self, key: bytes, results: list[Kept]) -> None:
        data = packed(results[:MOST_STATES])
        if data is not None:
            self._store.put(key, data)

    def _key(self, first: str) -> bytes:
        data = self._tool + first.encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=20, person=b"verdict").digest()

    def _holds(self, one: Kept) -> bool:
        return all(self._questions.answer(question) == answer for question, answer in one.asked)

    def _kept(self, key: bytes) -> list[Kept]:
        data = self._store.get(key)
        found = None if data is None else unpacked(data, self._known)
        return [one for one in found if isinstance(one, Kept)] if isinstance(found, list) else []


__all__ = ["MOST_STATES", "Kept", "Verdicts"]
