"""Buffers and the log each of them keeps: what was done to it, in order, under which condition.

*Claim.* A log of guarded accesses loses nothing a read could ask. *Why.* Nothing is joined or computed while the
program is walked: a read is itself an entry, and is answered after the walk, when the writes of earlier turns of its
loops are in the log too. *What it gives up.* Memory grows with the walk; the budget bounds it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from allocsafe.flow.conditions import Condition
from allocsafe.flow.values import Array
from allocsafe.regions.box import Box, Loop
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span
from allocsafe.verdict import Consequence, EventKind


class Turn:
    """One loop being walked.

    `exact`: every turn runs whole. Otherwise `completed` is the world in which it did; `exits` holds in a turn that
    leaves the loop
    (never, in a completed one); `exit_pos` is where the walk of the body ended.
    """

    __slots__ = ("completed", "entered", "exact", "exit_pos", "exits", "id", "line", "loop", "outlived")

    def __init__(self, ident: int, loop: Loop, line: int, exact: bool = True) -> None:
        self.id = ident
        self.loop = loop
        self.line = line
        self.exact = exact
        self.completed: Condition = 1
        self.entered: Condition = 1
        self.exits: Condition = 0
        self.exit_pos = 0
        self.outlived: Condition = 1  # what every turn checks on its way: there was no turn where it does not hold


class Entry(NamedTuple):
    """One access. `box` is in coordinates of `frame` (None: the buffer's own shape); box None is every element.

    `extent`: ``all`` of the box is accessed, or ``some`` part nobody knows (a may-access). `born` are the loops in
    whose
    turns the box changes by values other than the loop variable.
    """

    pos: int
    kind: str  # write read keep return escape
    cond: Condition
    turns: tuple[Turn, ...]
    frame: tuple[Lin, ...] | None
    box: Box | None
    extent: str
    span: Span
    note: str
    consequence: Consequence = "data"
    born: frozenset[int] = frozenset()
    phase: int = 0  # index of the entry point being run (0: none)
    stack: tuple[Span, ...] = ()  # call sites, outermost first
    event: EventKind = "note"
    accumulate: bool = False
    step: str = "call"  # for escapes: the kind of obstacle
    decides: str = ""
    soft: int = -1  # for a read that only computes elements at the same places: the buffer of the result
    handed: str = "all"  # how much of the box the view itself surely holds, whatever is done with it


class Origin(NamedTuple):
    """Where a copy came from: the source view, when, and whether element by element (`gather`: in an unknown order)."""

    array: Array
    pos: int
    cond: Condition
    turns: tuple[Turn, ...]
    gather: bool
    maybe_alias: bool
    span: Span
    note: str


class Buffer:
    """Memory made at one place. `filled`: it starts written, so nobody needs its log."""

    __slots__ = (
        "attrs",
        "cond",
        "entries",
        "filled",
        "ident",
        "kept_in",
        "like",
        "named",
        "open",
        "origin",
        "outer",
        "phase",
        "pos",
        "rehearsed",
        "shape",
        "site",
        "stack",
        "symbol",
        "turns",
        "what",
    )

    def __init__(
        self,
        ident: int,
        site: Span,
        what: str,
        shape: tuple[Lin, ...] | None,
        filled: bool,
        pos: int,
        turns: tuple[Turn, ...],
    ) -> None:
        self.ident = ident
        self.site = site
        self.what = what  # the allocating operator, "torch.empty"
        self.shape = shape  # leading axes are the turns of the loops it is made in
        self.outer = 0  # how many of them
        self.open = False  # more whole axes follow
        self.like: Hashable = None  # the tensor that has the same shape, if its rank is not known
        self.named: frozenset[Hashable] = frozenset()  # what its lengths are made from, where they are not known
        self.filled = filled
        self.pos = pos
        self.turns = turns
        self.entries: list[Entry] = []
        self.origin: Origin | None = None
        self.symbol = ""
        self.attrs: dict[str, str] = {}
        self.cond: Condition = 1  # the path on which it was made
        self.phase = 0
        self.rehearsed = False  # made in a walk that notes nothing: what was done to it there is not in its log
        self.stack: tuple[Span, ...] = ()  # the calls that led to the allocation, outermost first
        self.kept_in: set[str] = set()  # attribute and global names it is reachable by
