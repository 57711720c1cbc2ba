"""All that a pack may import: `Rule`, `Case`, `Finding`, `Judged`, `Pack`, and the records of a verdict.

A rule is a value, not a class to inherit from: it can be listed, printed, checked and tested without being run. It
looks at one judged site and says what a team wants to hear about it. It never looks at source or IR: when it would
have to, the verdict is missing a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from allocsafe.source import Span
from allocsafe.verdict import Event, Hole, Safe, Unknown, Unsafe, Verdict, name_of

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Before:
    """The allocation (or the dropped fill) as it stood on the old side."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """An allocation that the patch touches. `kind` says what happened to it.

    `span` is on the new side; for a site that only the old side has, it is the line where the code was taken out.
    """

    span: Span
    language: Literal["python", "cpp", "cuda"]
    symbol: str  # the target as written: "x", "self.buf", 'state["k"]', "(returned)"
    kind: Literal["unfilled", "filled", "added", "dropped-fill", "touched", "existing", "changed", "removed"]
    text: str
    before: Before | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An attribute of the allocation that differs between the sides (dtype, shape, device, layout, pinning,
    requires_grad).
    """

    what: Literal["dtype", "shape", "device", "layout", "pinning", "requires_grad"]
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A site with its verdict: what a rule looks at."""

    site: Site
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    is_new: bool = True  # False: the old side had the same hole; shown with --all only


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about a site: stays a record until `report/` words it.

    `span` is where the reader should look.
    """

    rule: str
    severity: Severity
    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Case:
    """A small program before and after a patch. `after` has `# want CODE` on the line that earns the finding, or
    none.
    """

    name: str  # names the one difference to its twin
    before: str
    after: str
    path: str = "case.py"


@dataclass(frozen=True, slots=True)
class Rule:
    """`finds` yields the findings for one judged site. `ok` and `bad` come in pairs that differ in one line."""

    code: str
    name: str
    title: str
    why: str
    fix: str
    severity: Severity
    finds: Callable[[Judged], Iterable[Finding]]
    ok: tuple[Case, ...]
    bad: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of an object's life. `words` are regular expressions matched against the whole method name, first phase
    that matches wins.

    A phase may run at any rank from `rank` to `last_rank` (None: `rank` alone): forward passes run between captures and
    between replays. Phases whose ranks overlap have no known order. `takes`: a method that neither its name nor its
    callers put into a phase is of this one if a parameter's name, or the name of a class in its annotation, matches.
    """

    name: str
    rank: int
    words: tuple[str, ...]
    last_rank: int | None = None
    takes: tuple[str, ...] = ()

    def surely_before(self, other: Phase) -> bool:
        """True if every run of this phase comes before the first run of `other`."""
        return (self.rank if self.last_rank is None else self.last_rank) < other.rank


@dataclass(frozen=True, slots=True)
class Pack:
    """What comes in through the entry point `allocsafe.packs`.

    `effects` are the texts of tables, loaded when first needed.
    """

    name: str
    rules: tuple[Rule, ...]
    effects: Callable[[], tuple[str, ...]] = tuple
    phases: tuple[Phase, ...] = ()
    contracts: dict[str, str] = field(default_factory=dict)


__all__ = [
    "Before", "Case", "Change", "Event", "Finding", "Hole", "Judged", "Pack", "Phase", "Rule", "Safe", "Severity",
    "Site", "Span", "Unknown", "Unsafe", "Verdict", "name_of", ]  # fmt: skip
