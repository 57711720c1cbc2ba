"""The only importer of islpy: rows in, sets out, under a budget of operations.

Sets are built constraint by constraint (a fifth of the time that isl's parser takes), over one space a question:
parameters `p0, p1, ...` in order of creation of their symbols, then the columns of the read's turn, then the element.
Interned names and one order keep isl from aligning spaces. The context is made once; the operation counter is reset
before each question, and a question that runs over it ends as `TooComplex`, never as a wrong answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import islpy as isl

from allocsafe.regions.exprs import Lin, Sym
from allocsafe.regions.system import Piece, TooComplex

IslSet: TypeAlias = Any  # islpy ships no complete types
BUDGET = 300_000  # isl operations a question, about a microsecond each; ordinary ones take a few hundred
WORDS = 100_000  # and for each of its region, sample and condition

REACH = 40  # how far from the least a point is looked for

_context = isl.Context()
_PARAM, _SET, _DIV = isl.dim_type.param, isl.dim_type.set, isl.dim_type.div
_values: dict[int, Any] = {}


@contextmanager
def budget(*, words: bool = False) -> Iterator[None]:
    """One question's worth of work. Whatever isl cannot do inside it raises TooComplex."""
    _context.set_max_operations(WORDS if words else BUDGET)
    _context.reset_operations()
    try:
        yield
    except isl.Error as error:
        raise TooComplex("too complex") from error
    finally:
        _context.set_max_operations(0)
        _context.reset_operations()


def _value(k: int) -> Any:
    found = _values.get(k)
    if found is None:
        found = _values[k] = isl.Val(k, _context)
    return found


def _int(value: Any) -> int:
    words = value.to_str()
    if words is None:  # how islpy says that the budget ran out while it looked
        raise TooComplex("too complex")
    return int(words)


class Room:
    """One question's space: which symbol is which column."""

    def __init__(self, params: Sequence[Sym], columns: Sequence[Sym]) -> None:
        self.params, self.columns = tuple(params), tuple(columns)
        self._spaces: dict[int, tuple[Any, Any, Any, Any]] = {}

    def _space(self, width: int) -> tuple[Any, Any, Any, Any]:
        """The universe with this many set columns, and an empty equality and inequality in it."""
        found = self._spaces.get(width)
        if found is None:
            space = isl.Space.set_alloc(_context, len(self.params), width)
            for i in range(len(self.params)):
                space = space.set_dim_name(_PARAM, i, f"p{i}")
            local = isl.LocalSpace.from_space(space)
            found = self._spaces[width] = (
                isl.BasicSet.universe(space),
                isl.Constraint.alloc_equality(local),
                isl.Constraint.alloc_inequality(local),
                space,
            )
        return found

    def make(self, pieces: Sequence[Piece], *, over_columns: bool = True) -> IslSet:
        """The union of the pieces; over the parameters alone (as a set of no columns) if `over_columns` is False."""
        columns = self.columns if over_columns else ()
        out = isl.Set.empty(self._space(len(columns))[3])
        for piece in pieces:
            one = isl.Set.from_basic_set(self._basic(piece, columns))
            out = out.union(one)
        return out

    def _basic(self, piece: Piece, columns: tuple[Sym, ...]) -> Any:
        some = tuple(s for s in dict.fromkeys(piece.some) if s not in columns)
        out, equality, inequality, _ = self._space(len(columns) + len(some))
        place: dict[Sym, tuple[Any, int]] = {s: (_PARAM, i) for i, s in enumerate(self.params)}
        place.update((s, (_SET, i)) for i, s in enumerate((*columns, *some)))
        for rows, empty in ((piece.zero, equality), (piece.nonneg, inequality)):
            for row in rows:
                made = empty.set_constant_val(_value(row.const))
                for s, c in row.terms:
                    kind, i = place[s]
                    made = made.set_coefficient_val(kind, i, _value(c))
                out = out.add_constraint(made)
        return out.project_out(_SET, len(columns), len(some)) if some else out

    # ------------------------------------------------ back to expressions

    def first_index(self, part: Any, axis: int) -> Lin | None:
        """The least index on an axis as an expression of the parameters, if it is one everywhere."""
        pieces = isl.Set.from_basic_set(part).dim_min(axis).get_pieces()
        if len(pieces) != 1:
            return None
        aff = pieces[0][1]
        if aff.dim(_DIV) and any(_int(aff.get_coefficient_val(_DIV, i)) for i in range(aff.dim(_DIV))):
            return None
        out = Lin(0)
        for i, s in enumerate(self.params):
            k = aff.get_coefficient_val(_PARAM, i)
            if not k.is_int():
                return None
            out = out + Lin.of(s) * _int(k)
        const = aff.get_constant_val()
        return out + _int(const) if const.is_int() else None

    def rows(self, part: Any, *, plain_only: bool = False) -> tuple[list[Lin], list[Lin]] | None:
        """The equalities and inequalities of a basic set over parameters and set columns.

        Those that count something else (a step, a remainder) are left out if `plain_only`, else the answer is None.
        """
        zero: list[Lin] = []
        nonneg: list[Lin] = []
        names = self.columns[len(self.columns) - part.dim(_SET) :] if part.dim(_SET) else ()
        for constraint in part.get_constraints():
            if any(_int(constraint.get_coefficient_val(_DIV, i)) for i in range(part.dim(_DIV))):
                if plain_only:
                    continue
                return None
            row = Lin(_int(constraint.get_constant_val()))
            for kind, symbols in ((_PARAM, self.params), (_SET, names)):
                for i, s in enumerate(symbols):
                    k = _int(constraint.get_coefficient_val(kind, i))
                    if k:
                        row = row + Lin.of(s) * k
            (zero if constraint.is_equality() else nonneg).append(row)
        return zero, nonneg


