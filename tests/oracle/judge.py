"""One program: the truth by running it, the verdict by analysing it, and which of the two is wrong if they differ."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tests.oracle.execute import Truth, reached, truth
from tests.oracle.limits import Hung, limit
from tests.oracle.program import Place, Program, Sample

FEW, MORE_FOR_SAFE, MORE_FOR_UNSAFE = 7, 20, 500
"""Samples for every program; more where `safe` would be wrong if one showed poison, or `unsafe` right if one did."""

LIMIT = 90
"""Seconds that the analysis of one program may take before it counts as hung."""

Kind = Literal[
    "right", "wrong-safe", "assumed-safe", "wrong-unsafe", "unknown", "missed", "error", "crash", "unreached", "unsaid"
]
"""`unreached`: said unsafe of a read, or of a step, that the entry never comes to, so that its runs cannot tell:
another user of the file might. `unsaid`: nothing was reported on a fill that moved, and nothing unwritten is read. A
program is left out (`crash`) if it dies on most samples, or if the patch changes more than the allocation and the old
side had a hole.
"""


class Result(NamedTuple):
    """`kind` compares `verdict` with `poisoned`; `why` is the step of an unknown or the text of an error."""

    seed: int
    kind: Kind
    verdict: str
    poisoned: bool
    why: str = ""
    condition: bool = False
    shown: Sample | None = None
    features: frozenset[str] = frozenset()


class Answer(NamedTuple):
    verdict: str
    why: str
    condition: bool
    assumes: tuple[str, ...]
    reason: str
    at: tuple[Place, ...] = ()  # the calls down to the read of the hole, and that


def ask(program: Program) -> Answer:
    """The verdict on the marked allocation, or the dropped fill. `missed` if no site is reported there."""
    from allocsafe.api import Safe, Unknown, name_of
    from allocsafe.pipeline import check_texts

    report = check_texts(before=program.before, after=program.files)
    if report.errors:
        return Answer("error", str(report.errors[0]), False, (), str(report.errors))
    places = program.asked
    spans = [(entry.judged, entry.judged.site.span) for entry in report.sites]
    here = [
        judged
        for judged, span in spans
        if Place(span.path, span.line) in places or (program.moved and judged.site.kind != "removed")
    ]
    order = {"unsafe": 0, "unknown": 1, "safe": 2}
    here.sort(key=lambda judged: (judged.site.kind != "unfilled", order[name_of(judged.verdict)]))
    if not here:
        return Answer("missed", "no site on the marked line", False, (), "")
    verdict = here[0].verdict
    step = verdict.step if isinstance(verdict, Unknown) else ""
    condition = isinstance(verdict, Unknown) and verdict.hole is not None and verdict.hole.condition is not None
    assumes = verdict.assumes if isinstance(verdict, Safe) else ()
    told = [event.span for event in verdict.trace if event.event in ("called", "copied", "read", "returned", "kept")]
    at = tuple(Place(span.path, span.line) for span in told)
    return Answer(name_of(verdict), step, condition, assumes, verdict.reason, at)


def answer(program: Program) -> Answer:
    """`ask`, with a crash or a hang of the analysis turned into the answer `error`."""
    try:
        with limit(LIMIT):
            return ask(program)
    except (Exception, Hung) as error:  # a crash of the analysis is a result to count, not the end of the run
        return Answer("error", f"{type(error).__name__}: {error}"[:120], False, (), "")


def shown(program: Program, verdict: str, most: int = MORE_FOR_UNSAFE) -> Truth:
    """The truth, with as many samples as the verdict deserves."""
    files = program.leaves
    found = truth(program, program.samples(FEW), files)
    if found.shown or verdict not in ("safe", "unsafe") or not found.usable:
        return found
    more = MORE_FOR_SAFE if verdict == "safe" else most
    again = truth(program, program.samples(more, FEW), files)
    return Truth(found.runs + again.runs, found.crashes + again.crashes, again.shown, again.error)


def comes_to(program: Program, places: tuple[Place, ...]) -> bool:
    """Whether runs come to every call and read that a verdict names."""
    return all(reached(program, program.samples(FEW), place) for place in dict.fromkeys(places))


def in_another_step(program: Program) -> bool:
    """Whether one more step of each object would have read what an earlier one left."""
    again = program.again
    return again is not None and truth(program, program.samples(FEW), again).shown is not None


def compare(program: Program) -> Result:
    """Runs and analyses one program."""
    first = truth(program, program.samples(FEW), program.leaves)
    if not first.usable:
        return Result(program.seed, "crash", "", False, first.error)
    if program.rewritten and program.leaves is None:
        old = truth(program, program.samples(FEW + MORE_FOR_SAFE), program.before)
        if old.shown is not None:
            return Result(program.seed, "crash", "", False, "the old side has a hole")
    said = answer(program)
    found = first if first.shown else shown(program, said.verdict)
    poisoned = found.shown is not None
    kind: Kind = "right"
    if said.verdict in ("missed", "error"):
        kind = "missed" if said.verdict == "missed" else "error"
        if kind == "missed" and program.rewritten and not poisoned:
            kind = "unsaid"
    elif said.verdict == "unknown":
        kind = "unknown"
    elif said.verdict == "safe" and poisoned:
        kind = "assumed-safe" if said.assumes and _negative(found.shown) else "wrong-safe"
    elif said.verdict == "unsafe" and not poisoned:
        kind = "wrong-unsafe" if comes_to(program, said.at) and not in_another_step(program) else "unreached"
    return Result(program.seed, kind, said.verdict, poisoned, said.why, said.condition, found.shown, program.features)


def _negative(sample: Sample | None) -> bool:
    """Whether a size is negative in the sample: a verdict may assume, and say, that none is."""
    return sample is not None and any(type(value) is int and value < 0 for value in sample.values.values())
