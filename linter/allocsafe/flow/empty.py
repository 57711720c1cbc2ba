"""Paths on which memory has no element: there nothing can be read, whatever was skipped.

*Claim.* `nothing` is true only if the facts of a path force one length of the buffer to zero. *Why that suffices.* A
tensor with a length of zero has no element. A product that is zero has a part that is; if each of its parts is, or
divides into, a length of the buffer, one of these is zero. *What it gives up.* A length
that is zero for another reason: where a path says that something is zero or false which the lengths are made of, in a
way that is not followed, `perhaps_nothing` says so, and the path is no evidence for either.

    if x.numel() == 0: return torch.empty_like(x)          no element
    if rows * heads == 0: return torch.empty(rows, heads // 2)
    if rows == 0: return torch.empty(rows * (a + b))        no element
    if rows == 0: return torch.empty(rows + 1)              one element
    if x.numel() == 0: return torch.empty((*x.shape, d))    perhaps no element
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from allocsafe.flow.values import Num, Opaque, TupleOf, Value
from allocsafe.regions.exprs import Lin, Sym, factors

if TYPE_CHECKING:
    from allocsafe.flow.buffers import Buffer
    from allocsafe.flow.machine import Machine

DEPTH = 6
"""How deep the values that a size is made from are looked into."""


def nothing(m: Machine, buffer: Buffer, facts: tuple[Lin, ...]) -> bool:
    """Whether a buffer made on this path has no element."""
    if not facts or buffer.shape is None:
        return False
    return _vanishes(buffer, _zeros(facts))


def _vanishes(buffer: Buffer, zeros: Iterable[Sym]) -> bool:
    """Whether a length of the buffer is zero where these symbols are."""
    lengths = [_parts(size) for size in (buffer.shape or ())[buffer.outer :] if size.const == 0 and size.terms]
    for zero in zeros:
        if buffer.like is not None and zero.key == ("numel", buffer.like):
            return True
        if all(any(all(part in term for term in terms) for terms in lengths) for part in factors(zero)):
            return True
    return False


def made_of(m: Machine, sizes: Iterable[Value]) -> frozenset[Hashable]:
    """What the arguments of an allocation take its lengths from: tensors by their keys, and integers."""
    out: set[Hashable] = set()
    for size in sizes:
        for _, leaf in m.leaves(size):
            _mention(leaf, out, DEPTH)
    return frozenset(out)


def _mention(part: object, out: set[Hashable], depth: int) -> None:
    if isinstance(part, Num):
        out.update(part.lin.all_syms())
    elif isinstance(part, Lin):
        out.update(part.all_syms())
    elif isinstance(part, TupleOf):
        for item in part.items:
            _mention(item, out, depth)
    elif isinstance(part, Opaque):
        out.add(part.key)
        _mention(part.key, out, depth)
    elif isinstance(part, tuple) and depth:
        if part[:1] == ("shape-of",):
            out.add(part[1])
        for inner in part:
            _mention(inner, out, depth - 1)


def perhaps_nothing(m: Machine, buffer: Buffer, cube: dict[int, bool], facts: tuple[Lin, ...]) -> bool:
    """Whether the path says that something is zero, or false, which the lengths of the buffer are made of."""
    false = {
        atom.key[1]
        for atom in (m.conds.atoms[i] for i, value in cube.items() if not value)
        if isinstance(atom.key, tuple) and atom.key[0] == "truth" and len(atom.key) == 2
    }
    zeros = set(_zeros(facts))
    if not false and not zeros:
        return False
    zeros |= {
        s for s in _symbols(facts, buffer) if isinstance(s.key, tuple) and s.key[:1] in _COUNTS and s.key[1] in false
    }
    zeros = _spread(zeros, facts)
    if _vanishes(buffer, zeros):
        return True
    about = {s.key[1] for s in zeros if isinstance(s.key, tuple) and s.key[:1] in (*_COUNTS, ("shape",), ("numel",))}
    named = {buffer.like} if buffer.like is not None else buffer.named
    return bool(named & (zeros | about | false))


_COUNTS = (("int",), ("len",))
"""Integers that are zero where what they count is false."""


def _symbols(facts: tuple[Lin, ...], buffer: Buffer) -> set[Sym]:
    return {s for lin in (*facts, *(buffer.shape or ())) for s in lin.all_syms()}


def _spread(zeros: set[Sym], facts: tuple[Lin, ...]) -> set[Sym]:
    """The symbols that are zero, and those that the path says are equal to one of them."""
    rows = set(facts)
    pairs = [
        {row.terms[0][0], row.terms[1][0]}
        for row in facts
        if row.const == 0 and len(row.terms) == 2 and row.terms[0][1] + row.terms[1][1] == 0 and -row in rows
    ]
    out = zeros | {x for zero in zeros if (x := _rounded_up(zero)) is not None}
    for _ in pairs:
        for pair in pairs:
            if pair & out:
                out |= pair
    return out


def _rounded_up(symbol: Sym) -> Sym | None:
    """`n` of `ceil(n / k)`, which is zero only with it."""
    if symbol.defn is None or symbol.defn[0] != "floordiv":
        return None
    over = symbol.defn[1] - symbol.defn[2] + 1
    return over.terms[0][0] if over.const == 0 and len(over.terms) == 1 else None


def _zeros(facts: tuple[Lin, ...]) -> list[Sym]:
    """The symbols that are zero: said to be, or not positive and never negative."""
    rows = set(facts)
    out = []
    for row in facts:
        if row.const == 0 and len(row.terms) == 1:
            symbol, by = row.terms[0]
            if (by < 0 and symbol.nonneg) or -row in rows:
                out.append(symbol)
    return out


def _parts(size: Lin) -> list[set[Sym]]:
    """For each term of a length what it is a multiple of, or a whole part of: where that is zero, so is the term."""
    return [set().union(*(_of(part) for part in factors(symbol))) for symbol, _ in size.terms]


def _of(part: Sym) -> set[Sym]:
    if part.defn is None or part.defn[0] != "floordiv":
        return {part}
    over = part.defn[1]
    terms = _parts(over) if over.const == 0 and over.terms else []
    return {part, *(set.intersection(*terms) if terms else ())}


__all__ = ["made_of", "nothing", "perhaps_nothing"]
