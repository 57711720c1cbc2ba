"""What holds of the parameters of a question: signs, definitions, and the generic sizes.

The parameters are all symbols that are no turn. Three systems come out, each a list of alternatives (`Piece`):

- `hull`: one conjunction that always holds (signs, quotients by constants, bounds of minima and maxima, given facts);
- `exact`: the same with every minimum and maximum equal to one of its operands;
- `generic`: `exact` for sizes from K on, with what that says about products (n*p >= K*n + K*p - K*K).

A division by a symbol is taken to have a divisor >= 1 if it was surely evaluated (it stands in the shape, in the
read, in a fact, or in a write without turns and conditions). Where it stands only in a write that may not have
happened, it says nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from allocsafe.regions.exprs import Lin, Sym, factors, is_nonneg, mul
from allocsafe.regions.quick import K
from allocsafe.regions.system import Piece

MAX_SPLITS = 4  # minima and maxima that are told apart; the others keep their bounds only


class Parameters(NamedTuple):
    symbols: tuple[Sym, ...]
    hull: Piece
    exact: tuple[Piece, ...]
    known_sizes: tuple[Lin, ...]  # rows that hold for generic sizes beside the thresholds
    sized: tuple[Sym, ...]  # the symbols that have a threshold


def parameters(
    used: Iterable[Lin], evaluated: Iterable[Lin], facts: Sequence[Lin], turns: frozenset[Sym]
) -> Parameters:
    """The parameters in `used`; `evaluated` are the expressions that the program surely computed."""
    found: set[Sym] = set()
    for x in used:
        found |= {s for s in x.all_syms() if turns.isdisjoint(s.deps())}
    sure = {s for x in evaluated for s in x.all_syms()}
    symbols = tuple(sorted(found, key=lambda s: s.order))
    rows: list[Lin] = list(facts)
    either: list[tuple[Lin, Lin]] = []
    for s in symbols:
        if is_nonneg(s):
            rows.append(Lin.of(s))
        if s.defn is None:
            continue
        op, a, b = s.defn
        here, k = Lin.of(s), b.as_int()
        if op in ("min", "max"):
            low, high = (here, (a, b)) if op == "min" else (-here, (-a, -b))
            rows += [x - low for x in high]
            either.append((here - a, here - b))
        elif op == "floordiv" and k is not None:
            if k > 0:
                rows += [a - here * k, here * k + (k - 1) - a]
        elif op == "floordiv" and s in sure and b.nonneg():
            rows.append(b - 1)
            product = mul(b, here)
            if product.syms() <= found:
                rows += [a - product, product + b - 1 - a]
            if a.nonneg():
                rows.append(a - here)
        elif op == "mul":
            rows += _product_rows(s, facts)
    hull = Piece((), tuple(dict.fromkeys(row for row in rows if row.terms or row.const < 0)))
    exact = [hull]
    for pair in either[:MAX_SPLITS]:
        exact = [p._replace(zero=(*p.zero, row)) for p in exact for row in pair]
    sized = tuple(s for s in symbols if s.defn is None and s.nonneg)
    return Parameters(symbols, hull, tuple(exact), _generic_rows(symbols, sized), sized)


def _product_rows(s: Sym, facts: Sequence[Lin]) -> list[Lin]:
    """n*p >= n where p >= 1 is known."""
    parts = factors(s)
    if len(parts) != 2 or not all(is_nonneg(p) for p in parts):
        return []
    out = []
    for x, y in (parts, parts[::-1]):
        if any((Lin.of(x) - 1 - fact).nonneg() for fact in (Lin(0), *facts)):
            out.append(Lin.of(s) - Lin.of(y))
    return out


def _generic_rows(symbols: tuple[Sym, ...], sized: tuple[Sym, ...]) -> tuple[Lin, ...]:
    """Rows about products and quotients that hold once every size is at least K."""
    out: list[Lin] = []
    large = {s: Lin.of(s) + K for s in sized}
    for s in symbols:
        if s.defn is None:
            continue
        parts = factors(s)
        if len(parts) >= 2 and all(p in large for p in parts):
            for p in parts:  # the others multiply it by at least K each
                out.append(Lin.of(s) - Lin.of(p) * K ** (len(parts) - 1))
            if len(parts) == 2:
                out.append(Lin.of(s) - Lin.of(parts[0]) * K - Lin.of(parts[1]) * K + K * K)
        elif s.defn[0] == "floordiv" and s.defn[2].terms:
            a, b = s.defn[1], s.defn[2]
            if b.nonneg() and (a - b).substitute(large).nonneg():
                out.append(Lin.of(s) - 1)
    return tuple(out)
