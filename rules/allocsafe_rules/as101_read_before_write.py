"""AS101: an element may be read before it is written.

Claims: some run reads memory that this run has not written. Suffices: the verdict is unsafe, which carries the read,
the hole and the path. Gives up: nothing of its own; it is silent where AS102, AS103, AS104, AS106 or AS107 say why.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import is_special, part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is None or is_special(verdict):
        return
    what = f"{part(verdict)} of {judged.site.symbol}"
    if "contained" in verdict.facets:
        yield say("AS101", "warning", judged, f"{what} is garbage; nothing outside of those elements depends on it")
    elif "stale" in verdict.facets:
        yield say("AS101", "error", judged, f"{what} is stale: with its fill gone it keeps what an earlier step left")
    else:
        yield say("AS101", "error", judged, f"{what} is read before it is written")


BEFORE = """\
import torch


def centred(x):
    out = torch.zeros(x.shape[0])
    mean = out.sum()
    out.copy_(x)
    return mean
"""
BAD = """\
import torch


def centred(x):
    out = torch.empty(x.shape[0])  # want AS101
    mean = out.sum()
    out.copy_(x)
    return mean
"""
OK = """\
import torch


def centred(x):
    out = torch.empty(x.shape[0])
    out.copy_(x)
    mean = out.sum()
    return mean
"""

RULE = Rule(
    code="AS101",
    name="read-before-write",
    title="an element may be read that no path has written",
    why="""Memory from an uninitialised allocation holds whatever was there before: often zeros on a fresh process, so
    tests pass, and values of an earlier request later on. A sum or a product takes it in, and one NaN spoils the
    whole result.""",
    fix="""Write the whole region that is read before the read, shorten the read to what was written, or keep the filled
    allocation.""",
    severity="error",
    finds=finds,
    ok=(Case("the copy runs before the sum", BEFORE, OK),),
    bad=(Case("the sum runs before the copy", BEFORE, BAD),),
)
