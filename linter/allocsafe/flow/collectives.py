"""Collectives: what a rank reads and writes, and when.

*Claim.* What an asynchronous collective writes is written whole when `wait()` of its handle has returned, and some of
it at any time before. `broadcast` reads on the source rank and writes on the others: where every rank takes the same
path to it, the source does too, and its read is sure; where a write before it depends on a branch, the read happens on
the path of the rank that is the source, which `rank == src` names and nothing else does. Memory that nothing was put
into is there to receive, and the source may be elsewhere in the program. *Why that suffices.* After a broadcast every
rank has the source's elements, so a hole can only be one at the read. *What it gives up.* Handles in containers with
computed places: their buffers stay written in part.
"""

from __future__ import annotations

import re

from allocsafe.effects.summary import Summary
from allocsafe.flow.conditions import Condition
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import log
from allocsafe.flow.values import NONE, Array, Num, Opaque, Truth, TupleOf, Value
from allocsafe.source import Span

STARTS = ("irecv", "isend")
"""Collectives that are always asynchronous."""

_RANK = re.compile(r"(?:^|\.)(?:rank|get_rank\((?:\.\.\.)?\))$")


def asynchronous(summary: Summary, bound: dict[str, Value]) -> bool:
    """Whether the call may return before the collective is over."""
    if summary.name.rsplit(".", 1)[-1] in STARTS:
        return True
    return bound.get("async_op", NONE) not in (NONE, Truth(0))


def handle(m: Machine, summary: Summary, bound: dict[str, Value]) -> Value | None:
    """The handle of an asynchronous collective, which remembers what is written when it is over. None: it is over."""
    if not asynchronous(summary, bound):
        return None
    made = m.unknown("work", "work")
    written = tuple(bound[p.name] for p in summary.params if p.effect in "WM" and p.name in bound)
    m.write_cell((made.key, "writes"), TupleOf(written))
    return made


def wait(m: Machine, base: Value, span: Span) -> bool:
    """`work.wait()`: the collective is over. False: `base` is no handle."""
    held = m.read_cell((base.key, "writes")) if isinstance(base, Opaque) else None
    if held is None:
        return False
    for cond, array in m.arrays(held):
        log(m, array, "write", span, "the collective is over", cond=cond)
    return True


def broadcast(m: Machine, bound: dict[str, Value], value: Value, span: Span) -> None:
    """The read of `broadcast(value, src)`."""
    for cond, array in m.arrays(value):
        source = _source(m, array, bound.get("src", bound.get("group_src", NONE)))
        both = m.conds.both(cond, source)
        log(m, array, "read", span, "read by `broadcast` on the source rank", consequence="collective", cond=both)


def _source(m: Machine, array: Array, src: Value) -> Condition:
    """The condition under which this rank is the source, as far as the paths so far tell ranks apart."""
    path = m.state.path
    at: Array | None = array
    branched: set[int] = set()
    while at is not None:
        buffer = m.buffers[at.buf]
        for entry in buffer.entries:
            if entry.kind in ("write", "escape") and not m.conds.implies(path, entry.cond):
                branched |= m.conds.support(entry.cond)
        at = buffer.origin.array if buffer.origin is not None else None
    if not branched and _written(m, array):
        return 1
    number = src.lin.as_int() if isinstance(src, Num) else None
    for index in branched | m.conds.support(path):
        atom = m.conds.atoms[index]
        if number is not None and atom.subject is not None and atom.value == number and atom.zero is not None:
            names = [s.name for s in atom.zero.all_syms()]
            if len(names) == 1 and _RANK.search(names[0]):
                m.assumes.add(f"the source of the broadcast is where {atom.text}")
                return m.conds.literal(index, True)
    return m.decide(("source", m.fresh()), "this rank is the source", "unknown")


def _written(m: Machine, array: Array) -> bool:
    """Whether anything was put into the memory so far: where nothing was, it is there to receive."""
    at: Array | None = array
    while at is not None:
        buffer = m.buffers[at.buf]
        if buffer.filled or any(entry.kind in ("write", "escape") for entry in buffer.entries):
            return True
        at = buffer.origin.array if buffer.origin is not None else None
    return False


__all__ = ["broadcast", "handle", "wait"]
