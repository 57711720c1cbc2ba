"""AS103: an accumulation whose first operand was the old zero.

Claims: the first update adds to memory that nothing has written. Suffices: the unsafe read is the reading half of an
in-place update. Gives up: sums that a later full write makes dead.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is not None and ("zero-relied-on" in verdict.facets or verdict.consequence == "accumulate"):
        message = f"{part(verdict)} of {judged.site.symbol} is accumulated into: the old zero was an operand"
        yield say("AS103", "error", judged, message)


BEFORE = """\
import torch


def histogram(keys, weights, size):
    counts = torch.zeros(size)
    counts.index_add_(0, keys, weights)
    return counts.max()
"""
BAD = """\
import torch


def histogram(keys, weights, size):
    counts = torch.empty(size)  # want AS103
    counts.index_add_(0, keys, weights)
    return counts.max()
"""
OK = """\
import torch


def histogram(keys, weights, size):
    counts = torch.empty(size)
    counts.zero_()
    counts.index_add_(0, keys, weights)
    return counts.max()
"""

RULE = Rule(
    code="AS103",
    name="zero-relied-on",
    title="`+=`, `index_add_`, `scatter_add_` or a masked update needs the old zero",
    why="""An accumulation reads its target before it writes it. It writes every element, so it looks like a fill, but
    the result is the sum with whatever the memory held before.""",
    fix="""Keep the zeros, or write the first term with `copy_` or `=` and accumulate from the second on.""",
    severity="error",
    finds=finds,
    ok=(Case("zeroed before the first update", BEFORE, OK),),
    bad=(Case("the first update adds to unwritten memory", BEFORE, BAD),),
)
