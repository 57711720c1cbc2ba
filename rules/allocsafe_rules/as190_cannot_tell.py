"""AS190: a converted allocation could not be followed.

Claims: nothing about the memory, only that one step stopped the analysis while a hole was there. Suffices: an unknown
verdict always names that step and what would decide it. Gives up: nothing; silence here would read as "safe".
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import cannot_tell


def finds(judged: Judged) -> Iterator[Finding]:
    if judged.site.language == "python":
        yield from cannot_tell("AS190", judged)


BEFORE = """\
import torch
from kernels import launch


def attend(q):
    out = torch.zeros(q.shape[0])
    launch(q, out)
    return out.sum()
"""
BAD = """\
import torch
from kernels import launch


def attend(q):
    out = torch.empty(q.shape[0])  # want AS190
    launch(q, out)
    return out.sum()
"""
OK = """\
import torch
from kernels import launch


def attend(q):
    out = torch.empty(q.shape[0])
    out.copy_(q)
    launch(q, out)
    return out.sum()
"""

RULE = Rule(
    code="AS190",
    name="cannot-tell",
    title="a converted allocation could not be followed",
    why="""The safety of the patch rests on code that is not visible here. That is no error in the patch, but nobody has
    proved it either: the claim "always overwritten" stands and falls with the step that is named.""",
    fix="""Look at the step that is named. If it writes everything, say so as a contract under
    [tool.allocsafe.contracts], or write the buffer in the open.""",
    severity="warning",
    finds=finds,
    ok=(Case("written whole before the closed call", BEFORE, OK),),
    bad=(Case("the closed call is the only writer", BEFORE, BAD),),
)
