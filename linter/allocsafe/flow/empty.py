"""Paths on which memory has no element: there nothing can be read, whatever was skipped.

*Claim.* `nothing` is true only if the facts of a path force one length of the buffer to zero. *Why that suffices.* A
tensor with a length of zero has no element. A product that is zero has a part that is; if each of its parts is, or
divides into, a length of the buffer, one of these is zero. *What it gives up.* A length
that is zero for another reason.

    if x.numel() == 0: return torch.empty_like(x)          no element
    if rows * heads == 0: return torch.empty(rows, heads // 2)
    if rows == 0: return torch.empty(rows * (a + b))        no element
    if rows == 0: return torch.empty(rows + 1)              one element
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocsafe.regions.exprs import Lin, Sym, factors

if TYPE_CHECKING:
    from allocsafe.flow.buffers import Buffer
    from allocsafe.flow.machine import Machine


def nothing(m: Machine, buffer: Buffer, facts: tuple[Lin, ...]) -> bool:
    """Whether a buffer made on this path has no element."""
    if not facts or buffer.shape is None:
        return False
    zeros = _zeros(facts)
    if not zeros:
        return False
    lengths = [_parts(size) for size in buffer.shape[buffer.outer :] if size.const == 0 and size.terms]
    for zero in zeros:
        if buffer.like is not None and zero.key == ("numel", buffer.like):
            return True
        if all(any(all(part in term for term in terms) for terms in lengths) for part in factors(zero)):
            return True
    return False


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


__all__ = ["nothing"]
