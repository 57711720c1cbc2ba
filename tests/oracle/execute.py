"""The truth about a generated program: runs it on samples of its parameters and says whether any run read poison."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any, Literal, NamedTuple

import torch

from tests.oracle.limits import Hung, limit
from tests.oracle.modules import loaded
from tests.oracle.poison import PoisonRead, Watch, result_is_poisoned
from tests.oracle.program import Place, Program, Sample

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
with Watch():  # torch imports a good deal on the first operator
    torch.empty(1, dtype=torch.float64).fill_(0)

Outcome = Literal["clean", "poison", "crash"]

SECONDS = 5.0
"""A run that takes longer has lost its loop counter (a step towards a smaller program took it away)."""


class Truth(NamedTuple):
    """What the runs showed. `shown` is the first sample that read poison."""

    runs: int
    crashes: int
    shown: Sample | None
    error: str = ""  # the last crash, for triage

    @property
    def usable(self) -> bool:
        """A program that dies on most of its samples says nothing."""
        return self.shown is not None or self.runs > self.crashes * 2


def _arguments(program: Program, sample: Sample) -> list[Any]:
    made: list[Any] = []
    env = dict(sample.values)
    for param in program.params:
        value = sample.values[param.name]
        if param.kind == "tensor":
            shape = [int(eval(text, {}, env)) for text in param.shape]
            made.append(torch.rand(shape, dtype=torch.float64))
        else:
            made.append(list(value) if isinstance(value, (list, tuple)) else value)
    return made


def run_one(program: Program, sample: Sample, files: dict[str, str] | None = None) -> tuple[Outcome, str]:
    """One run, of the new side if no other files are given. A crash after a read of poison never comes that far: the
    read ends the run."""
    torch.default_generator.manual_seed(0)  # the one in use: `torch.manual_seed` also notes where it was called from
    arguments = _arguments(program, sample)
    try:
        with limit(SECONDS), Watch(), loaded(program.files if files is None else files) as names:
            result = names[program.entry](*arguments)
        return ("poison" if result_is_poisoned(result) else "clean"), ""
    except PoisonRead as found:
        return "poison", str(found)
    except (Exception, Hung) as error:
        return "crash", f"{type(error).__name__}: {error}"


def truth(program: Program, samples: list[Sample], files: dict[str, str] | None = None) -> Truth:
    """Runs the samples in order and stops at the first that reads poison. `files`: another version of the program."""
    crashes, last = 0, ""
    for at, sample in enumerate(samples):
        outcome, note = run_one(program, sample, files)
        if outcome == "poison":
            return Truth(at + 1, crashes, sample, note)
        if outcome == "crash":
            crashes, last = crashes + 1, note
    return Truth(len(samples), crashes, None, last)


def reached(program: Program, samples: list[Sample], place: Place) -> bool:
    """Whether a run comes to a line."""
    seen = False

    def follow(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename != place.path:
            return None
        seen = seen or (event == "line" and frame.f_lineno == place.line)
        return follow

    for sample in samples:
        old = sys.gettrace()
        sys.settrace(follow)
        try:
            run_one(program, sample)
        finally:
            sys.settrace(old)
        if seen:
            return True
    return False
