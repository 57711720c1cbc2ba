"""AS104: the fill exists, and a path goes round it.

Claims: there is a path from the allocation to the read on which the fill does not run. Suffices: the path is in the
witness, branch by branch. Gives up: paths that only an outside invariant rules out; state it with `assert`.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is not None and "skipped-fill" in verdict.facets:
        yield say(
            "AS104", "error", judged, f"a path to the read of {part(verdict)} of {judged.site.symbol} skips its fill"
        )


BEFORE = """\
import torch


def scaled(x, use_bias, bias):
    out = torch.zeros(x.shape[0])
    if use_bias:
        out.copy_(bias)
    return x + out
"""
BAD = """\
import torch


def scaled(x, use_bias, bias):
    out = torch.empty(x.shape[0])  # want AS104
    if use_bias:
        out.copy_(bias)
    return x + out
"""
OK = """\
import torch


def scaled(x, use_bias, bias):
    out = torch.empty(x.shape[0])
    if use_bias:
        out.copy_(bias)
        return x + out
    return x
"""

RULE = Rule(
    code="AS104",
    name="skipped-fill",
    title="a branch, an exception, an early return or a loop of zero turns skips the fill",
    why="""The path that is tested fills the buffer. The other one, with an empty batch or a feature switched off, hands
    on what the memory held before.""",
    fix="""Fill on every path that reaches the read, return before the read on those that do not, or keep the filled
    allocation.""",
    severity="error",
    finds=finds,
    ok=(Case("only the path that fills reads", BEFORE, OK),),
    bad=(Case("the path without the fill reads as well", BEFORE, BAD),),
)
