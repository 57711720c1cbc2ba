"""AS102: a region that no writer anywhere covers is read.

Claims: no order of calls would help, because no code writes this region at all. Suffices: the engine sets the facet
only if every writer of the buffer is known. Gives up: a buffer with an unknown writer, which is `unknown` already.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is not None and "never-written" in verdict.facets:
        yield say("AS102", "error", judged, f"{part(verdict)} of {judged.site.symbol} is read, and nothing writes it")


BEFORE = """\
import torch


def total(lengths):
    ends = torch.zeros(lengths.shape[0] + 1)
    ends[1:].copy_(lengths)
    return ends.sum()
"""
BAD = """\
import torch


def total(lengths):
    ends = torch.empty(lengths.shape[0] + 1)  # want AS102
    ends[1:].copy_(lengths)
    return ends.sum()
"""
OK = """\
import torch


def total(lengths):
    ends = torch.empty(lengths.shape[0] + 1)
    ends[1:].copy_(lengths)
    return ends[1:].sum()
"""

RULE = Rule(
    code="AS102",
    name="hole-never-written",
    title="a region that no writer anywhere covers is read",
    why="""The old fill was the only writer of this region: element 0 of a list of offsets, the tail of a padded row.
    Without it every reader sees what the memory held before, on every run.""",
    fix="""Write the missing region once after the allocation (`x[0] = 0`), or keep the filled allocation.""",
    severity="error",
    finds=finds,
    ok=(Case("the read leaves element 0 out", BEFORE, OK),),
    bad=(Case("the read takes element 0 in", BEFORE, BAD),),
)
