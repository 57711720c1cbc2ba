"""A generated program and the samples of its parameters. No torch here: the generator runs without it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

SITE = "  # site"
"""The comment that marks the line of the converted allocation."""

DROPPED = "# dropped: "
"""The comment that stands where the old side fills something again, and what that is."""

MAIN = "case.py"
"""The file with the entry function."""

INTS = (5, 2, 3, 1, 0, 4, 7, 6)
"""Sizes to try: a generic one first, then the edges."""


class Param(NamedTuple):
    """A parameter of the entry function. A tensor's shape is text over the integers of the sample; a name that is no
    parameter is an extent of its own."""

    name: str
    kind: Literal["int", "bool", "list", "tensor"]
    shape: tuple[str, ...] = ()
    low: int = 0


class Sample(NamedTuple):
    values: dict[str, Any]


class Place(NamedTuple):
    path: str
    line: int


@dataclass(frozen=True)
class Program:
    """`files` is the new side, `before` the old one: texts by path. They differ in the marked line, and for a fill that
    was moved or dropped in the lines of that, too."""

    seed: int
    files: dict[str, str]
    before: dict[str, str]
    entry: str
    params: tuple[Param, ...]
    features: frozenset[str] = field(default_factory=frozenset)

    @property
    def source(self) -> str:
        """All files as one text, for people."""
        if list(self.files) == [MAIN]:
            return self.files[MAIN]
        return "\n".join(f"# ---- {path}\n{text}" for path, text in self.files.items())

    @property
    def site(self) -> Place:
        """The marked allocation; lines count from 1."""
        for path, text in self.files.items():
            for number, line in enumerate(text.split("\n"), 1):
                if line.endswith(SITE):
                    return Place(path, number)
        raise ValueError("the program has no marked allocation")

    @property
    def asked(self) -> list[Place]:
        """The places where a verdict is due: the marked allocation, and fills that were dropped. A fill that was moved
        may be told of anywhere."""
        places = [] if self.leaves is not None else [self.site]
        for path, text in self.files.items():
            places += [Place(path, n) for n, line in enumerate(text.split("\n"), 1) if DROPPED in line]
        return places

    @property
    def stale(self) -> dict[str, str] | None:
        """The new side with the memory spoilt where a fill was dropped: what reads it reads values of an earlier step.
        None without such a place."""
        if not any(DROPPED in text for text in self.files.values()):
            return None
        return {path: undropped(text, "_left_by_earlier_step({})") for path, text in self.files.items()}

    @property
    def leaves(self) -> dict[str, str] | None:
        """The files to run if the question is about what an earlier step left, not about unwritten memory."""
        return self.stale if "home:dropped" in self.features else None

    @property
    def again(self) -> dict[str, str] | None:
        """`leaves` with every step taken twice: what a verdict on any step may be about, and the entry may not do."""
        if self.leaves is None:
            return None
        twice = re.compile(r"^( *)(.*\bbox\.step\(.*)$", re.M)
        return {path: twice.sub(r"\1\2\n\1\2", text) for path, text in self.leaves.items()}

    @property
    def rewritten(self) -> bool:
        """Whether the sides differ in more than the marked line, so that the old side may have a hole, too."""
        return self.moved or self.stale is not None

    @property
    def moved(self) -> bool:
        """Whether the old side is a text of its own."""
        return "home:moved" in self.features

    def samples(self, count: int, start: int = 0) -> list[Sample]:
        """`count` samples, the same for the same program: generic sizes first, then edges; booleans mixed."""
        return [Sample(self._values(number)) for number in range(start, start + count)]

    def _values(self, number: int) -> dict[str, Any]:
        rng = random.Random(f"{self.seed}/{number}")
        values: dict[str, Any] = {}
        flips = number
        for param in self.params:
            if param.kind == "int":
                values[param.name] = max(param.low, rng.choice(INTS if number > 2 else (3, 4, 5, 6)))
            elif param.kind == "bool":
                values[param.name] = bool(flips & 1) if number < 8 else rng.random() < 0.5
                flips >>= 1
            elif param.kind == "list":
                values[param.name] = [rng.randrange(1, 9) for _ in range(rng.choice((3, 1, 0, 4, 2, 6, 8)))]
            else:
                values[param.name] = None
                values.update({name: rng.choice(INTS) for name in param.shape if name.isidentifier()})
        return values


def undropped(text: str, act: str) -> str:
    """The text with `act` on what is named wherever a fill was dropped."""
    return re.sub(rf"pass  {DROPPED}(.*)", lambda found: act.format(found[1]), text)


def old_side(text: str, filled: str) -> str:
    """The text before the patch: its marked line is `filled`, and no fill is dropped."""
    rows = [row[: len(row) - len(row.lstrip())] + filled if row.endswith(SITE) else row for row in text.split("\n")]
    return undropped("\n".join(rows), "{}.fill_(0)")