def basic_sets(of: IslSet) -> list[Any]:
    return list(of.get_basic_sets())


def project(of: IslSet, first: int, count: int) -> IslSet:
    return of.project_out(_SET, first, count) if count else of


def as_params(of: IslSet) -> IslSet:
    """A set over no columns as a set of parameters only, and so usable with `intersect_params`."""
    return of.params()


def stride(part: Any, axis: int) -> int:
    """The step between the indices of a basic set on an axis, 1 if there is none."""
    return _int(isl.Set.from_basic_set(part).get_stride(axis))


def is_same(part: Any, other: IslSet) -> bool:
    whole = isl.Set.from_basic_set(part)
    return bool(other.intersect_params(whole.params()).is_equal(whole))


def is_empty_over(part: Any, params: IslSet) -> bool:
    return bool(isl.Set.from_basic_set(part).intersect_params(params).is_empty())


def widened(parts: Sequence[Any], whole: IslSet, given: IslSet) -> list[Any]:
    """Parts of `whole` (under `given`), each with as few constraints as keep it inside, none implied by the others.

    `k >= m or (k >= n and m > k)` becomes `k >= m or k >= n`: the parts may overlap.
    """
    wide: list[Any] = []
    for part in parts:
        widest, kept = part, part.get_constraints()
        for c in list(kept) if len(kept) > 1 else ():
            fewer = [other for other in kept if other is not c]
            trial = isl.BasicSet.universe(part.get_space())
            for other in fewer:
                trial = trial.add_constraint(other)
            if isl.Set.from_basic_set(trial).intersect(given).is_subset(whole):
                widest, kept = trial, fewer
        wide.append(widest)
    out = list(wide)
    for part in wide:
        others = [other for other in out if other is not part]
        union = isl.Set.empty(whole.get_space())
        for other in others:
            union = union.union(isl.Set.from_basic_set(other))
        if others and isl.Set.from_basic_set(part).intersect(given).is_subset(union):
            out = others
    return out


def forgotten(of: IslSet, param: int) -> IslSet:
    """The set for some value of a parameter, which stays in the space."""
    return of.eliminate(_PARAM, param, 1)


def involves(of: IslSet, param: int) -> bool:
    return bool(of.involves_dims(_PARAM, param, 1))


def fixed(of: IslSet, param: int, value: int) -> IslSet:
    return of.fix_val(_PARAM, param, _value(value))


def smallest_point(of: IslSet, sized: Sequence[int], free: Sequence[int]) -> dict[tuple[str, int], int] | None:
    """A point of the set: the least sum of the `sized` parameters, then each `free` one (it may be negative) nearest
    to 0 and rather above it, then the first element. Keys are ("p", i) and ("e", axis).

    Every step is checked by emptiness: isl's optimum over a union with an empty part can lie below the true one.
    """
    width, count = of.dim(_SET), of.dim(_PARAM)
    flat = of.move_dims(_SET, 0, _PARAM, 0, count)
    nothing = isl.Aff.zero_on_domain(isl.LocalSpace.from_space(flat.get_space()))
    if sized:
        total = nothing
        for i in sized:
            total = total.set_coefficient_val(isl.dim_type.in_, i, _value(1))
        least = flat.min_val(total)
        if not least.is_int():
            return None
        first = _int(least)
        sums = (
            flat.add_constraint(isl.Constraint.equality_from_aff(total.add_constant_val(_value(-k))))
            for k in range(first, first + REACH)
        )
        flat = next((part for part in sums if not part.is_empty()), flat)
    for i in free:
        near = (flat.fix_val(_SET, i, _value(k)) for n in range(REACH) for k in dict.fromkeys((n, -n)))
        found = next((part for part in near if not part.is_empty()), None)
        if found is None:
            return None
        flat = found
    point = flat.lexmin().sample_point()
    if point.is_void():
        return None
    out = {("p", i): _int(point.get_coordinate_val(_SET, i)) for i in range(count)}
    out.update((("e", a), _int(point.get_coordinate_val(_SET, count + a))) for a in range(width))
    return out


def text(part: Any) -> str:
    """isl's own words, with `p0` for the parameters and `a0` for the axes."""
    for a in range(part.dim(_SET)):
        part = part.set_dim_name(_SET, a, f"a{a}")
    return str(part)
