"""What was proved about one site: `Safe`, `Unsafe` or `Unknown`, each with its evidence.

Records only; `report/` words them. A `Safe` carries the writes that cover every read; an `Unsafe` the read, the hole
and the path to it; an `Unknown` the step that stopped the analysis and what would decide it. There is no fourth
answer.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from allocsafe.source import Span

EventKind: TypeAlias = Literal[
    "allocated",
    "filled",
    "written",
    "branch",
    "read",
    "copied",
    "kept",
    "returned",
    "phase",
    "escaped",
    "called",
    "note",
]
Consequence: TypeAlias = Literal["index", "data", "accumulate", "compare", "persist", "collective", "return"]

Facet: TypeAlias = Literal[
    "never-written",  # no writer anywhere covers the hole
    "zero-relied-on",  # the read is the first half of an accumulation
    "skipped-fill",  # a branch, exception, early return or loop of zero turns skips a fill that exists
    "wrong-phase",  # read at capture, warm-up or profile run; first written later
    "kept",  # stored, registered, saved, sent or compared whole while it has a hole
    "order",  # depends on which of two methods runs first
    "padding",  # written up to one length, read up to a longer one
    "contained",  # only elements at the same places are computed from it, and nobody reads those
    "stale",  # written, but by an earlier step
    "partial-fill",  # C++: a loop, memcpy or memset covers less than what is read
    "container",  # C++: sizeof of a container, reserve then [], address kept across growth
    "dangling",  # C++: a borrowed view outlives its memory
    "async-source",  # C++: the source of an async copy dies or changes before the stream has run
    "blob-mismatch",  # C++: from_blob describes more, or something other, than the buffer holds
    "uncovered-launch",  # CUDA: the launch geometry leaves out a part that was covered before
]


class Event(NamedTuple):
    """One line of the story, in order. `region` is index notation (`[0:n]`), empty where none applies."""

    event: EventKind
    span: Span
    region: str = ""
    note: str = ""


class Hole(NamedTuple):
    """A region that is unwritten at a read, as people write it, with its smallest concrete case."""

    region: str
    sample: str = ""  # "n = 1: element [0]"
    condition: str | None = None  # the relation under which it is empty, "m >= n"


class Safe(NamedTuple):
    reason: str
    trace: tuple[Event, ...]
    assumes: tuple[str, ...] = ()


class Unsafe(NamedTuple):
    reason: str
    trace: tuple[Event, ...]
    hole: Hole
    consequence: Consequence
    facets: frozenset[Facet] = frozenset()
    assumes: tuple[str, ...] = ()


class Unknown(NamedTuple):
    """`step` names what stopped the analysis (call, order, context, budget, escape, region, loop, syntax, bug, ...)."""

    step: str
    span: Span
    reason: str
    decides: str  # what would decide it
    trace: tuple[Event, ...] = ()
    hole: Hole | None = None
    consequence: Consequence | None = None
    assumes: tuple[str, ...] = ()


Verdict: TypeAlias = Safe | Unsafe | Unknown


def name_of(verdict: Verdict) -> Literal["safe", "unsafe", "unknown"]:
    """The word for it in every output."""
    if isinstance(verdict, Safe):
        return "safe"
    return "unsafe" if isinstance(verdict, Unsafe) else "unknown"
