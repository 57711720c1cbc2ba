"""The question put to the integer-set library: subtract, project, look at what is left, and say it.

    read pieces R(v, e)      v: the read's turn, e: an element; one set
    write pieces W(v, e)     what is surely covered when that turn comes (see `system.before`)
    hole H(e)                R minus all W, without v; over the parameters
    closed C                 the parameters with no element in H

``none`` if H is empty over the exact parameters; ``generic`` if no point of C is generic; else ``conditional`` on C.
Where a write is inexact it is left out for the first question and taken whole for the other two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

from allocsafe.regions import isl, show
from allocsafe.regions.box import Write, whole
from allocsafe.regions.exprs import Lin, Sym, evaluate, is_nonneg
from allocsafe.regions.facts import Parameters, parameters
from allocsafe.regions.notation import Words
from allocsafe.regions.question import MAX_WRITES, NO_HOLE, Asked, Hole, Status
from allocsafe.regions.quick import K
from allocsafe.regions.system import Piece, TooComplex, before, both, element, in_box, in_loops, opened

_Words = TypeVar("_Words")
MAX_CONDITION = 120  # characters; a longer condition tells nobody anything
MAX_LEFT = 64  # pieces of what is left; a question that shatters further is not worth its answer


def decide(asked: Asked, *, sampled: bool = True) -> Hole:
    """The answer by sets. Raises TooComplex where the budget or the pieces run out."""
    with isl.budget():
        question = _Question(asked)
        status, left = question.verdict()
    if left is None:
        return NO_HOLE
    region = _worded(lambda: question.region(left), "a part of it")
    sample = _worded(lambda: question.sample(left), "") if sampled and status != "cannot-tell" else ""
    condition = _worded(lambda: question.condition(left), None) if status != "generic" else None
    if status == "conditional" and (condition is None or len(condition) > MAX_CONDITION):
        condition = question.relation()
    return Hole(status, region, sample, condition, question.reason if status == "cannot-tell" else "")


def _worded(say: Callable[[], _Words], otherwise: _Words) -> _Words:
    """What a question found stands, also where saying it would take more than a question's budget."""
    try:
        with isl.budget(words=True):
            return say()
    except TooComplex:
        return otherwise


