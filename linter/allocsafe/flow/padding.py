"""Padding: written up to one length, read up to a longer one.

*Claim.* `prefix` finds a write that covers a read but for the end of one axis, where the read goes on to another
length; `evident` says whether that other length is meant to be the longer one. *Why that suffices.* A hole that closes
only when two independent lengths agree is a condition, not a finding; but a length that is rounded up from the other,
is the maximum of both or is called padded is there to be longer, and the hole is there in every run that pads. *What
it gives up.* A length that is padded under another name, by code that is not in view.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from allocsafe.flow.views import is_whole_axis
from allocsafe.regions.box import Axis, Box
from allocsafe.regions.exprs import Lin, Sym

_PADDED = re.compile(r"(?:^|_|\.|\b)(?:pads?|padded|padding|round_?up|next_power_of_(?:2|two))(?:_|\b|$)")
_ACTUAL = re.compile(r"unpadded|(?:without|no|non|before)_pad|pad(?:ding)?_(?:id|idx|token|value|slot)")


class Lengths(NamedTuple):
    """The axis, up to where it is written, and up to where it is read."""

    axis: int
    written: Lin
    read: Lin


def prefix(shape: tuple[Lin, ...] | None, read: Box | None, written: Box | None) -> Lengths | None:
    """The lengths, if the write covers the read but for the end of one axis."""
    if written is None or shape is None or len(written) != len(shape):
        return None
    if read is None:
        read = tuple(Axis(Lin.of(0), (size,), 1) for size in shape)
    if len(read) != len(shape):
        return None
    found: Lengths | None = None
    for number, (theirs, mine, size) in enumerate(zip(written, read, shape, strict=True)):
        if theirs == mine or is_whole_axis(theirs, size):
            continue
        if found is not None or theirs.step != 1 or mine.step != 1 or theirs.start != mine.start:
            return None
        short = [s for s in theirs.stops if s not in mine.stops and s != size]
        long = [s for s in mine.stops if s not in theirs.stops and (s != size or len(mine.stops) == 1)]
        if len(short) != 1 or not long or short[0].as_int() is not None:
            return None
        gaps = [s - short[0] for s in long]
        best = next((s for s, gap in zip(long, gaps, strict=True) if evident(short[0], s)), long[0])
        if (best - short[0]).as_int() is not None or str(best) == str(short[0]):
            return None  # a last element, or one length under two names of one spelling: nobody calls that padding
        found = Lengths(number, short[0], best)
    return found


def evident(written: Lin, read: Lin) -> bool:
    """Whether the length that is read is meant to be at least the one that is written, and more at times."""
    gap = read - written
    if gap.as_int() is not None:
        return False
    if gap.nonneg() and any(_grown(s, written) for s in read.all_syms()):
        return True
    return _is_padded(read) and not _is_padded(written)


def _grown(s: Sym, written: Lin) -> bool:
    """Whether a symbol is a maximum or a quotient of what the written length is made of."""
    return s.defn is not None and s.defn[0] in ("max", "floordiv") and not s.deps().isdisjoint(written.all_syms())


def _is_padded(lin: Lin) -> bool:
    return any(_says(s) for s in lin.all_syms())


def _says(s: Sym) -> bool:
    """Whether a symbol's name, or the call that made it, says that it was padded."""
    return any(_PADDED.search(text) and not _ACTUAL.search(text) for text in (s.name, *_makers(s.key, 5)))


def _makers(key: object, depth: int) -> list[str]:
    """The names of the functions whose results a key is made of."""
    if not isinstance(key, tuple) or not depth:
        return []
    own = [str(key[1])] if len(key) > 1 and key[0] == "made" else []
    return own + [text for part in key[:4] for text in _makers(part, depth - 1)]


__all__ = ["Lengths", "evident", "prefix"]
