"""AS105: unwritten memory is used as an index, a length or an offset.

Claims: the read that meets the hole feeds an address. Suffices: the consequence in the verdict comes from the
operator's effect (`I`) at that operand. Gives up: values that become an index only inside a callee whose source is
not there.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is not None and verdict.consequence == "index":
        message = f"{part(verdict)} of {judged.site.symbol} is used as an index, length or offset while unwritten"
        yield say("AS105", "error", judged, message)


BEFORE = """\
import torch


def pick(table, lengths):
    starts = torch.zeros(lengths.shape[0] + 1, dtype=torch.int64)
    starts[1:].copy_(lengths)
    return table[starts]
"""
BAD = """\
import torch


def pick(table, lengths):
    starts = torch.empty(lengths.shape[0] + 1, dtype=torch.int64)  # want AS102 AS105
    starts[1:].copy_(lengths)
    return table[starts]
"""
OK = """\
import torch


def pick(table, lengths):
    starts = torch.empty(lengths.shape[0] + 1, dtype=torch.int64)  # want AS102
    starts[1:].copy_(lengths)
    return table + starts
"""

RULE = Rule(
    code="AS105",
    name="garbage-index",
    title="the unwritten region is used as index, length or offset",
    why="""A wrong value spoils a result; a wrong index reads or writes memory of somebody else. On a GPU it shows as an
    illegal memory access in a later, innocent kernel, or not at all.""",
    fix="""Fill every element that reaches the look-up with a valid index (usually 0), or keep the filled
    allocation.""",
    severity="error",
    finds=finds,
    ok=(Case("the hole is added, not looked up with", BEFORE.replace("table[starts]", "table + starts"), OK),),
    bad=(Case("the hole is looked up with", BEFORE, BAD),),
)
