"""What a piece of work asked of the trees, and the same questions asked again.

Claim: work whose first input is the same, and whose every question has the same answer, gives the same result: it can
look at nothing else. So a list of (question, hash of the answer) is all that a later run needs to tell whether an
earlier result still holds. Why hashes are enough: the id of a blob of git is known without reading it, and nobody
needs the old answer. What it gives up: whoever hands answers on from one piece of work to another, past this list,
makes it a lie; so what is remembered across pieces of work is remembered *below* it, in the trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

from allocsafe.patch.folder import content_of, identity_of

if TYPE_CHECKING:
    from allocsafe.patch.pairs import Tree
    from allocsafe.source import Source

Question: TypeAlias = "tuple[str, ...]"
"""A kind, and what was asked: ("read", "new", "pkg/a.py")."""


def digest(parts: Iterable[str]) -> str:
    """A hash of some texts, as text."""
    made = blake2b(digest_size=16)
    for part in parts:
        made.update(part.encode("utf-8", "surrogatepass"))
        made.update(b"\0")
    return made.hexdigest()


class Questions:
    """All that may be asked. A kind of question comes with how a hash of its answer is had."""

    def __init__(self) -> None:
        self._kinds: dict[str, Callable[..., str]] = {}
        self._digests: dict[Question, str] = {}
        self._asked: dict[Question, None] | None = None

    def teach(self, kind: str, answer: Callable[..., str]) -> None:
        """How questions of a kind are asked again."""
        self._kinds[kind] = answer

    def note(self, *question: str) -> None:
        """Somebody asks this."""
        if self._asked is not None:
            self._asked[question] = None

    def answer(self, question: Question) -> str | None:
        """The hash of the answer; None for a kind that nobody knows."""
        if question not in self._digests:
            kind = self._kinds.get(question[0])
            if kind is None:
                return None
            outer, self._asked = self._asked, None  # what the answer itself looks at is no question of the work
            try:
                self._digests[question] = kind(*question[1:])
            finally:
                self._asked = outer
        return self._digests[question]

    @contextmanager
    def heard(self) -> Iterator[dict[Question, None]]:
        """The questions that are asked inside, in order."""
        outer, self._asked = self._asked, {}
        try:
            yield self._asked
        finally:
            self._asked = outer


class NotedTree:
    """A tree that notes what it is asked. `texts` are the files of the patch; answers are kept, below the notes."""

    def __init__(self, side: str, tree: Tree, texts: Mapping[str, Source], questions: Questions) -> None:
        self.side, self.tree = side, tree
        self._texts = texts
        self._questions = questions
        self._mentions: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._by_name: dict[str, list[str]] | None = None
        self._paths: Sequence[str] | None = None

    def read(self, path: str) -> Source | None:
        self._questions.note("read", self.side, path)
        return self._texts[path] if path in self._texts else self.tree.read(path)

    def paths(self) -> Sequence[str]:
        self._questions.note("paths", self.side)
        return self._all()

    def named(self, last: str) -> Sequence[str]:
        """The paths that end in this file name: a smaller question than `paths`."""
        self._questions.note("named", self.side, last)
        if self._by_name is None:
            self._by_name = {}
            for path in self._all():
                self._by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)
        return self._by_name.get(last, ())

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        self._questions.note("mentions", self.side, word, *suffixes)
        key = (word, tuple(suffixes))
        if key not in self._mentions:
            self._mentions[key] = self.tree.mentions(word, suffixes)
        return list(self._mentions[key])

    def bases(self, word: str) -> list[str] | None:
        self._questions.note("bases", self.side, word)
        return self.tree.bases(word)

    def _all(self) -> Sequence[str]:
        if self._paths is None:
            self._paths = self.tree.paths()
        return self._paths

    # ------------------------------------------------------------ asked again

    def content(self, path: str) -> str:
        """The id of a file's text."""
        from allocsafe.patch.contents import text_id

        return text_id(self._texts[path]) if path in self._texts else content_of(self.tree, path)

    def identity(self) -> str:
        """An id of all that can be asked, or nothing."""
        base = identity_of(self.tree)
        return base and digest([base, *(f"{path}\0{self.content(path)}" for path in sorted(self._texts))])


def of_trees(trees: Mapping[str, NotedTree], questions: Questions) -> None:
    """Teaches how trees are asked again, by side."""
    questions.teach("read", lambda side, path: trees[side].content(path))
    questions.teach("paths", lambda side: digest(trees[side].paths()))
    questions.teach("named", lambda side, last: digest(trees[side].named(last)))
    questions.teach("bases", lambda side, word: digest(trees[side].bases(word) or ()))
    questions.teach("mentions", lambda side, word, *suffixes: digest(trees[side].mentions(word, suffixes)))


__all__ = ["NotedTree", "Question", "Questions", "digest", "of_trees"]
