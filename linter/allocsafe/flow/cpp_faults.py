"""Misuse that is wrong whatever the elements hold: a container taken for an array, a borrower that outlives its memory.

*Claim.* A fault is logged where it happens, under the path on which it does; it makes the verdict of the memory's
site. *Why that suffices.* It needs no question about regions. *What it gives up.* A fault on a path that depends on
something not followed is unknown.
"""

from __future__ import annotations

from allocsafe.flow.buffers import Entry
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import log
from allocsafe.flow.values import Array, View
from allocsafe.source import Span
from allocsafe.verdict import Consequence, Event, Hole, Unknown, Unsafe, Verdict

DOUBTS = {"lifetime": "how long the memory below lives"}
"""Kinds of fault that are a doubt and no proof, with what would decide them."""


def fault(m: Machine, buf: int, span: Span, kind: str, why: str, cond: int | None = None) -> None:
    """Something wrong (`container`, `dangling`) or doubtful (`lifetime`) about a buffer, on the current path."""
    log(
        m,
        Array(buf, View(None, None, None)),
        "fault",
        span,
        why,
        event="note",
        step=kind,
        decides=DOUBTS.get(kind, "the path to it"),
        cond=cond,
    )


def fault_verdict(m: Machine, faults: list[Entry], site: Span, what: str) -> Verdict | None:
    """The verdict that the worst fault makes."""
    doubtful: Verdict | None = None
    for entry in sorted(faults, key=lambda e: e.pos):
        trace = (
            Event("allocated", site, "", what),
            *(Event("called", s) for s in entry.stack[1:]),
            Event("note", entry.span, "", entry.note),
        )
        if entry.step not in DOUBTS and _surely_happens(m, entry.cond):
            consequence: Consequence = "return" if entry.step == "dangling" else "data"
            return Unsafe(entry.note, trace, Hole(""), consequence, frozenset({entry.step}))  # type: ignore[arg-type]  # a fault's step is its facet
        if doubtful is None:
            doubtful = Unknown(entry.step, entry.span, entry.note, entry.decides, trace)
    return doubtful


def _surely_happens(m: Machine, cond: int) -> bool:
    """Whether some path leads there that depends on nothing but branches."""
    cubes = m.conds.cubes(cond, 8)
    if cubes is None:
        return False
    return any(not m.conds.contradicts(cube) and all(m.conds.atoms[i].sure for i in cube) for cube in cubes)
