"""Callers in other files: what a function hands out is judged in every function that calls it.

*Claim.* A buffer that leaves its function is walked from the functions of other files that say the function's name,
and from their callers while it goes on leaving. *Why that suffices.* A call says the name of what it calls, or of
something that was bound to it; a name that is said without a call, in a text, or in more files than are looked at
makes the search incomplete, and then nothing is proved. *What it gives up.* Callers in tests are walked only where
there are no others, and are not missed: a test that reads garbage is no part of the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.behind import left_behind
from allocsafe.flow.clock import now
from allocsafe.flow.readers import Reader, Searcher, is_test
from allocsafe.flow.sayers import callers as sayers

if TYPE_CHECKING:
    from allocsafe.flow.analysis import FileAnalysis, Found
    from allocsafe.frontends.base import Definition

MOST_CALLERS = 6
"""Entry points in other files whose walk is worth its time; nearest package first."""

MOST_STEPS = 3
"""Files that a buffer is followed through on its way out."""

SHARE = 0.3
"""Part of a site's budget that the walks may take together."""

_LATER = re.compile(r"\blambda\b|\bpartial\b|\byield\b|^[ \t]+(?:async[ \t]+)?(?:def|class)\b", re.M)
"""A function that may leave a call to whoever calls it."""

Key = tuple[int, int]


class Callers(NamedTuple):
    """What the walks say of each allocation, whether every caller outside of the file is among them, and which
    functions of the file have callers outside of it."""

    found: dict[Key, list[Found]]
    complete: bool
    called: frozenset[str]


class Walked(NamedTuple):
    """Of one caller: whether its walk could be made, and the definitions above it in its file."""

    fine: bool
    leads: tuple[Reader, ...]


