"""What a run found, as records: all that the writers of `report/` get to see.

A `Report` is complete: a writer never looks at sources, at the patch or at a rule's code, so every format says the
same. `line_of` answers with a line of the *new* side, because that is the text that the reader of a report has in
front of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the records of a verdict need dataclasses; a run without findings should not pay for them
    from allocsafe.api import Finding, Judged


class SiteReport(NamedTuple):
    """One site and what the rules said about it.

    `suppressed` is the reason an ignore comment gave; the findings are kept.
    """

    judged: Judged
    findings: tuple[Finding, ...]
    suppressed: str | None = None


class Tally(NamedTuple):
    """A scan in numbers. `reasons` are the commonest ones for `unknown`, each with its count."""

    files: int  # that were judged: the others hold no allocation
    reasons: tuple[tuple[str, int], ...]


class Report(NamedTuple):
    """The outcome of one run. `errors` are (path, message) of inputs that could not be read; `notes` are about
    suppressions; `scan` is there if a tree was judged and not a patch.
    """

    sites: tuple[SiteReport, ...]
    errors: tuple[tuple[str, str], ...]
    seconds: float
    line_of: Callable[[str, int], str]
    notes: tuple[Finding, ...] = ()
    scan: Tally | None = None


__all__ = ["Report", "SiteReport", "Tally"]
