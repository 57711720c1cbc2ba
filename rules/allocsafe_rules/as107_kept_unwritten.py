"""AS107: registered, saved, sent or compared whole while it has a hole.

Claims: the hole outlives the code that made it. Suffices: the effect of the keeping call in the tables. Gives up:
what a later, visible write completes before anybody can look, which is safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is not None and ("kept" in verdict.facets or verdict.consequence in ("persist", "collective")):
        yield say("AS107", "error", judged, f"{part(verdict)} of {judged.site.symbol} is kept or sent while unwritten")


BEFORE = """\
import torch


def snapshot(rows, path):
    state = torch.zeros(rows.shape[0] + 1)
    state[: rows.shape[0]].copy_(rows)
    torch.save(state, path)
"""
BAD = """\
import torch


def snapshot(rows, path):
    state = torch.empty(rows.shape[0] + 1)  # want AS102 AS107
    state[: rows.shape[0]].copy_(rows)
    torch.save(state, path)
"""
OK = """\
import torch


def snapshot(rows, path):
    state = torch.empty(rows.shape[0] + 1)
    state[: rows.shape[0]].copy_(rows)
    torch.save(state[: rows.shape[0]].clone(), path)
"""

RULE = Rule(
    code="AS107",
    name="kept-unwritten",
    title="registered, saved, sent to other ranks, or compared whole while it has a hole",
    why="""What is saved or sent is read by somebody who cannot know that a part of it was never written: a checkpoint
    that differs on every run, ranks that disagree, a test that passes by luck.""",
    fix="""Complete the buffer before it is kept, keep only the written part, or keep the filled allocation.""",
    severity="error",
    finds=finds,
    ok=(Case("only the written part is saved", BEFORE, OK),),
    bad=(Case("the whole buffer is saved", BEFORE, BAD),),
)
