"""Accesses as systems of integer constraints, still without a library: rows of `Lin` over symbols.

A `Piece` is one conjunction: every row of `zero` is 0 and every row of `nonneg` is >= 0 for some values of the symbols
in `some`. Which symbols are elements, turns or parameters is the reader's business; a turn of a loop is its variable,
an element is `element(axis)`, and a second turn of the same loop is the variable renamed (`Lin.substitute`), which
renames products like `i*p` along.

A symbol with a definition that depends on a turn is no parameter. `opened` makes it one of `some` and adds what
defines it: exactly for quotients by a constant, minima and maxima; a product or a quotient of unknowns cannot be
defined by rows, stays free, and is named in `loose`: the piece then holds more than the program touches (a
may-region, never a sure one).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from allocsafe.regions.box import Access, Box, Loop, Write
from allocsafe.regions.exprs import Lin, Sym, is_nonneg, sym

MAX_PIECES = 16  # alternatives that minima and maxima of one access may split it into


class Piece(NamedTuple):
    zero: tuple[Lin, ...]
    nonneg: tuple[Lin, ...]
    some: tuple[Sym, ...] = ()
    loose: str = ""  # the expression that this piece does not define, for people


class TooComplex(Exception):
    """A question that would need more pieces or operations than one question may have."""


def element(axis: int) -> Sym:
    """The index of the asked element on this axis."""
    return sym(("element", axis), f"e{axis}", nonneg=True)


def other_turn(var: Sym) -> Sym:
    """The variable of the same loop at a turn of the writer's own."""
    return sym(("turn", var), var.name, nonneg=var.nonneg, table=var.table)


def multiple(x: Lin, step: int, tag: object) -> tuple[Lin, Sym]:
    """`x` is a multiple of `step`, as a row that is 0 and the symbol that counts."""
    count = sym(("count", tag), "k")
    return x - Lin.of(count) * step, count


def in_box(box: Box, tag: object) -> Piece:
    """The elements of a box."""
    zero: list[Lin] = []
    rows: list[Lin] = []
    some: list[Sym] = []
    for a, axis in enumerate(box):
        here = Lin.of(element(a)) - axis.start
        if len(axis.stops) == 1 and axis.step == 1 and (axis.stops[0] - axis.start).as_int() == 1:
            zero.append(here)
            continue
        rows.append(here)
        rows.extend(stop - Lin.of(element(a)) - 1 for stop in axis.stops)
        if axis.step > 1:
            row, count = multiple(here, axis.step, (tag, a))
            zero.append(row)
            some.append(count)
    return Piece(tuple(zero), tuple(rows), tuple(some))


def in_loops(loops: Iterable[Loop], tag: object) -> Piece:
    """The turns of these loops."""
    zero: list[Lin] = []
    rows: list[Lin] = []
    some: list[Sym] = []
    for loop in loops:
        var = Lin.of(loop.var)
        rows += [var - loop.start, loop.stop - var - 1] if loop.step > 0 else [loop.start - var, var - loop.stop - 1]
        if abs(loop.step) > 1:
            row, count = multiple(var - loop.start, abs(loop.step), (tag, loop.var))
            zero.append(row)
            some.append(count)
    return Piece(tuple(zero), tuple(rows), tuple(some))


def both(*pieces: Piece) -> Piece:
    return Piece(
        tuple(row for p in pieces for row in p.zero),
        tuple(row for p in pieces for row in p.nonneg),
        tuple(s for p in pieces for s in p.some),
        next((p.loose for p in pieces if p.loose), ""),
    )


def renamed(piece: Piece, loops: Sequence[Loop]) -> Piece:
    """The piece with the variables of `loops` at turns of their own."""
    by = {loop.var: Lin.of(other_turn(loop.var)) for loop in loops}
    return Piece(
        tuple(row.substitute(by) for row in piece.zero),
        tuple(row.substitute(by) for row in piece.nonneg),
        piece.some + tuple(other_turn(loop.var) for loop in loops),
        piece.loose,
    )


