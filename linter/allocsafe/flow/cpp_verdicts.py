"""What is said of C++ memory beyond the question of holes: faults, borrowers, and zeros that nobody meant.

*Claim.* A fault decides. Memory that starts as zeros is safe whatever is read, but has a second answer (`partial`):
whether some read meets an element that holds nothing but that start, where others were given a value. It counts only
against the other side of a patch, where the same elements were given one: a vector that took an array's place, and
whose loop stops short. *Why that suffices.* A zero that is relied on was relied on before (`hist[x]++`, `cu[0]`), or
was written as a zero, and such writes do not count on either side. *What it gives up.* A vector that is new has no
other side.
"""

from __future__ import annotations

from allocsafe.flow.cpp_faults import fault_verdict
from allocsafe.flow.machine import Machine
from allocsafe.flow.witness import Reads
from allocsafe.verdict import Event, Safe, Unknown, Unsafe, Verdict


def judged(reads: Reads, *, compared: bool = True) -> tuple[Verdict, Verdict | None]:
    """The verdict of one allocation in C++, and the second answer (None: nothing to compare, or nothing with which)."""
    m = reads.m
    first = reads.buffers[0]
    native = m.native.get(first.ident)
    faults = [e for b in reads.buffers for e in b.entries if e.kind == "fault"]
    wrong = fault_verdict(m, faults, first.site, first.what) if faults else None
    if isinstance(wrong, Unsafe):
        return wrong, None
    if native is not None and native.storage == "blob":
        return wrong or _borrower(reads), None
    if all(b.filled for b in reads.buffers if b.ident not in m.native or m.native[b.ident].source is None):
        return wrong or Safe("it starts filled", (Event("filled", first.site, "[:]", first.what),)), None
    verdict = with_partial(reads.verdict())
    if native is None:
        return wrong if wrong is not None and not isinstance(verdict, Unsafe) else verdict, None
    partial = _without_zeros(m, reads) if compared else None
    if all(
        m.native[b.ident].default for b in reads.buffers if b.ident in m.native and m.native[b.ident].source is None
    ):
        trace = (
            verdict.trace
            if isinstance(verdict, Safe)
            else (Event("filled", first.site, "[:]", f"{first.what}, all zero"),)
        )
        verdict = Safe("every element has a value from the start", trace, verdict.assumes)
    if wrong is not None and not isinstance(verdict, Unsafe):
        return wrong, partial
    return verdict, partial


def _borrower(reads: Reads) -> Verdict:
    """A borrowing tensor that no fault is known of."""
    first = reads.buffers[0]
    kept = sorted(set().union(*(b.kept_in for b in reads.buffers)))
    if kept or any(e.kind == "keep" for b in reads.buffers for e in b.entries):
        from allocsafe.flow.cpp_borrowed import memory_dies
        from allocsafe.flow.values import Array, View

        if memory_dies(reads.m, Array(first.ident, View(None, None, None)), None) is not False:
            where = kept[0] if kept else "a container"
            why = f"it is kept in {where}, and borrows memory that may die before"
            return Unknown(
                "lifetime",
                first.site,
                why,
                "how long the memory below lives",
                (Event("allocated", first.site, "", first.what),),
            )
    return Safe(
        "it is read, or copied, while the memory that it borrows lives",
        (Event("allocated", first.site, "", first.what),),
    )


def with_partial(verdict: Verdict) -> Verdict:
    """`partial-fill` where something was written before the read and left the hole."""
    if (
        isinstance(verdict, Unsafe)
        and verdict.hole.region not in ("[:]", "")
        and any(e.event == "written" and not e.note.endswith("later") for e in verdict.trace)
    ):
        return verdict._replace(facets=verdict.facets | {"partial-fill"})
    return verdict


def _without_zeros(m: Machine, reads: Reads) -> Verdict:
    """The verdict if writes of zeros, and reads that start from the old value, did not count."""
    saved = [(b, b.entries) for b in reads.buffers]
    filled = [b.filled for b in reads.buffers]
    for buffer in reads.buffers:
        buffer.entries = [
            e
            for e in buffer.entries
            if e.pos not in m.zero_writes and not (e.kind == "read" and e.accumulate) and e.kind != "fault"
        ]
    try:
        verdict = with_partial(Reads(m, reads.buffers, lambda name: ()).verdict())
    finally:
        for (buffer, entries), was in zip(saved, filled, strict=True):
            buffer.entries = entries
            buffer.filled = was
    if isinstance(verdict, Unsafe) and "partial-fill" not in verdict.facets:
        return Unknown("zeros", reads.buffers[0].site, "its zeros are relied on as a whole", "")
    return verdict


def against(new: Verdict | None, old: Verdict | None, old_line: int) -> Unsafe | None:
    """The finding of two second answers: the new side leaves out what the old side gave a value."""
    if not (isinstance(new, Unsafe) and isinstance(old, Safe)):
        return None
    reason = (
        f"{new.hole.region} is read with nothing but the zero that it starts with; what fills the others stops short, "
        f"and filled it before (line {old_line})"
    )
    return new._replace(reason=reason, facets=frozenset({"partial-fill"}))


__all__ = ["against", "judged"]
