"""Whether the hole of a buffer that a function hands out goes on from a caller, or is mended there.

*Claim.* Where the walk of a function by itself shows that it hands a buffer out with a hole, and the walk of a caller
ends open, the hole is one if behind the return some access of the caller surely meets a hole: the buffer is handed to
code that nobody knows, or returned once more. *Why that suffices.* What is asked of the caller is whether it fills
the hole before anybody gets it. An access inside of the function comes before the return, and its doubts were there
in the function's own walk, which came to its answer all the same; behind the return the judge has counted all that
the caller, and this very call of the function, may have written. *What it gives up.* A hole that the caller only may
have filled, that an order or a launch inside may have closed, or that is kept: the caller's open end stays.

    def make(n, launch):            own walk: handed out unwritten when not launch
        x = torch.empty(n)
        if launch:
            kernel(x)               nobody knows what it writes
        return x

    use(make(n, False))             goes on: the hole is there, surely
    use(make(n, True))              open: the kernel may have closed it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.judge import Judge

if TYPE_CHECKING:
    from allocsafe.flow.buffers import Buffer, Entry, Turn
    from allocsafe.flow.machine import Machine
    from allocsafe.frontends.base import Definition
    from allocsafe.source import Span

ON = "goes on"
"""The attribute of what one walk found of an allocation: its hole is handed on."""

MOST_ASKED = 16
"""Accesses of one walk that are asked for the hole."""


def goes_on(m: Machine, buffers: Sequence[Buffer], path: str, definition: Definition) -> bool:
    """Whether some access outside of the function surely hands a hole of the buffers on."""
    asked = 0
    for buffer in buffers:
        for entry in buffer.entries:
            left = entry.kind == "return" or (entry.kind == "escape" and entry.step == "call")
            if not left or entry.handed != "all" or inside(path, definition, entry):
                continue
            asked += 1
            if asked > MOST_ASKED:
                return False
            if _surely_open(m, buffer, entry):
                return True
    return False


def inside(path: str, definition: Definition, entry: Entry) -> bool:
    """Whether an access happens in the function, or in what it calls."""

    def there(span: Span) -> bool:
        return span.path == path and definition.first_line <= span.line <= definition.last_line

    return there(entry.span) or any(there(call) for call in entry.stack)


def _surely_open(m: Machine, buffer: Buffer, entry: Entry) -> bool:
    """Whether what is handed over surely has a hole in the first turn of the loops around: nothing that stands behind
    it has run yet.
    """
    kept = buffer.entries
    buffer.entries = [e for e in kept if e.pos < entry.pos]
    asked = entry._replace(kind="read", extent="all", turns=_turns(buffer, entry))
    try:
        return Judge(m).answer(buffer, asked).status == "sure"
    finally:
        buffer.entries = kept


def _turns(buffer: Buffer, entry: Entry) -> tuple[Turn, ...]:
    """The loops around the access without the inner ones that neither it nor anything before it has to do with."""
    concerned = {turn.id for other in buffer.entries for turn in other.turns} | {turn.id for turn in buffer.turns}
    named = {s for axis in entry.box or () for term in (axis.start, *axis.stops) for s in term.all_syms()}
    turns = entry.turns
    while turns and turns[-1].id not in concerned and turns[-1].loop.var not in named:
        turns = turns[:-1]
    return turns


__all__ = ["ON", "goes_on", "inside"]