def opened(piece: Piece, turns: frozenset[Sym]) -> list[Piece]:
    """The piece as alternatives without undefined symbols: see the module's text. `turns` are columns already."""
    done: list[Piece] = []
    todo = [piece]
    while todo:
        p = _conjoined(todo.pop(), turns)
        s = _undefined(p, turns)
        if s is None:
            done.append(p)
        else:
            todo += _definition(p, s)
        if len(done) + len(todo) > MAX_PIECES:
            raise TooComplex(s.name if s is not None else "")
    return done


def _conjoined(p: Piece, turns: frozenset[Sym]) -> Piece:
    """Minima that must be large enough, and maxima small enough, are both operands being so: no alternative needed."""
    bound = turns.union(p.some)
    rows, out = list(p.nonneg), []
    while rows:
        row = rows.pop()
        for s, c in row.terms:
            if s.defn is not None and s.defn[0] == ("min" if c > 0 else "max") and s not in bound:
                rest = row - Lin.of(s) * c
                rows += [rest + s.defn[1] * c, rest + s.defn[2] * c]
                break
        else:
            out.append(row)
    return p._replace(nonneg=tuple(out)) if len(out) > len(p.nonneg) else p


def _undefined(p: Piece, turns: frozenset[Sym]) -> Sym | None:
    bound = turns.union(p.some)
    for row in (*p.zero, *p.nonneg):
        for s, _ in row.terms:
            if s.defn is not None and s not in bound and not bound.isdisjoint(s.deps()):
                return s
    return None


def _definition(p: Piece, s: Sym) -> list[Piece]:
    assert s.defn is not None
    here, some = Lin.of(s), (*p.some, s)
    op, a, b = s.defn
    k = b.as_int()
    if op == "floordiv" and k is not None and k > 0:
        return [p._replace(nonneg=(*p.nonneg, a - here * k, here * k + (k - 1) - a), some=some)]
    if op in ("min", "max"):
        sign = 1 if op == "min" else -1
        return [
            p._replace(zero=(*p.zero, here - x), nonneg=(*p.nonneg, (y - x) * sign), some=some)
            for x, y in ((a, b), (b, a))
        ]
    rows = (*p.nonneg, here) if is_nonneg(s) else p.nonneg
    return [p._replace(nonneg=rows, some=some, loose=p.loose or s.name)]


def shared_depth(read: Access, write: Access) -> int:
    """The number of leading loops that both stand in."""
    d = 0
    while d < min(len(read.loops), len(write.loops)) and read.loops[d].var is write.loops[d].var:
        d += 1
    return d


def counts(read: Access, write: Write) -> bool:
    """Some turn of the write may stand before the read."""
    return write.before_in_turn or shared_depth(read, write.access) > 0


def before(read: Access, write: Write, rank: int, tag: int) -> list[Piece]:
    """The elements that the write has surely covered when the read's turn comes.

        for i in range(n):          the turn of the read is i, of the write i'
            x[2*i] = ...            same turn      e == 2*i
            use(x[:2*i])            earlier turn   e == 2*i', i' < i, i' one of the turns

    An earlier turn is one whose first `j` loops stand at the read's turn and whose next loop stands before it.
    """
    access, d = write.access, shared_depth(read, write.access)
    if access.box is not None and len(access.box) != rank:
        return [Piece((), (), (), "a box of another rank")]
    body = Piece((), access.when) if access.box is None else in_box(access.box, tag)
    body = body if access.box is None else both(body, Piece((), access.when))
    out: list[Piece] = []
    if write.before_in_turn:
        inner = access.loops[d:]
        if write.same_turn_only and inner:
            out.append(Piece((), (), (), f"values that change while {inner[-1].var.name} runs"))
        else:
            out.append(renamed(both(body, in_loops(inner, tag)), inner))
    for j in range(d):
        if write.same_turn_only:
            # what earlier turns wrote is not known: nothing surely, everything maybe
            body = Piece((), (), (), f"values that change while {access.loops[j].var.name} runs")
        rest = access.loops[j:]
        turn = renamed(both(body, in_loops(rest, tag)), rest)
        var = rest[0].var
        ahead = Lin.of(var) - Lin.of(other_turn(var))
        out.append(turn._replace(nonneg=(*turn.nonneg, (ahead if rest[0].step > 0 else -ahead) - 1)))
    return out
