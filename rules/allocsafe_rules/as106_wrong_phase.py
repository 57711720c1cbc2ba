"""AS106: read in an early phase, first written in a later one.

Claims: a method that runs at capture, warm-up or in a profile run reads what only a later method writes. Suffices: the
phases are ordered in the pack's data, and the order is listed under `assumes`. Gives up: names that match no phase.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_python


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_python(judged)
    if verdict is not None and "wrong-phase" in verdict.facets:
        message = f"{part(verdict)} of {judged.site.symbol} is read in a phase that runs before the one that writes it"
        yield say("AS106", "error", judged, message)


BEFORE = """\
import torch


class Runner:
    def __init__(self, size):
        self.positions = torch.zeros(size)

    def capture(self, graph):
        return self.positions.sum()

    def replay(self, graph, positions):
        self.positions.copy_(positions)
        graph.replay()
"""
BAD = """\
import torch


class Runner:
    def __init__(self, size):
        self.positions = torch.empty(size)  # want AS106

    def capture(self, graph):
        return self.positions.sum()

    def replay(self, graph, positions):
        self.positions.copy_(positions)
        graph.replay()
"""
OK = """\
import torch


class Runner:
    def __init__(self, size):
        self.positions = torch.empty(size)

    def capture(self, graph):
        self.positions.fill_(0)
        return self.positions.sum()

    def replay(self, graph, positions):
        self.positions.copy_(positions)
        graph.replay()
"""

RULE = Rule(
    code="AS106",
    name="wrong-phase",
    title="read at capture, warm-up or profile run, first written at replay",
    why="""Each replay writes before it reads, so the buffer looks covered. Capturing and warming up run the same reads
    earlier, on memory that nothing has written: they can fault, or tune and record on garbage.""",
    fix="""Fill the buffer where it is made or at the start of the capture; one fill at start-up costs nothing per
    step.""",
    severity="error",
    finds=finds,
    ok=(Case("the capture fills before it reads", BEFORE, OK),),
    bad=(Case("the capture reads what replay writes", BEFORE, BAD),),
)