class Search:
    """One search from file to file. What an entry point says counts until its own callers say it better."""

    def __init__(self, analysis: FileAnalysis, names: set[str], *, whole: bool = False) -> None:
        analysis.searcher = analysis.searcher or Searcher(analysis.program, analysis.path)
        self.analysis = analysis
        self.searcher = analysis.searcher
        self.names = names  # of methods and attributes that matter in the life of a class
        self.until = min(analysis.deadline, now() + SHARE * analysis.settings.budget)
        self.toward: set[str] = set()
        self.waiting: dict[Reader, list[tuple[Key, Found]]] = {}
        self.walks: dict[tuple[str, int], Walked] = {}
        self.first: frozenset[Reader] = frozenset()
        self.complete = True
        self.count = 0
        self.whole = whole  # nothing is wanted of it unless every caller can be walked

    def callers(self, reader: Reader) -> list[Reader]:
        """The callers in other files, nearest first."""
        said = sayers(self.analysis.program, reader.path, called_as(reader), classes=reader.definition.kind == "class")
        self.complete = self.complete and said.complete
        known = self.analysis.path if reader in self.first else reader.path  # callers there are walked already
        others = [c for c in said.functions if c.path != known or self.is_driver(reader, c)]
        others = [c for c in others if not is_test(c.path)] or others
        order = {path: i for i, path in enumerate(self.searcher.by_distance({c.path for c in others}))}
        return sorted(others, key=lambda c: (order.get(c.path, len(order)), c.definition.first_line))

    def is_driver(self, reader: Reader, caller: Reader) -> bool:
        """Whether a method of another class of the file makes an object of the class: nobody has walked its life."""
        owner = caller.definition.owner
        if reader.definition.kind != "class" or not owner:
            return False
        family = {r.definition.qualname for r in self.first if r.path == caller.path}
        return owner not in family | {reader.definition.qualname}

    def run(self, readers: Sequence[Reader]) -> Callers:
        """Walks upwards from definitions that are no entry points themselves."""
        first: frozenset[str] | None = None
        step = list(readers)
        self.first = frozenset(readers)
        self.toward |= {called_as(reader) for reader in step}
        asked = set(step)
        for _ in range(MOST_STEPS):
            above: list[Reader] = []
            called: set[str] = set()
            callers = {reader: self.callers(reader) for reader in step}
            if self.whole and (not self.complete or self._too_many(callers.values())):
                return Callers({}, False, frozenset())
            for reader in step:
                walks = []
                for caller in callers[reader]:
                    walks.append(self.walk(caller))
                    if self.whole and not self.complete:
                        return Callers({}, False, frozenset())
                if walks and all(walked.fine for walked in walks):
                    called.add(reader.definition.qualname)
                    self.waiting.pop(reader, None)
                above += [lead for walked in walks for lead in walked.leads]
            first = frozenset(called) if first is None else first
            step = [reader for reader in dict.fromkeys(above) if reader not in asked]
            asked |= set(step)
            if not step:
                break
        else:
            self.complete = False
        found: dict[Key, list[Found]] = {}
        for pending in self.waiting.values():
            for key, each in pending:
                found.setdefault(key, []).append(each)
        return Callers(found, self.complete, first or frozenset())

    def _too_many(self, callers: Iterable[Sequence[Reader]]) -> bool:
        """Whether the entry points above these callers are more than are walked: reading texts, before any walk."""
        places = {(c.path, c.definition.first_line): c for several in callers for c in several}
        count = self.count
        for place, caller in places.items():
            if place not in self.walks and not is_test(caller.path):
                there = self._there(caller)
                count += len(there.roots(caller.definition) or [caller.definition])
                if count > MOST_CALLERS or there.dropped:
                    return True
        return False

    def _there(self, caller: Reader) -> FileAnalysis:
        from allocsafe.flow.analysis import FileAnalysis

        return FileAnalysis(self.analysis.program, caller.path, self.analysis.settings)

    def walk(self, caller: Reader) -> Walked:
        """Walks the entry points above a caller in its file."""
        place = (caller.path, caller.definition.first_line)
        if place not in self.walks:
            self.walks[place] = self._walk(caller)
            if not self.walks[place].fine:
                self.complete = self.complete and is_test(caller.path)
        return self.walks[place]

    def _walk(self, caller: Reader) -> Walked:
        analysis = self.analysis
        there = self._there(caller)
        there.follow = (analysis.path, analysis.lines)
        there.deadline = self.until
        there.searcher = self.searcher
        chain = there.leading(caller.definition)
        tops = there.roots(caller.definition) or [caller.definition]
        self.count += len(tops)
        if self.count > MOST_CALLERS or now() > self.until or there.dropped:
            return Walked(False, ())
        leads = [self._reader(there, d) for d in chain]
        self.toward |= {called_as(lead) for lead in leads} | {d.qualname.rsplit(".", 1)[-1] for d in chain}
        there.toward = frozenset(self.toward)
        came: list[bool] = []
        stays = True  # what a maker leaves behind for others is not seen to its end
        for top in tops:
            walk = there.driven(top, set(self.names))
            came.append(any(b.site.path == analysis.path and b.site.line in analysis.lines for b in walk.buffers))
            stays = stays and not (self.whole and left_behind(walk, analysis.path, analysis.lines))
            self.waiting[self._reader(there, top)] = list(analysis.collect(walk, keep=False).items())
        # where nothing came by and nothing is put off, the name is another's: who calls them gets no more to see
        onward = any(came) or any(_LATER.search(there.text_of(d)) for d in chain)
        return Walked(stays and all(came) and not there.problems, tuple(leads) if onward else ())

    @staticmethod
    def _reader(there: FileAnalysis, definition: Definition) -> Reader:
        """The definition, or the class whose life its walk is."""
        for other in there.unit.definitions if definition.owner else ():
            if other.kind == "class" and other.qualname == definition.owner:
                return Reader(there.path, other)
        return Reader(there.path, definition)


def called_as(reader: Reader) -> str:
    """The name by which others call it."""
    return reader.definition.qualname.rsplit(".", 1)[-1]


def elsewhere(analysis: FileAnalysis, definitions: Sequence[Definition]) -> Callers:
    """The walks of those who call one of the definitions of this file from other files."""
    return Search(analysis, set()).run([Reader(analysis.path, d) for d in definitions])


__all__ = ["Callers", "Search", "elsewhere"]
