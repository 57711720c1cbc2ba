"""The old side of a patch that changed nothing but which maker fills an allocation.

*Claim.* Where each changed line differs from the line it replaces in the word `zeros`, `ones` or `empty` of one call
alone, the old side has the allocations of the new side, filled as the old word says. *Why that suffices.* Names,
shapes, lines and all other code are the same, so a walk of the old side would find the same places under the same
names. *What it gives up.* Nothing is said of the old side's verdicts: where the new side has a finding at a line that
did not change, the old side is walked after all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from allocsafe.edits import Alloc
from allocsafe.patch.pairs import FilePair
from allocsafe.verdict import Unsafe

_MAKER = re.compile(r"(?<![\w])((?:new_)?)(zeros|ones|empty)((?:_like)?)(?=[ \t]*\()")


def mirrored(pair: FilePair, new: Sequence[Alloc]) -> list[Alloc] | None:
    """The allocations of the old side without a walk; None where it needs one."""
    swapped = _swapped(pair)
    if not swapped:
        return None
    at: dict[int, list[Alloc]] = {}
    for alloc in new:
        at.setdefault(alloc.line, []).append(alloc)
    for line, (_, word) in swapped.items():
        here = at.get(line, [])
        if len(here) != 1 or _last(here[0].what) != word or here[0].filled != ("empty" not in word):
            return None
    if any(isinstance(a.verdict, Unsafe) for a in new if a.line not in swapped):
        return None
    out = []
    for alloc in new:
        if alloc.line in swapped:
            word = swapped[alloc.line][0]
            filled = "empty" not in word
            what = alloc.what[: len(alloc.what) - len(_last(alloc.what))] + word
            alloc = alloc._replace(  # noqa: PLW2901 - the same allocation, as the other side has it
                what=what, filled=filled, verdict=None if filled else alloc.verdict
            )
        out.append(alloc)
    return out


def _swapped(pair: FilePair) -> dict[int, tuple[str, str]]:
    """By line (the same on both sides) the old and the new maker; nothing if anything else changed."""
    if pair.old is None or pair.new is None or pair.old_path != pair.new_path or not pair.complete:
        return {}
    out: dict[int, tuple[str, str]] = {}
    for a, b, c, d in pair.lines.blocks:
        if (a, b) != (c, d):
            return {}
        for line in range(a + 1, b + 1):
            before, after = pair.old.line(line), pair.new.line(line)
            old, new = _MAKER.findall(before), _MAKER.findall(after)
            if len(old) != 1 or len(new) != 1 or _MAKER.sub(r"\1\3", before) != _MAKER.sub(r"\1\3", after):
                return {}
            out[line] = ("".join(old[0]), "".join(new[0]))
    return out


def _last(what: str) -> str:
    return what.rsplit(".", 1)[-1]


__all__ = ["mirrored"]
