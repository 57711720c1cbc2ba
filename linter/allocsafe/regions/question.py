"""The one question: which elements that a read touches may be, or surely are, unwritten.

    x = torch.empty(n)            for all n                       hole((n,), read [0:n], [write [1:n]])
    x[1:n] = y[1:n]               written [1:n]                   -> generic, "[0]", "n = 1: element [0]"
    return x                      read [0:n], unwritten [0]

An element is in the hole if for some turn of the read's loops it lies in the read's box, inside the buffer, and no
counted turn of any write covers it. Turns are existential ("there is a turn"), sizes are not:

- ``none``         no element, for any values of the symbols that the facts allow;
- ``generic``      there is one for all generic sizes: the sizes that close the hole are degenerate, i.e. at none of
                   them are all sizes at least `K`. A missing last element is such a hole although n = 0 closes it;
- ``conditional``  there is one unless an honest relation holds ("m >= n"), which is the `condition`;
- ``cannot-tell``  something is no integer-linear fact: the product of a turn and a size, a box of another rank, a
                   question over its budget. `reason` names it.

Why this is sound. ``none`` is asked of over-approximated holes: what cannot be expressed about a write is left out,
what cannot be expressed about the read is unbounded. ``generic`` and ``conditional`` are asked only when both are
exact, or hold although such a write is taken to cover all it may. Conditions of the read that no turn changes are
facts here: the read asks, so it happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple

from allocsafe.regions import quick, show
from allocsafe.regions.box import Access, Box, Write, fewest, whole
from allocsafe.regions.exprs import Lin, Sym, evaluate
from allocsafe.regions.quick import K
from allocsafe.regions.system import TooComplex, counts, shared_depth

if TYPE_CHECKING:
    from allocsafe.regions.show import Name

MAX_WRITES = 48  # writes of one question; more would only be bought with pieces nobody can read

Status = Literal["none", "generic", "conditional", "cannot-tell"]


class Hole(NamedTuple):
    """The answer. `region` and `sample` are for people, `condition` is the relation under which the hole is empty."""

    status: Status
    region: str
    sample: str
    condition: str | None
    reason: str = ""


NO_HOLE = Hole("none", "", "", None)


class Asked(NamedTuple):
    """A question after the cheap steps: what no turn changes is a fact, loops are folded, idle writes are gone."""

    shape: tuple[Lin, ...] | None
    read: Access
    writes: tuple[Write, ...]
    facts: tuple[Lin, ...]
    rank: int


def hole(
    shape: tuple[Lin, ...] | None,
    read: Access,
    writes: Sequence[Write],
    facts: Sequence[Lin] = (),
    *,
    sampled: bool = True,
) -> Hole:
    """The unwritten part of what `read` touches, given all writes that may stand before it.

    `sampled` False leaves the smallest concrete case out: finding it can cost more than the answer.
    """
    asked = prepared(shape, read, writes, facts)
    if asked is None or quick.surely_covered(asked.read, asked.shape, asked.writes):
        return NO_HOLE
    asked = without_apart(asked)
    short = without_writes(asked)
    if short is not None:
        return short
    from allocsafe.regions import decide  # islpy: 60 ms that most runs do not need

    try:
        return decide.decide(asked, sampled=sampled)
    except TooComplex as error:
        return Hole("cannot-tell", outline(asked), "", None, str(error) or "too complex")


def prepared(
    shape: tuple[Lin, ...] | None, read: Access, writes: Sequence[Write], facts: Sequence[Lin]
) -> Asked | None:
    """The question made small; None if the read never happens."""
    vars_of_read = frozenset(loop.var for loop in read.loops)
    if read.when:
        steady = tuple(row for row in read.when if vars_of_read.isdisjoint(row.all_syms()))
        facts = (*facts, *steady)
        read = read._replace(when=tuple(row for row in read.when if row not in steady))
    if read.box is not None and shape is not None and len(read.box) == len(shape):
        facts = (*facts, *_inside(read.box, shape, vars_of_read))
    if any(fact.neg() for fact in facts):
        return None
    if read.box is None and shape is not None:
        read = read._replace(box=whole(shape))
    rank = len(shape) if shape is not None else len(read.box or ())
    counted = [write for write in writes if counts(read, write)]
    deepest = 0
    kept: list[Write] = []
    for write in counted:
        d = shared_depth(read, write.access)
        deepest = max(deepest, d)
        foldable = len(write.access.loops) > d and not write.same_turn_only
        kept.append(write._replace(access=quick.folded(write.access, d, frozenset())) if foldable else write)
    if read.loops:
        read = quick.folded(read, deepest, frozenset(s for write in kept for s in _symbols(write.access)))
    return Asked(shape, read, tuple(kept), tuple(facts), rank)


def _inside(box: Box, shape: tuple[Lin, ...], turns: frozenset[Sym]) -> Iterable[Lin]:
    """An index that is read lies inside the buffer, or nothing is read: `x[i]` is a hole although i >= n closes it."""
    for axis, extent in zip(box, shape, strict=True):
        if axis.start.terms and len(axis.stops) == 1 and (axis.stops[0] - axis.start).as_int() == 1:
            for row in (axis.start, extent - axis.start - 1):
                if turns.isdisjoint(row.all_syms()) and not row.nonneg():
                    yield row


def _symbols(access: Access) -> Iterable[Sym]:
    for axis in access.box or ():
        for x in (axis.start, *axis.stops):
            yield from x.all_syms()
    for row in access.when:
        yield from row.all_syms()
    for loop in access.loops:
        yield from (loop.start.all_syms() | loop.stop.all_syms())


def without_apart(asked: Asked) -> Asked:
    """The question without the writes that provably touch nothing of the read."""
    box = asked.read.box
    if box is None or not asked.writes or len(box) != asked.rank:
        return asked
    return asked._replace(writes=tuple(w for w in asked.writes if not _apart(w, box, asked.shape)))


def _apart(write: Write, read: Box, shape: tuple[Lin, ...] | None) -> bool:
    access = write.access
    if access.box is None or len(access.box) != len(read) or (write.same_turn_only and access.loops):
        return False  # at other turns the box is another one
    turns = {loop.var for loop in access.loops}
    moves = bool(turns) and any(
        s in turns for axis in access.box for x in (axis.start, *axis.stops) for s in x.all_syms()
    )
    return not moves and quick.surely_apart(access.box, read, shape)


# ---------------------------------------------------------------- no write is left


def without_writes(asked: Asked) -> Hole | None:
    """The answer where no write counts and the read itself is plain; None where that takes more."""
    shape, read, writes, facts, rank = asked
    if read.box is None:
        plain = not writes and not read.loops and not read.when and all(_is_lower_bound(fact) for fact in facts)
        return Hole("generic", "whole", "", None) if plain else None
    if shape is None or len(read.box) != rank:
        return None
    if quick.surely_empty(read.box, shape):
        return NO_HOLE
    if writes or read.loops or read.when or not all(_is_lower_bound(fact) for fact in facts):
        return None
    used = {s for axis in read.box for x in (axis.start, *axis.stops) for s in x.all_syms()}
    used |= {s for extent in shape for s in extent.all_syms()}
    large = {s: Lin.of(s) + K for s in used if s.defn is None and s.nonneg}
    if not quick.surely_there(read.box, shape, lambda x: x.substitute(large)):
        return None
    ends = tuple(axis._replace(stops=fewest((*axis.stops, shape[a]))) for a, axis in enumerate(read.box))
    name = show.names((*shape, *(x for axis in ends for x in (axis.start, *axis.stops))))
    return Hole(
        "generic", show.region(show.spans_of(ends, shape), shape, name), _least_case(ends, used, facts, name), None
    )


def _is_lower_bound(fact: Lin) -> bool:
    """`n >= 3`, or nothing at all: large sizes meet any number of these together."""
    if len(fact.terms) == 1:
        s, c = fact.terms[0]
        return c > 0 and s.defn is None
    return fact.nonneg()


def _least_case(box: Box, used: set[Sym], facts: Sequence[Lin], name: Name) -> str:
    """The smallest sizes with an element, by trying."""
    base = sorted((s for s in used.union(*(f.syms() for f in facts)) if s.defn is None), key=lambda s: s.order)
    if len(base) <= 3:
        trials: Iterable[tuple[int, ...]] = sorted(product(range(K + 1), repeat=len(base)), key=sum)
    else:
        trials = ((k,) * len(base) for k in range(1, 4 * K))
    for trial in trials:
        values = dict(zip(base, trial, strict=True))
        try:
            where = [evaluate(axis.start, values) for axis in box]
            holds = all(evaluate(fact, values) >= 0 for fact in facts)
            there = all(evaluate(stop, values) > at for axis, at in zip(box, where, strict=True) for stop in axis.stops)
        except ZeroDivisionError:
            continue
        if holds and there:
            return show.sample(((name(s), values[s]) for s in base), where)
    return ""


def outline(asked: Asked) -> str:
    """What the read touches, for an answer that got no further."""
    if asked.read.box is None or len(asked.read.box) != asked.rank:
        return "whole"
    name = show.names(x for axis in asked.read.box for x in (axis.start, *axis.stops))
    return show.region(show.spans_of(asked.read.box, asked.shape), asked.shape, name)