class _Question:
    """One question with its space and its sets."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.rank = asked, asked.rank
        read = self._read()
        turns = [loop.var for loop in asked.read.loops]
        bound = frozenset((*turns, *(element(a) for a in range(self.rank))))
        self.read = opened(read, bound)
        # a quotient or product that the read's turn fixes is fixed for a write of the same turn too: a column
        fixed = dict.fromkeys(s for p in self.read for s in p.some if s.defn is not None)
        self.hidden = [*turns, *fixed]
        columns = [*self.hidden, *(element(a) for a in range(self.rank))]
        bound = frozenset(columns)
        skipped = "too many writes" if len(asked.writes) > MAX_WRITES else ""
        self.writes = [
            [q for p in before(asked.read, write, self.rank, tag) for q in opened(p, bound)]
            for tag, write in enumerate(asked.writes[:MAX_WRITES])
        ]
        if skipped:
            self.writes.append([Piece((), (), (), skipped)])
        self.params = self._parameters(bound)
        self.room = isl.Room(self.params.symbols, columns)
        self.words = Words(self.room, self.rank)
        self.reason = next((p.loose for ps in (self.read, *self.writes) for p in ps if p.loose), "")

    def _read(self) -> Piece:
        shape, read = self.asked.shape, self.asked.read
        rows = [Lin.of(element(a)) for a in range(self.rank)]
        inside = Piece((), tuple(rows))
        if shape is not None:
            inside = both(inside, in_box(whole(shape), "shape"))
        if read.box is not None and len(read.box) != self.rank:
            inside = inside._replace(loose="a box of another rank")
        elif read.box is not None:
            inside = both(inside, in_box(read.box, "read"))
        return both(inside, in_loops(read.loops, "read"), Piece((), read.when))

    def _parameters(self, bound: frozenset[Sym]) -> Parameters:
        pieces = [p for ps in (self.read, *self.writes) for p in ps]
        turns = bound.union(*(p.some for p in pieces))
        used = [row for p in pieces for row in (*p.zero, *p.nonneg)]
        computed = [row for p in self.read for row in (*p.zero, *p.nonneg)] + [*self.asked.facts]
        computed += [row for write, ps in zip(self.asked.writes, self.writes, strict=False) for row in _sure(write, ps)]
        return parameters([*used, *self.asked.facts], computed, self.asked.facts, turns)

    # ------------------------------------------------ the sets

    def _left(self, *, maybe: bool) -> isl.IslSet:
        """The read's elements and turns without what is surely covered (`maybe`: without all that may be)."""
        left = self.touching
        for pieces in self.writes:
            taken = [p for p in pieces if maybe or not p.loose]
            if not taken:
                continue
            left = left.subtract(self.room.make(taken))
            if left.is_empty():
                break
            if left.n_basic_set() > 4:
                left = left.coalesce()
            if left.n_basic_set() > MAX_LEFT:
                raise TooComplex("too complex")
        return isl.project(left, 0, len(self.hidden))

    def verdict(self) -> tuple[Status, isl.IslSet]:
        """The status, and the elements (over the parameters) that it speaks of; None for no hole."""
        self.hull = self._of_params([self.params.hull])
        self.exact = self._of_params(self.params.exact)
        self.touching = self.room.make(self.read).intersect_params(self.hull)
        left = self._left(maybe=False)
        if left.intersect_params(self.exact).is_empty():
            return "none", None
        self.large = self._generic_sizes()
        if self.reason:
            if not any(p.loose for p in self.read):
                sure = self._left(maybe=True)
                if self._is_generic(sure):
                    return "generic", sure
            return "cannot-tell", left
        return ("generic" if self._is_generic(left) else "conditional"), left

    def _of_params(self, pieces: Sequence[Piece]) -> isl.IslSet:
        return isl.as_params(self.room.make(pieces, over_columns=False))

    def _is_generic(self, left: isl.IslSet) -> bool:
        """No generic sizes close the hole."""
        closed = self.exact.subtract(left.params())
        if closed.is_empty():
            return True
        return bool(closed.intersect(self.large).is_empty())

    def _generic_sizes(self) -> isl.IslSet:
        """All sizes from K on. If the facts keep one small: as large as it can be beside those before it."""
        rows = [*self.params.known_sizes, *(Lin.of(s) - K for s in self.params.sized)]
        large = self.exact.intersect(self._of_params([Piece((), tuple(rows))]))
        if not large.is_empty():
            return large
        large = self.exact
        for s in self.params.sized:
            for least in range(K, 0, -1):
                next_one = large.intersect(self._of_params([Piece((), (Lin.of(s) - least,))]))
                if not next_one.is_empty():
                    large = next_one
                    break
        return large

    # ------------------------------------------------ in words

    def region(self, left: isl.IslSet) -> str:
        if self.rank == 0:
            return "whole"
        parts = [part for part in isl.basic_sets(left.coalesce()) if not isl.is_empty_over(part, self.exact)]
        usual = [part for part in parts if not isl.is_empty_over(part, self.large)]
        parts = usual or parts  # what is there at degenerate sizes only would hide what is there at all
        return show.joined(self.words.region(part, self.asked.shape) for part in parts)

    def condition(self, left: isl.IslSet) -> str | None:
        """The sizes that close the hole, said for a read that touches something under the facts."""
        closed = self.exact.subtract(left.params())
        if closed.is_empty():
            return None
        touching = self.touching.params()
        for i, s in enumerate(self.params.symbols):
            if s.defn is not None and s.defn[0] in ("min", "max"):  # fixed by its operands, which read better
                closed, touching = isl.forgotten(closed, i), isl.forgotten(touching, i)
        closed = closed.coalesce()
        said = closed.gist(touching).coalesce()
        if closed.intersect(touching).is_empty() or said.plain_is_universe():
            said, touching = closed.gist(self.hull).coalesce(), self.hull
        return self.words.condition(isl.widened(isl.basic_sets(said), closed, touching))

    def relation(self) -> str:
        """The condition where it has no short form."""
        base = [self.words.name(s) for s in self.params.symbols if s.defn is None]
        return f"a relation of {' and '.join(base)}"

    def sample(self, left: isl.IslSet) -> str:
        symbols = self.params.symbols
        told = left.gist_params(self.hull)
        asked = self.asked.read.box or ()
        mentioned = [*(self.asked.shape or ()), *(x for axis in asked for x in (axis.start, *axis.stops))]
        shown = {d for x in mentioned for d in x.all_syms() if d in symbols and d.defn is None}
        for i, s in enumerate(symbols):
            if isl.involves(told, i):
                shown |= {d for d in s.deps() if d.defn is None}
        found = self._consistent(left.intersect_params(self.exact))
        if found is None:
            return ""
        name = self.words.name
        values = [(name(s), found["p", i]) for i, s in enumerate(symbols) if s in shown]
        known = self.rank > 0 or self.asked.shape is not None
        return show.sample(values, [found["e", a] for a in range(self.rank)] if known else None)

    def _consistent(self, left: isl.IslSet) -> dict[tuple[str, int], int] | None:
        """A small point at which the products and quotients of unknowns have their real values."""
        symbols = self.params.symbols
        sized = [i for i, s in enumerate(symbols) if s in self.params.sized]
        free = [i for i, s in enumerate(symbols) if not is_nonneg(s) and (s.defn is None or _is_opaque(s))]
        found = isl.smallest_point(left, sized, free)
        opaque = [s for s in symbols if _is_opaque(s)]
        if found is None or not opaque:
            return found
        if _holds(symbols, opaque, found):
            return found
        base = sorted({d for s in opaque for d in s.deps() if d.defn is None}, key=lambda s: s.order)
        if len(base) > 3:
            return None
        place = {s: i for i, s in enumerate(symbols)}
        for trial in sorted(product(range(4), repeat=len(base)), key=sum):
            values, here = dict(zip(base, trial, strict=True)), left
            try:
                fixed = {**values, **{s: evaluate(Lin.of(s), values) for s in opaque}}
            except ZeroDivisionError:
                continue
            for s, value in fixed.items():
                here = isl.fixed(here, place[s], value)
            if not here.is_empty():
                return isl.smallest_point(here, sized, free)
        return None


def _sure(write: Write, pieces: Sequence[Piece]) -> list[Lin]:
    """The rows of a write that has surely happened when the read asks: no turns, no conditions."""
    if write.access.loops or write.access.when or not write.before_in_turn:
        return []
    return [row for p in pieces for row in (*p.zero, *p.nonneg)]


def _is_opaque(s: Sym) -> bool:
    """A product or a quotient of unknowns: rows do not fix its value."""
    return s.defn is not None and (s.defn[0] == "mul" or (s.defn[0] == "floordiv" and (s.defn[2].as_int() or 0) <= 0))


def _holds(symbols: Sequence[Sym], opaque: Sequence[Sym], found: dict[tuple[str, int], int]) -> bool:
    at = {s: i for i, s in enumerate(symbols)}
    values = {s: found["p", i] for s, i in at.items() if s.defn is None}
    try:
        return all(evaluate(Lin.of(s), values) == found["p", at[s]] for s in opaque)
    except ZeroDivisionError:
        return False
